/** `npm run deploy`: the Observatory into a database that exists, by a real `pulumi up`; or what that would do; or back. */
import { dirname } from "node:path";

import type { Connection } from "../components/timescale/core/connection/connection";
import { inspectServer } from "../components/timescale/core/connection/server";
import { type Session, withSession } from "../components/timescale/core/connection/session";
import { explain, TimescaleError } from "../components/timescale/core/errors";
import { withPassword } from "./database/password";
import { alone } from "./deploy/alone";
import { dryRun } from "./deploy/dryRun";
import { type DeployOptions, parseOptions } from "./deploy/options";
import { type Place, placeOf, withCopy } from "./deploy/place";
import { compared, prepare } from "./deploy/prepare";
import { checkRollback, takeBack } from "./deploy/rollback";
import { tell, titleOf } from "./deploy/tell";
import { failed } from "./ending";
import { colours, withStep } from "./progress";
import { bringUp } from "./start/bringUp";
import { forgetForeignSettings } from "./start/foreignSettings";
import { listenForInterrupts } from "./start/interrupts";
import { bindToReview } from "./start/reviewedFile";
import { findEngine } from "./start/session";
import { checkStanding } from "./start/standing";
import { lockWorkspace } from "./start/startLock";
import { type Workspace, workspaceIn } from "./start/workspace";
import { verifyDatabase } from "./verify/command";
import { exitCodeOf } from "./verify/result";

const interrupts = listenForInterrupts();

type ExitCode = 0 | 1 | 2;

async function main(): Promise<ExitCode> {
    const options = parseOptions(process.argv.slice(2), process.env);
    bindToReview(process.env);
    const workspace = workspaceIn(dirname(__dirname));
    const connection =
        options.server === undefined
            ? undefined
            : await connectFirst(await withPassword(options.server, process.env));
    const place = placeOf(workspace, connection, options.stack);
    if (options.rollback) await checkRollback(workspace, place, options);
    // After the database has been read, which they may name.
    forgetForeignSettings();
    const release = await withStep("starting", async (step) => {
        const held = await lockWorkspace(workspace, step.report);
        step.done(`LLM Observatory: ${titleOf(place)}`);
        return held;
    });
    try {
        if (options.dryRun) {
            return await withCopy(workspace, place, (copy) => dryRun(workspace, copy, place, options, interrupts)); // prettier-ignore
        }
        if (connection === undefined) return await work(workspace, place, options);
        return await withSession(connection, (session) =>
            alone(session, () => work(workspace, place, options, session)),
        );
    } finally {
        await release();
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
    const { prepared, close } = await prepare(workspace, place, engine, interrupts);
    try {
        if (options.rollback) return await takeBack(place, prepared, options, interrupts);
        const { summary, outputs } = await bringUp(prepared, interrupts);
        const picture = await checkStanding(prepared, outputs);
        const { schema, slaTargets, policies, helpers } = prepared.config;
        const results = options.test
            ? await verifyDatabase(
                  outputs.owner,
                  { schema, slaTargets, policies, helpers },
                  interrupts,
              )
            : undefined;
        tell({ workspace, place, options, summary, picture, results });
        return results === undefined || exitCodeOf(results) === 0 ? 0 : 1;
    } finally {
        await close();
    }
}

function refused(refusals: readonly TimescaleError[]): 2 {
    for (const refusal of refusals) {
        process.stderr.write(`${colours.red("refused")}: ${explain(refusal)}\n`);
    }
    process.stderr.write("Nothing was changed.\n");
    return 2;
}

main().then(
    (code) => process.exit(code),
    (error: unknown) => {
        if (error instanceof TimescaleError && error.code === "operation_refused") {
            process.stderr.write(`${colours.red("refused")}: ${explain(error)}\n`);
            process.exit(2);
        }
        failed(error);
    },
);
