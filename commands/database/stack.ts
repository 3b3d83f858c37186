/** The database of a stack: one that `npm start` made, or one of the plain CLI. */
import type { Target } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { openEmbedded } from "../embedded/server";
import type { Engine } from "../engine";
import { withStep } from "../progress";
import { runOnStack } from "../start/engineRun";
import { findEngine } from "../start/session";
import { openStack } from "../start/stack";
import { rememberedTarget, stacksHere, targetHere } from "../start/target";
import { embeddedDataFolder, type Workspace, workspaceIn } from "../start/workspace";
import { configCommand, type Overrides, overridesIn } from "./overrides";

export interface OpenDatabase {
    readonly connection: Connection;
    /** Qualified names of the aggregates that the stack declares; undefined where its outputs do not tell. */
    readonly aggregates?: readonly string[] | undefined;
    /** What the stack declares otherwise, by its config as it is now; undefined: there is no stack to ask. */
    readonly overrides?: (() => Promise<Overrides>) | undefined;
    /** Closes the embedded server, where it was opened for this. */
    readonly close: () => Promise<void>;
}

/** Which of the stack's logins: the outputs of the program, by name. */
export type Login = "connection" | "writer" | "reader";

/**
 * Reads the stack's outputs; takes no lock on its state and changes nothing in it.
 *
 * @param asked a target of `npm start`, a stack that `npm run deploy` has named, or the name of a stack of the plain CLI,
 *     looked for with the environment's backend and passphrase; undefined: the stack that `npm start` remembers
 * @param login `connection` is the owner
 * @param known the engine, where it has been found already
 * @throws TimescaleError when there is no such stack, or nothing stands in it
 */
export async function stackDatabase(
    root: string,
    asked: string | undefined,
    login: Login = "connection",
    known?: Engine,
): Promise<OpenDatabase> {
    const workspace = workspaceIn(root);
    const name = asked ?? rememberedTarget(workspace);
    if (name === undefined) throw noStack("npm start has made no stack here");
    const started = targetHere(workspace, name);
    if (started === undefined && asked === undefined) throw noStack(`there is no stack ${name}`);
    const engine = known ?? (await findEngine());
    const pulumi =
        started === undefined
            ? plainPulumi(workspace, name, engine)
            : await startedPulumi(workspace, started, name, engine);
    const { connection, aggregates } = await withStep(`reading stack ${name}`, async (step) => {
        const text = await pulumi(outputCommand);
        const told = JSON.parse(text) as Partial<Record<Login, Connection>> &
            Pick<OpenDatabase, "aggregates">;
        const found = told[login];
        if (found === undefined) {
            throw new TimescaleError(`stack ${name} is not finished`, {
                code: "no_stack",
                detail: `it has no output named ${login}: nothing was deployed yet, or its last up did not come to its end`,
                hint: `run ${commandOf(name, started)}, which goes on where it stopped`,
            });
        }
        step.done(`stack ${name}: ${found.database} at ${found.host}:${found.port}`);
        return { connection: found, aggregates: told.aggregates };
    });
    const overrides = async (): Promise<Overrides> =>
        overridesIn(name, await pulumi(configCommand));
    const found = { connection, aggregates, overrides };
    if (started !== "embedded") return { ...found, close: () => Promise.resolve() };
    const server = await openEmbedded({
        directory: embeddedDataFolder(workspace),
        port: connection.port,
        database: connection.database,
        report: () => undefined,
    });
    return {
        ...found,
        connection: { ...connection, port: server.port },
        close: () => server.close(),
    };
}

function commandOf(name: string, started: Target | undefined): string {
    if (started === undefined) return "pulumi up";
    return name === started ? "npm start" : "npm run deploy";
}

const outputCommand = ["stack", "output", "--json", "--show-secrets"];

type Pulumi = (args: readonly string[]) => Promise<string>;

async function startedPulumi(
    workspace: Workspace,
    target: Target,
    name: string,
    engine: Engine,
): Promise<Pulumi> {
    const nothing = (): Promise<void> => Promise.resolve();
    const never = new AbortController().signal;
    return (await openStack(workspace, target, engine, nothing, never, name)).pulumi;
}

function plainPulumi(workspace: Workspace, name: string, engine: Engine): Pulumi {
    return async (args) => {
        const place = { cwd: workspace.root };
        const { stdout, stderr, failure, summary } = await runOnStack(engine, name, args, place);
        if (failure === undefined) return stdout;
        throw new TimescaleError(`stack ${name} cannot be read`, {
            code: "no_stack",
            detail: stderr || (summary ?? failure),
            hint: `made here: ${stacksHere(workspace).join(", ") || "none"}; for one of the plain CLI log in to its backend (PULUMI_BACKEND_URL) and give its passphrase (PULUMI_CONFIG_PASSPHRASE)`,
        });
    };
}

function noStack(message: string): TimescaleError {
    return new TimescaleError(message, {
        code: "no_stack",
        detail: "without --db-host, --db-port, --db-name and --db-user the connection comes from the stack of npm start",
        hint: "run npm start first, or say which database is meant, such as --db-host localhost --db-name observatory",
    });
}
