/** The database of the stack that `npm start` made. */
import { existsSync } from "node:fs";

import type { Target } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { openEmbedded } from "../embedded/server";
import { withStep } from "../progress";
import { findEngine } from "../start/session";
import { openStack } from "../start/stack";
import { rememberedTarget } from "../start/target";
import { embeddedDataFolder, stackConfigFile, workspaceIn } from "../start/workspace";

export interface StackDatabase {
    /** As the owner. */
    readonly connection: Connection;
    /** Closes the embedded server, where it was opened for this. */
    readonly close: () => Promise<void>;
}

/**
 * Reads the stack's outputs; takes no lock on its state and changes nothing in it.
 *
 * @throws TimescaleError when there is no such stack, or nothing stands in it
 */
export async function stackDatabase(
    root: string,
    asked: Target | undefined,
): Promise<StackDatabase> {
    const workspace = workspaceIn(root);
    const target = asked ?? rememberedTarget(workspace);
    if (target === undefined || !existsSync(stackConfigFile(workspace, target))) {
        throw new TimescaleError(
            target === undefined
                ? "npm start has made no stack here"
                : `there is no stack ${target}`,
            {
                code: "no_stack",
                detail: "without --db-host, --db-port, --db-name and --db-user the connection comes from the stack of npm start",
                hint: "run npm start first, or say which database is meant, such as --db-host localhost --db-name observatory",
            },
        );
    }
    const engine = await findEngine();
    const connection = await withStep(`reading stack ${target}`, async (step) => {
        const nothing = (): Promise<void> => Promise.resolve();
        const stack = await openStack(
            workspace,
            target,
            engine,
            nothing,
            new AbortController().signal,
        );
        const text = await stack.pulumi(["stack", "output", "--json", "--show-secrets"]);
        const { connection } = JSON.parse(text) as { readonly connection?: Connection };
        if (connection === undefined) {
            throw new TimescaleError(`nothing stands in stack ${target}`, {
                code: "no_stack",
                detail: "it has no output named connection",
                hint: "run npm start first",
            });
        }
        step.done(
            `stack ${target}: ${connection.database} at ${connection.host}:${connection.port}`,
        );
        return connection;
    });
    if (target !== "embedded") return { connection, close: () => Promise.resolve() };
    const server = await openEmbedded({
        directory: embeddedDataFolder(workspace),
        port: connection.port,
        database: connection.database,
        report: () => undefined,
    });
    return {
        connection: { ...connection, port: server.port },
        close: () => server.close(),
    };
}
