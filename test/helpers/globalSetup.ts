/**
 * Jest's global setup of the suites that need a database: starts the servers once per run and says
 * what the run works on. Test workers find them through an environment variable.
 */
import { explain, TimescaleError } from "../../components/timescale/core/errors";
import { serversVariable, type StartedServers, startServers } from "./servers";

/** Kept for `globalTeardown.ts`, which runs in the same process. */
declare global {
    var startedTestServers: StartedServers | undefined;
}

export default async function globalSetup(): Promise<void> {
    const started = await start();
    globalThis.startedTestServers = started;
    process.env[serversVariable] = started.file;
    const lines = [
        ...started.servers.map(({ name }) => `database: ${name}`),
        ...(started.servers.length > 1 ? [] : started.missing.map((why) => `not here: ${why}`)),
    ];
    process.stderr.write(`${lines.join("\n")}\n`);
}

/** Jest prints only the stack of what a global setup throws. */
async function start(): Promise<StartedServers> {
    try {
        return await startServers((text) => process.stderr.write(`${text}\n`));
    } catch (error) {
        if (error instanceof TimescaleError) process.stderr.write(`${explain(error)}\n`);
        throw error;
    }
}
