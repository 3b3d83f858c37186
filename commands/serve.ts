/**
 * `npm run serve`: keeps the embedded database up until Ctrl-C, for the plain Pulumi CLI and for
 * any PostgreSQL client.
 */
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { explain, TimescaleError } from "../components/timescale/core/errors";
import {
    embeddedDirectory,
    embeddedPort,
    type EmbeddedServer,
    openEmbedded,
} from "./embedded/server";

interface ServeOptions {
    readonly port: number;
    readonly directory: string;
}

function parsePort(text: string): number {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > 65535) {
        throw new InvalidArgumentError("a port is a whole number from 0 (any free one) to 65535");
    }
    return port;
}

function describeServer(server: EmbeddedServer, directory: string): string {
    const { host, port, database, pid } = server;
    const psql = `psql -h ${host} -p ${port} -U observatory_reader ${database}`;
    return [
        server.owned
            ? `${pc.green("serving")} TimescaleDB (embedded) on ${pc.bold(`${host}:${port}`)}`
            : `process ${pid} already serves this database on ${pc.bold(`${host}:${port}`)}`,
        `  data      ${directory}`,
        `  connect   ${psql}`,
        `  roles     observatory_owner, observatory_writer, observatory_reader; postgres is the superuser`,
        `            passwords are not checked; only this machine reaches the port`,
    ].join("\n");
}

async function serve({ port, directory }: ServeOptions): Promise<void> {
    const report = (text: string) => process.stderr.write(`${pc.dim(text)}\n`);
    const server = await openEmbedded({ directory, port, report });
    process.stdout.write(`${describeServer(server, directory)}\n`);
    if (!server.owned) return;
    process.stdout.write(`Press Ctrl-C to stop.\n`);

    const stop = () => {
        report("closing the database");
        void server.close();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    const failure = await server.ended;
    if (failure !== undefined) throw failure;
}

const command = new Command("serve")
    .description("keep the embedded database up until Ctrl-C")
    .option("--port <port>", "TCP port on 127.0.0.1, 0 for any free one", parsePort, embeddedPort)
    .option("--directory <path>", "data folder, created when it is missing", embeddedDirectory)
    .action(serve);

command.parseAsync().catch((error: unknown) => {
    const text = error instanceof TimescaleError ? explain(error) : String(error);
    process.stderr.write(`${pc.red("error:")} ${text}\n`);
    process.exitCode = 1;
});
