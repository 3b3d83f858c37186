/** The login's password: from the environment, a pgpass file or a terminal; never from arguments. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

import pgpass from "pgpass";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { withSession } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";

type Server = Omit<Connection, "password">;

/** Undefined where neither the environment nor a pgpass file has one. */
export async function storedPassword(
    server: Server,
    environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
    const given = environment["PGPASSWORD"];
    if (given !== undefined && given !== "") return given;
    // As libpq has it, an empty variable is an unset one; to the package it would be a password.
    if (process.env["PGPASSWORD"] === "") Reflect.deleteProperty(process.env, "PGPASSWORD");
    return new Promise((resolve) => pgpass(server, resolve));
}

/**
 * The connection with its password. Where none is stored, the server is asked whether it wants one;
 * only then is the person asked.
 *
 * @throws TimescaleError when the server cannot be reached, or wants one and there is nobody to ask
 */
export async function withPassword(
    server: Server,
    environment: NodeJS.ProcessEnv,
): Promise<Connection> {
    const stored = await storedPassword(server, environment);
    if (stored !== undefined) return { ...server, password: stored };
    const without = { ...server, password: "" };
    try {
        await withSession(without, () => Promise.resolve());
        return without;
    } catch (error) {
        if (!(error instanceof TimescaleError) || !asksForPassword(error)) throw error;
        if (!process.stdin.isTTY || !process.stderr.isTTY) {
            throw new TimescaleError(error.message, {
                code: error.code,
                detail: "PGPASSWORD is not set, no line of a pgpass file fits, and there is no terminal to ask on",
                hint: "set PGPASSWORD, or add a line host:port:database:user:password to ~/.pgpass",
                cause: error,
            });
        }
    }
    return { ...server, password: await ask(`Password of ${server.user}: `) };
}

function asksForPassword({ code }: TimescaleError): boolean {
    return code === "password_missing" || code === "28P01";
}

/** What is typed is not shown. */
async function ask(question: string): Promise<string> {
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
    // Not before: the terminal itself shows what comes until then.
    process.stderr.write(question);
    try {
        return await new Promise((resolve, reject) => {
            terminal.once("line", resolve);
            terminal.once("SIGINT", () => reject(new TimescaleError("no password was given")));
            terminal.once("close", () => reject(new TimescaleError("no password was given")));
        });
    } finally {
        terminal.close();
        process.stderr.write("\n");
    }
}
