/**
 * Makes a login's declared password the one that the server has: through the password that worked
 * before, or through the local socket of the container that the server runs in.
 */
import { randomBytes } from "node:crypto";

import type { Connection } from "../connection/connection";
import { serverError } from "../connection/serverErrors";
import { type ConnectOptions, withSession } from "../connection/session";
import { TimescaleError } from "../errors";
import { noWayIn, passwordStatement } from "./plan";
import { scramVerifier } from "./scram";
import { throughSocket } from "./socket";

export interface Admission {
    readonly connection: Connection;
    /** What was declared at the last up; undefined: nothing is known. */
    readonly previous: Connection | undefined;
    /** Name of the Docker container of the server. */
    readonly container: string | undefined;
    readonly onStatus: (text: string) => void;
    /** Before the password is changed. @throws to leave it as it is */
    readonly onChange: () => void;
}

/** A container that was just started may not answer for a while, in milliseconds. */
const patience = 20_000;

/**
 * Does nothing where the declared password works.
 *
 * @throws TimescaleError `password_refused` when nobody gets in
 */
export async function admit(admission: Admission): Promise<void> {
    const { connection, onStatus, onChange } = admission;
    const options = { patience, onWait: onStatus };
    if (await worksWith(connection, options)) return;
    onChange();
    const { user } = connection;
    const { name, sql } = passwordStatement(
        user,
        scramVerifier(connection.password, randomBytes(16)),
    );
    const previous = sameLogin(admission.previous, connection);
    if (previous !== undefined) {
        onStatus(`changing the password of ${user} with the one before`);
        const done = await unlessRefused(() =>
            withSession(previous, ({ client }) =>
                client.query(sql).then(undefined, (error: unknown) => {
                    throw serverError(error, { statement: name, object: `role ${user}` });
                }),
            ),
        );
        if (done) return;
    }
    let socket: string | undefined;
    if (admission.container !== undefined) {
        onStatus(`changing the password of ${user} inside container ${admission.container}`);
        socket = await throughSocket(admission.container, user, sql);
        if (socket === undefined) return;
    }
    throw noWayIn(connection, previous !== undefined, admission.container, socket);
}

function worksWith(connection: Connection, options: ConnectOptions): Promise<boolean> {
    return unlessRefused(() => withSession(connection, () => Promise.resolve(), options));
}

/** False where the server refuses the password. */
async function unlessRefused(work: () => Promise<unknown>): Promise<boolean> {
    try {
        await work();
        return true;
    } catch (error) {
        if (error instanceof TimescaleError && error.code === "28P01") return false;
        throw error;
    }
}

/** Another user's password opens nothing, and another server must not learn it. */
function sameLogin(
    previous: Connection | undefined,
    { host, port, user, password }: Connection,
): Connection | undefined {
    const same = previous?.host === host && previous.port === port && previous.user === user;
    return same && previous.password !== password ? previous : undefined;
}
