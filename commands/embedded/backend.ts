/**
 * The database as its owner thread sees it: one session, one statement at a time, answers in the
 * order of the requests.
 */
import path from "node:path";
import { Worker } from "node:worker_threads";

export interface BackendOptions {
    readonly directory: string | undefined;
    readonly database: string;
}

export type BackendRequest =
    | { readonly kind: "execute"; readonly id: number; readonly message: Uint8Array }
    | {
          readonly kind: "query";
          readonly id: number;
          readonly sql: string;
          /** Without them, `sql` may hold several statements. */
          readonly parameters: readonly unknown[] | undefined;
      }
    | { readonly kind: "close"; readonly id: number };

export type BackendAnswer =
    | { readonly kind: "report"; readonly text: string }
    | { readonly kind: "open" }
    | { readonly kind: "failed"; readonly message: string }
    | { readonly kind: "executed"; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
    | {
          readonly kind: "queried";
          readonly id: number;
          readonly rows: readonly Row[];
      }
    | { readonly kind: "closed"; readonly id: number }
    | {
          readonly kind: "refused";
          readonly id: number;
          readonly code: string;
          readonly message: string;
          readonly fields: RefusalFields;
      };

export type Row = Readonly<Record<string, unknown>>;

/** What else a refusal says, by the names of the TimescaleDB catalog's `error_data`. */
export type RefusalFields = Readonly<Record<string, string>>;

export interface Backend {
    /** Resolves when the database is open; requests sent earlier are answered then. */
    readonly open: Promise<void>;
    /** Sends protocol messages and returns the protocol's answer, errors included. */
    execute(message: Uint8Array): Promise<Uint8Array>;
    /** Runs SQL and returns the last statement's rows; throws what the server refuses. */
    query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
    close(): Promise<void>;
    /** Ends the thread without closing the database, as a crash would. */
    terminate(): Promise<void>;
    /** Resolves when the thread has ended without being asked to. */
    readonly crashed: Promise<Error>;
}

/** What the server answered to a statement of `query`. */
export class BackendRefusal extends Error {
    constructor(
        readonly code: string,
        message: string,
        readonly fields: RefusalFields,
    ) {
        super(message);
    }
}

/** The thread has ended, so nothing can be asked of it. */
export class BackendEnded extends Error {}

interface Waiter {
    readonly resolve: (answer: BackendAnswer) => void;
    readonly reject: (error: Error) => void;
}

/** Starts the worker thread. */
export function startBackend(options: BackendOptions, report: (text: string) => void): Backend {
    const worker = new Worker(path.join(__dirname, "backend.worker.cjs"), { workerData: options });
    const waiting = new Map<number, Waiter>();
    let nextId = 1;
    let ended = false;

    const fail = (error: Error) => {
        ended = true;
        for (const waiter of waiting.values()) waiter.reject(error);
        waiting.clear();
    };

    const request = (build: (id: number) => BackendRequest): Promise<BackendAnswer> =>
        new Promise((resolve, reject) => {
            if (ended) {
                reject(new BackendEnded("the embedded database has ended"));
                return;
            }
            const id = nextId++;
            waiting.set(id, { resolve, reject });
            worker.postMessage(build(id));
        });

    const crashed = new Promise<Error>((resolve) => {
        const crash = (error: Error) => {
            if (!ended) resolve(error);
            fail(new BackendEnded(error.message));
        };
        worker.on("error", (error) => crash(error));
        worker.on("exit", () => crash(new Error("the embedded database ended unexpectedly")));
        worker.on("message", (answer: BackendAnswer) => {
            if (answer.kind === "failed") {
                crash(new Error(answer.message));
                return;
            }
            if (!("id" in answer)) return;
            const waiter = waiting.get(answer.id);
            waiting.delete(answer.id);
            if (answer.kind === "refused") {
                waiter?.reject(new BackendRefusal(answer.code, answer.message, answer.fields));
            } else {
                waiter?.resolve(answer);
            }
        });
    });

    const open = new Promise<void>((resolve, reject) => {
        worker.on("message", (answer: BackendAnswer) => {
            if (answer.kind === "report") report(answer.text);
            if (answer.kind === "open") resolve();
        });
        crashed.then(reject, reject);
    });

    return {
        open,
        crashed,
        execute: async (message) => {
            const answer = await request((id) => ({ kind: "execute", id, message }));
            if (answer.kind !== "executed") throw new Error(`unexpected answer: ${answer.kind}`);
            return answer.bytes;
        },
        query: async (sql, parameters) => {
            const answer = await request((id) => ({ kind: "query", id, sql, parameters }));
            if (answer.kind !== "queried") throw new Error(`unexpected answer: ${answer.kind}`);
            return answer.rows;
        },
        close: async () => {
            const closed = request((id) => ({ kind: "close", id }));
            ended = true;
            await closed;
            await worker.terminate();
        },
        terminate: async () => {
            fail(new BackendEnded("the embedded database has ended"));
            await worker.terminate();
        },
    };
}
