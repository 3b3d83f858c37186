/**
 * Keeps the search path of the one session as it was before a statement that fails. In this build a refresh that fails
 * leaves behind the one that it works with, and then nobody finds a table any more. What happens in a transaction the
 * server undoes by itself.
 *
 * The path is asked for in one round trip with what follows, and by a statement with a name: one without would take the
 * place of the client's.
 */
import { escapeLiteral } from "pg";

import type { Backend } from "./backend";
import { message, messagesOf, readyStatus, sync } from "./wire";

export interface SearchPathKeeper {
    /** Sends a client's piece; `idle` says that it begins outside a transaction, and not in the middle of a query. */
    execute(piece: Uint8Array, idle: boolean): Promise<Uint8Array>;
    /** Whatever becomes of the work, the path is then as it was. */
    around(work: () => Promise<void>): Promise<void>;
}

export function keepSearchPath(backend: Pick<Backend, "execute">): SearchPathKeeper {
    let before: string | undefined;
    let failed = false;

    const read = async (): Promise<string | undefined> => firstValue(await backend.execute(ask));
    const restore = async (path: string | undefined): Promise<void> => {
        if (path === undefined || (await read()) === path) return;
        await backend.execute(
            once(`SELECT set_config('search_path', ${escapeLiteral(path)}, false)`),
        );
    };

    return {
        execute: async (piece, idle) => {
            let answer: Uint8Array;
            if (idle) {
                const both = await backend.execute(Buffer.concat([ask, piece]));
                const end = endOfAnswer(both);
                before = firstValue(both.subarray(0, end));
                failed = false;
                answer = both.subarray(end);
            } else {
                answer = await backend.execute(piece);
            }
            failed ||= messagesOf(answer).some(({ type }) => type === "E");
            const status = readyStatus(answer);
            if (status === "transaction" || status === "failed") before = undefined;
            if (status === "idle" && failed) await restore(before);
            return answer;
        },
        around: async (work) => {
            const path = await read();
            try {
                await work();
            } finally {
                await restore(path);
            }
        },
    };
}

const name = "observatory_search_path\0";

/** A statement that leaves nothing behind. */
function once(sql: string): Buffer {
    return Buffer.concat([
        message("P", Buffer.concat([Buffer.from(`${name}${sql}\0`), Buffer.alloc(2)])),
        // The portal without a name, no parameters, results as text.
        message("B", Buffer.concat([Buffer.from(`\0${name}`), Buffer.alloc(6)])),
        message("E", Buffer.concat([Buffer.from("\0"), Buffer.alloc(4)])),
        message("C", `S${name}`),
        sync(),
    ]);
}

const ask = once("SHOW search_path");

/** Where the first ReadyForQuery ends. */
function endOfAnswer(bytes: Uint8Array): number {
    return messagesOf(bytes).find(({ type }) => type === "Z")?.end ?? bytes.length;
}

/** The first column of the first row. */
function firstValue(bytes: Uint8Array): string | undefined {
    const row = messagesOf(bytes).find(({ type }) => type === "D")?.body;
    if (row === undefined) return undefined;
    return row.toString("utf8", 6, 6 + row.readInt32BE(2));
}
