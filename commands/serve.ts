/**
 * `npm run serve`: keeps the embedded database up until Ctrl-C, for the plain Pulumi CLI and for
 * any PostgreSQL client, and runs the jobs of policies on their schedule.
 */
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { describeEvent, isNotable, type JobEvent } from "./embedded/jobs/events";
import {
    embeddedDirectory,
    embeddedPort,
    type EmbeddedServer,
    openEmbedded,
} from "./embedded/server";
import { endWith } from "./ending";

interface ServeOptions {
    readonly port: number;
    readonly directory: string;
    /** False with `--no-jobs`. */
    readonly jobs: boolean;
    readonly verbose: boolean;
}

function parsePort(text: string): number {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > 65535) {
        throw new InvalidArgumentError("a port is a whole number from 0 (any free one) to 65535");
    }
    return port;
}

function describeServer(
    server: EmbeddedServer,
    { directory, jobs }: Pick<ServeOptions, "directory" | "jobs">,
): string {
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
        server.owned &&
            `  jobs      ${
                jobs
                    ? "refresh, retention and compression policies run on their schedule"
                    : "none runs by itself (--no-jobs)"
            }`,
        !server.owned && `  jobs      run only if that process is \`npm run serve\``,
    ]
        .filter(Boolean)
        .join("\n");
}

async function serve({ port, directory, jobs, verbose }: ServeOptions): Promise<void> {
    const report = (text: string) => process.stderr.write(`${pc.dim(text)}\n`);
    const log = (event: JobEvent) => {
        if (verbose || isNotable(event)) process.stderr.write(`${line(event)}\n`);
    };
    const onJob = jobs ? log : undefined;
    const server = await openEmbedded({ directory, port, report, onJob });
    process.stdout.write(`${describeServer(server, { directory, jobs })}\n`);
    if (!server.owned) return;
    process.stdout.write(`Press Ctrl-C to stop.\n`);

    let stopping = false;
    const stop = () => {
        if (stopping) return;
        stopping = true;
        report("closing the database; what runs has three seconds to end");
        void server.close();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    const failure = await server.ended;
    if (failure !== undefined) throw failure;
}

/** With the local time, as the log is read beside others. */
function line(event: JobEvent): string {
    const time = new Date().toTimeString().slice(0, 8);
    const text = describeEvent(event);
    return `${pc.dim(time)} ${event.kind === "succeeded" ? text : pc.yellow(text)}`;
}

const command = new Command("serve")
    .description("keep the embedded database up until Ctrl-C, and run its jobs on their schedule")
    .option("--port <port>", "TCP port on 127.0.0.1, 0 for any free one", parsePort, embeddedPort)
    .option("--directory <path>", "data folder, created when it is missing", embeddedDirectory)
    .option("--no-jobs", "run no policy and no other job by itself")
    .option("--verbose", "log every run of a job, not only failures", false)
    .action(serve);

endWith(command.parseAsync());
