/**
 * The process that owns one embedded database: its lock, its port and the thread that runs it.
 * It lives as long as the process that started it, and closes the database before it ends.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";
import { type Backend, startBackend } from "./backend";
import { checkFolder } from "./folderCheck";
import { declareJobs } from "./jobs/declare";
import { type Scheduler, startScheduler } from "./jobs/scheduler";
import { listen, type Listener, loopback } from "./listener";
import { askOwner, lockFolder, readOwner, removeOwner, writeOwner } from "./ownership";
import type { ChildMessage, ChildOptions } from "./server";
import { createTurns } from "./turns";

/** A statement that still runs after this time is cut off; recovery undoes it at the next start. */
const closeMilliseconds = 3000;

let listener: Listener | undefined;
let backend: Backend | undefined;
let release: (() => Promise<void>) | undefined;
let scheduler: Scheduler | undefined;
let opened = false;
let ending = false;

const options = JSON.parse(process.argv[2] ?? "{}") as ChildOptions;

function tell(message: ChildMessage): void {
    if (process.connected) process.send?.(message);
}

async function main(): Promise<void> {
    const { directory, port, database, jobs } = options;
    if (directory !== undefined) {
        checkFolder(directory, database);
        fs.mkdirSync(path.dirname(directory), { recursive: true });
        release = await lockFolder(directory, (error) => void end(1, lostLock(directory, error)));
        if (release === undefined) {
            tell({ kind: "locked" });
            await end(0);
            return;
        }
        await refuseSecondOwner(directory);
    }

    const id = randomUUID();
    try {
        listener = await listen(port, id);
    } catch (error) {
        throw portError(port, error);
    }
    if (directory !== undefined) {
        const { pid } = process;
        writeOwner(directory, { id, pid, host: loopback, port: listener.port, database });
    }

    backend = startBackend({ directory, database }, (text) => tell({ kind: "report", text }));
    await backend.open;
    opened = true;
    void backend.crashed.then((error) => end(1, crashError(error)));
    await declareJobs(backend, database, jobs);
    const turns = await createTurns(backend);
    listener.serve(turns, database);
    tell({ kind: "ready", port: listener.port });
    if (jobs) scheduler = startScheduler(turns, (event) => tell({ kind: "job", event }));
}

/** Closes what is open, in the order that keeps the data whole, and ends the process. */
async function end(code: number, error?: TimescaleError): Promise<void> {
    if (ending) return;
    ending = true;
    if (error !== undefined) {
        const { message, code: errorCode, detail, hint } = error;
        tell({ kind: "failed", error: { message, code: errorCode, detail, hint } });
    }
    const late = setTimeout(() => cutOff(code), closeMilliseconds);
    try {
        await listener?.close("terminating connection because the embedded server is closing");
        await scheduler?.stop();
        // A data folder that is being created is not worth waiting for: it is built again.
        await (opened ? backend?.close() : backend?.terminate());
    } catch (closeError) {
        // Only a thread that has crashed already refuses to close; the crash was told above.
        process.stderr.write(`${String(closeError)}\n`);
    }
    if (options.directory !== undefined && release !== undefined) removeOwner(options.directory);
    await release?.();
    clearTimeout(late);
    process.exit(code);
}

/** Ends the process although a statement runs. */
function cutOff(code: number): void {
    const job = scheduler?.running();
    if (job === undefined || !process.connected) process.exit(code);
    process.send?.({ kind: "job", event: { kind: "cutOff", job } } satisfies ChildMessage, () =>
        process.exit(code),
    );
}

async function refuseSecondOwner(directory: string): Promise<void> {
    const owner = readOwner(directory);
    if (owner === undefined) return;
    const state = await askOwner(owner);
    if (state === "gone") {
        removeOwner(directory);
        return;
    }
    throw new TimescaleError("another process has the embedded database open", {
        code: "data_folder_in_use",
        detail: `process ${owner.pid} serves "${directory}" on port ${owner.port}${
            state === "silent" ? ", but it does not answer" : ""
        }`,
        hint: `continue that process if it is stopped (kill -CONT ${owner.pid}), or end it`,
    });
}

function portError(port: number, error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES") return error;
    return new TimescaleError(`cannot listen on port ${port}`, {
        code: "port_unavailable",
        detail:
            code === "EADDRINUSE"
                ? `another program listens on ${loopback}:${port}`
                : `the system does not let this user listen on ${loopback}:${port}`,
        hint: "end that program, or choose another port",
        cause: error,
    });
}

function crashError(error: Error): TimescaleError {
    return new TimescaleError("the embedded database has crashed", {
        code: "embedded_crashed",
        detail: error.message,
        hint: "start it again; what was committed is still there",
        cause: error,
    });
}

function lostLock(directory: string, error: Error): TimescaleError {
    return new TimescaleError("the embedded server lost the lock of its data folder", {
        code: "data_folder_lost",
        detail: `${directory}.lock: ${error.message}`,
        hint: "start it again",
        cause: error,
    });
}

// The process that started this one asks it to end, or has ended itself and closed the channel.
process.on("message", () => void end(0));
process.on("disconnect", () => void end(0));
process.on("SIGTERM", () => void end(0));
process.on("SIGINT", () => void end(0));

main().catch((error: unknown) =>
    end(
        1,
        error instanceof TimescaleError
            ? error
            : new TimescaleError("the embedded database could not be opened", {
                  code: "embedded_not_opened",
                  detail: error instanceof Error ? error.message : String(error),
                  cause: error,
              }),
    ),
);
