/** `npm run deploy`: the Observatory into a database that exists, by a real `pulumi up`; or what that would do; or back. */
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";

import type { Connection } from "../components/timescale/core/connection/connection";
import { inspectServer } from "../components/timescale/core/connection/server";
import {
    type Session,
    withObjectLock,
    withSession,
} from "../components/timescale/core/connection/session";
import { explain, TimescaleError } from "../components/timescale/core/errors";
import program from "../index";
import { overridesOf } from "./database/overrides";
import { withPassword } from "./database/password";
import { type Compared, compareDatabase } from "./deploy/differences";
import { type DeployOptions, parseOptions } from "./deploy/options";
import { isMade, type Place, placeOf, withCopy } from "./deploy/place";
import { failed } from "./ending";
import type { Engine } from "./engine";
import { describe, type Picture } from "./picture";
import { renderPicture } from "./picture/render";
import { colours, coloursOf, startStep, withStep } from "./progress";
import { bringUp } from "./start/bringUp";
import { declaredIn } from "./start/declared";
import { rollBack } from "./start/destroy";
import { inWords, nothingChanged, type Summary } from "./start/events";
import { interruptedExitCode, listenForInterrupts } from "./start/interrupts";
import { Interrupted, runOperation } from "./start/operation";
import { exportState } from "./start/pending";
import {
    findEngine,
    findTarget,
    type PreparedStack,
    prepareStack,
    serveEmbedded,
} from "./start/session";
import { storedConfig } from "./start/stack";
import { lockWorkspace } from "./start/startLock";
import { pulumiEnvironment, type Workspace, workspaceIn } from "./start/workspace";
import { verifyDatabase } from "./verify/command";
import { describeResults, resultsAsJson } from "./verify/report";
import { counted, exitCodeOf, type Result } from "./verify/result";

const interrupts = listenForInterrupts();

type ExitCode = 0 | 1 | 2;

async function main(): Promise<ExitCode> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const workspace = workspaceIn(dirname(__dirname));
    const connection =
        options.server === undefined
            ? undefined
            : await connectFirst(await withPassword(options.server, process.env));
    const place = placeOf(workspace, connection, options.stack);
    if (options.rollback) await checkRollback(workspace, place, options);
    forgetForeignSettings();
    const release = await withStep("starting", async (step) => {
        const held = await lockWorkspace(workspace, step.report);
        step.done(`LLM Observatory: ${titleOf(place)}`);
        return held;
    });
    try {
        if (options.dryRun) {
            return await withCopy(workspace, place, (copy) => dryRun(workspace, copy, place, options)); // prettier-ignore
        }
        if (connection === undefined) return await work(workspace, place, options);
        return await withSession(connection, (session) =>
            alone(session, () => work(workspace, place, options, session)),
        );
    } finally {
        await release();
    }
}

/** While no other deploy is at work in this database, from whichever folder or machine. */
async function alone<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
    const { database } = session.connection;
    const title = `waiting for database ${database}`;
    const step = await startStep(title);
    const wait = (): void => step.report(`${title}: another deploy is at work in it`);
    let waits = true;
    try {
        return await withObjectLock(session, `database ${database}`, wait, async () => {
            waits = false;
            step.done("no other deploy is at work in this database");
            return work();
        });
    } catch (error) {
        if (waits) step.fail(title);
        throw error;
    }
}

/** Of the user's other Pulumi projects; and what names a database has been read. */
function forgetForeignSettings(): void {
    for (const name of [
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_STACK",
        "PULUMI_CONFIG",
    ]) {
        Reflect.deleteProperty(process.env, name);
    }
}

/** What is wrong with host, port, login or database is said before anything else is looked for. */
async function connectFirst(connection: Connection): Promise<Connection> {
    return withStep(`connecting to ${connection.host}:${connection.port}`, async (step) => {
        await withSession(connection, ({ client }) => inspectServer(client));
        step.done(
            `connected to ${connection.database} at ${connection.host}:${connection.port} as ${connection.user}`,
        );
        return connection;
    });
}

function titleOf({ name, connection }: Place): string {
    return connection === undefined
        ? `stack ${name}`
        : `database ${connection.database} at ${connection.host}:${connection.port}, stack ${name}`;
}

/** The stack, with its config and whatever it needs to be worked on. */
async function prepare(
    workspace: Workspace,
    place: Place,
    engine: Engine,
): Promise<{ readonly prepared: PreparedStack; readonly close: () => Promise<void> }> {
    const { target, name, connection } = place;
    if (connection === undefined && name === target) {
        await findTarget(workspace, engine, { target, config: {} });
    }
    const config = connection === undefined ? {} : configOf(connection);
    // What the environment says of a server has been read, or is of another one.
    const options = { name, config, environment: {} };
    const prepared = await prepareStack(workspace, engine, target, options, program, interrupts);
    const embedded = target === "embedded" ? await serveEmbedded(workspace, prepared) : undefined;
    return { prepared, close: () => embedded?.close() ?? Promise.resolve() };
}

/** Somebody else's database: one login, which may be less than an administrator, and tables that stand. */
function configOf(connection: Connection): Readonly<Record<string, string>> {
    return {
        host: connection.host,
        port: String(connection.port),
        database: connection.database,
        sslMode: connection.sslMode,
        sslRootCert: connection.sslRootCert ?? "",
        manageAccess: "false",
        adopt: "true",
        ownerUser: connection.user,
        // A server that asks for none takes any.
        ownerPassword: connection.password === "" ? "not-asked-for" : connection.password,
    };
}

async function work(
    workspace: Workspace,
    place: Place,
    options: DeployOptions,
    session?: Session,
): Promise<ExitCode> {
    const engine = await findEngine();
    if (session !== undefined && !options.rollback) {
        const { refusals } = await compared(session, workspace, place, engine);
        if (refusals.length > 0) return refused(refusals);
    }
    const { prepared, close } = await prepare(workspace, place, engine);
    try {
        if (options.rollback) return await takeBack(place, prepared, options);
        const { summary, outputs } = await bringUp(prepared, interrupts);
        const picture = await withStep("checking what stands", async (step) => {
            const state = await exportState(prepared.stack);
            const standing = await describe(outputs.owner, declaredIn(state, outputs.aggregates));
            step.done("everything that was declared stands");
            return standing;
        });
        const { schema, slaTargets, policies } = prepared.config;
        const results = options.test
            ? await verifyDatabase(outputs.owner, { schema, slaTargets, policies }, interrupts)
            : undefined;
        tell({ workspace, place, options, summary, picture, results });
        return results === undefined || exitCodeOf(results) === 0 ? 0 : 1;
    } finally {
        await close();
    }
}

/** With what the stack has otherwise, where an earlier deploy has made it. */
async function compared(
    session: Session,
    workspace: Workspace,
    place: Place,
    engine: Engine,
): Promise<Compared> {
    return withStep("comparing with the database", async (step) => {
        const overrides = isMade(workspace, place)
            ? overridesOf(place.name, await storedConfig(workspace, place.name, engine))
            : {};
        const found = await compareDatabase(session, overrides);
        const { differences } = found;
        step.done(
            differences.length === 0
                ? "the database is as declared"
                : `${counted(differences.length, "declared object")} not as declared`,
        );
        return found;
    });
}

function refused(refusals: readonly TimescaleError[]): 2 {
    for (const refusal of refusals) {
        process.stderr.write(`${colours.red("refused")}: ${explain(refusal)}\n`);
    }
    process.stderr.write("Nothing was changed.\n");
    return 2;
}

interface Told {
    readonly workspace: Workspace;
    readonly place: Place;
    readonly options: DeployOptions;
    readonly summary: Summary;
    readonly picture: Picture;
    readonly results: readonly Result[] | undefined;
}

function tell({ workspace, place, options, summary, picture, results }: Told): void {
    if (options.json) {
        print({
            outcome: nothingChanged(summary) ? "unchanged" : "deployed",
            ...whereOf(place),
            changes: summary.changes,
            picture,
            ...(results !== undefined && { verification: resultsAsJson(results) }),
            environment: pulumiEnvironment(workspace),
        });
        return;
    }
    const out = coloursOf(process.stdout);
    const parts = [
        renderPicture(picture, place.target),
        ...(results === undefined ? [] : [describeResults(results, out)]),
    ];
    process.stdout.write(parts.map((part) => `\n${part}\n`).join(""));
}

function whereOf({ name, target, connection }: Place): object {
    return {
        stack: name,
        target,
        ...(connection !== undefined && {
            database: {
                host: connection.host,
                port: connection.port,
                name: connection.database,
                user: connection.user,
            },
        }),
    };
}

function print(result: object): void {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

/** A real preview, on a copy of the stack. */
async function dryRun(
    workspace: Workspace,
    copy: Workspace,
    place: Place,
    options: DeployOptions,
): Promise<ExitCode> {
    const { connection } = place;
    const made = isMade(workspace, place);
    const engine = await findEngine();
    const found =
        connection === undefined
            ? undefined
            : await withSession(connection, (session) => compared(session, workspace, place, engine)); // prettier-ignore
    const { prepared, close } = await prepare(copy, place, engine);
    const what = options.rollback ? "pulumi preview of the rollback" : "pulumi preview";
    try {
        const { stack } = prepared.stack;
        const summary = await withStep(what, async (step) => {
            const done = await runOperation(
                what,
                step,
                interrupts,
                (operation) =>
                    options.rollback
                        ? stack.previewDestroy({ ...operation, excludeProtected: true, runProgram: false }) // prettier-ignore
                        : stack.preview(operation),
                { preview: true },
            );
            step.done(`${what}: ${nothingChanged(done) ? "nothing to change" : `${inWords(done)}, if it were done`}`); // prettier-ignore
            return done;
        });
        const takenOver =
            !options.rollback && !made && found?.differences.length === 0 && onlyCreates(summary);
        const differs = summary.refused || !(nothingChanged(summary) || takenOver);
        if (options.json) {
            print({
                outcome: differs ? "differences" : "unchanged",
                ...whereOf(place),
                changes: summary.changes,
                refused: summary.refused,
                ...(found !== undefined &&
                    !options.rollback && {
                        differences: found.differences,
                        refusals: found.refusals.map((refusal) => explain(refusal)),
                    }),
            });
        } else if (takenOver) {
            process.stdout.write(
                "The database is as declared; the first deploy from this folder takes it over as it stands.\n",
            );
        }
        return differs ? 2 : 0;
    } finally {
        await close();
    }
}

function onlyCreates({ changes }: Summary): boolean {
    return Object.keys(changes).every((operation) =>
        ["create", "same", "read"].includes(operation),
    );
}

/** @throws TimescaleError when there is nothing to roll back, or nobody has said yes */
async function checkRollback(
    workspace: Workspace,
    place: Place,
    { yes, dryRun }: DeployOptions,
): Promise<void> {
    if (!isMade(workspace, place)) {
        throw new TimescaleError("there is nothing to roll back", {
            code: "no_stack",
            detail: `no deploy from this folder has been made to ${titleOf(place)}`,
            hint: "deploy from here first: that takes over what stands, and can be rolled back",
        });
    }
    if (yes || dryRun) return;
    if (!process.stdin.isTTY) {
        throw new TimescaleError("nothing was rolled back", {
            code: "not_confirmed",
            detail: "a rollback removes aggregates with their rows, and without a terminal nobody can be asked",
            hint: "give --yes; --dry-run shows what would go",
        });
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
        const answer = await terminal.question(
            `Remove the aggregates and helpers of ${titleOf(place)}? Raw tables stay. Type yes to go on: `,
        );
        if (answer.trim().toLowerCase() === "yes") return;
        throw new TimescaleError("nothing was rolled back", {
            code: "not_confirmed",
            detail: `the answer was "${answer.trim()}"`,
        });
    } finally {
        terminal.close();
    }
}

async function takeBack(
    place: Place,
    prepared: PreparedStack,
    { json }: DeployOptions,
): Promise<ExitCode> {
    const summary = await rollBack(prepared, interrupts);
    if (json) print({ outcome: "rolled back", ...whereOf(place), changes: summary.changes });
    else process.stdout.write("\nRaw tables and their rows stay; the next deploy puts the rest back.\n"); // prettier-ignore
    return 0;
}

main().then(
    (code) => process.exit(code),
    (error: unknown) => {
        if (error instanceof Interrupted) {
            process.stderr.write(
                `${error.message} was stopped. The next deploy goes on from there.\n`,
            );
            process.exit(interruptedExitCode);
        }
        if (error instanceof TimescaleError && error.code === "operation_refused") {
            process.stderr.write(`${colours.red("refused")}: ${explain(error)}\n`);
            process.exit(2);
        }
        failed(error);
    },
);
