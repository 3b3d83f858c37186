/** The database of a stack: one that `npm start` made, or one of the plain CLI. */
import { existsSync } from "node:fs";

import { type Target, targets } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { openEmbedded } from "../embedded/server";
import type { Engine } from "../engine";
import { withStep } from "../progress";
import { pathFor } from "../start/interruptible";
import { findEngine } from "../start/session";
import { openStack } from "../start/stack";
import { rememberedTarget } from "../start/target";
import {
    embeddedDataFolder,
    stackConfigFile,
    type Workspace,
    workspaceIn,
} from "../start/workspace";

export interface OpenDatabase {
    readonly connection: Connection;
    /** Qualified names of the aggregates that the stack declares; undefined where its outputs do not tell. */
    readonly aggregates?: readonly string[] | undefined;
    /** Closes the embedded server, where it was opened for this. */
    readonly close: () => Promise<void>;
}

/** Which of the stack's logins: the outputs of the program, by name. */
export type Login = "connection" | "writer" | "reader";

/**
 * Reads the stack's outputs; takes no lock on its state and changes nothing in it.
 *
 * @param asked a target of `npm start`, or the name of a stack of the plain CLI, looked for with the environment's
 *     backend and passphrase; undefined: the stack that `npm start` remembers
 * @param login `connection` is the owner
 * @throws TimescaleError when there is no such stack, or nothing stands in it
 */
export async function stackDatabase(
    root: string,
    asked: string | undefined,
    login: Login = "connection",
): Promise<OpenDatabase> {
    const workspace = workspaceIn(root);
    const name = asked ?? rememberedTarget(workspace);
    if (name === undefined) throw noStack("npm start has made no stack here");
    const started = targets.find(
        (target) => target === name && existsSync(stackConfigFile(workspace, target)),
    );
    if (started === undefined && asked === undefined) throw noStack(`there is no stack ${name}`);
    const engine = await findEngine();
    const { connection, aggregates } = await withStep(`reading stack ${name}`, async (step) => {
        const text =
            started === undefined
                ? await plainOutputs(root, name, engine)
                : await outputs(workspace, started, engine);
        const told = JSON.parse(text) as Partial<Record<Login, Connection>> &
            Pick<OpenDatabase, "aggregates">;
        const found = told[login];
        if (found === undefined) {
            throw new TimescaleError(`nothing stands in stack ${name}`, {
                code: "no_stack",
                detail: `it has no output named ${login}`,
                hint: started === undefined ? "run pulumi up first" : "run npm start first",
            });
        }
        step.done(`stack ${name}: ${found.database} at ${found.host}:${found.port}`);
        return { connection: found, aggregates: told.aggregates };
    });
    if (started !== "embedded") return { connection, aggregates, close: () => Promise.resolve() };
    const server = await openEmbedded({
        directory: embeddedDataFolder(workspace),
        port: connection.port,
        database: connection.database,
        report: () => undefined,
    });
    return {
        connection: { ...connection, port: server.port },
        aggregates,
        close: () => server.close(),
    };
}

const outputCommand = ["stack", "output", "--json", "--show-secrets"];

async function outputs(workspace: Workspace, target: Target, engine: Engine): Promise<string> {
    const nothing = (): Promise<void> => Promise.resolve();
    const never = new AbortController().signal;
    const stack = await openStack(workspace, target, engine, nothing, never);
    return stack.pulumi(outputCommand);
}

/** As the plain CLI would, in the program's folder: backend and secrets provider are the environment's. */
async function plainOutputs(root: string, name: string, engine: Engine): Promise<string> {
    const { execa } = await import("execa");
    const { command } = engine.command;
    const result = await execa(command, [...outputCommand, "--stack", name, "--non-interactive"], {
        cwd: root,
        env: { PATH: pathFor(command), PULUMI_SKIP_UPDATE_CHECK: "true" },
        stdin: "ignore",
        reject: false,
    });
    if (!result.failed) return result.stdout;
    throw new TimescaleError(`stack ${name} cannot be read`, {
        code: "no_stack",
        detail: result.stderr.trim() || result.shortMessage || "it said nothing",
        hint: `npm start has stacks ${targets.join(", ")}, once they are made; for one of the plain CLI log in to its backend (PULUMI_BACKEND_URL) and give its passphrase (PULUMI_CONFIG_PASSPHRASE)`,
    });
}

function noStack(message: string): TimescaleError {
    return new TimescaleError(message, {
        code: "no_stack",
        detail: "without --db-host, --db-port, --db-name and --db-user the connection comes from the stack of npm start",
        hint: "run npm start first, or say which database is meant, such as --db-host localhost --db-name observatory",
    });
}
