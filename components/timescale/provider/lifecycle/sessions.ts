/** Connections of an operation, and how long it waits for one. */
import { type ConnectOptions, type Session } from "../../core/connection/session";
import { stopRequested } from "../cancel";
import { report } from "../engineLog";
import { type FailoverOptions, failoverPatience } from "../failover";
import { isRefusedPassword, withAnyPassword } from "../passwords";
import { withPooledSession } from "../pool";
import { connectionOf, type Planned, type Properties, type ResourceKind } from "../resourceKind";

export function session<T>(
    inputs: Properties,
    options: ConnectOptions,
    work: (open: Session) => Promise<T>,
): Promise<T> {
    return withPooledSession(connectionOf(inputs), work, options);
}

/** The same where a password that is being changed must not stand in the way: see passwords.ts. */
export function anySession<T>(
    inputs: Properties,
    options: ConnectOptions,
    work: (open: Session) => Promise<T>,
): Promise<T> {
    return withAnyPassword(connectionOf(inputs), (connection) =>
        withPooledSession(connection, work, options),
    );
}

/** What `work` plans on a session, or what the kind plans for where nobody gets in. */
export async function plannedOf(
    kind: ResourceKind,
    inputs: Properties,
    outputs: Properties | undefined,
    work: (open: Session) => Promise<Planned>,
): Promise<Planned> {
    try {
        return await anySession(inputs, {}, work);
    } catch (error) {
        if (kind.planRefused === undefined || !isRefusedPassword(error)) throw error;
        return kind.planRefused(inputs, outputs);
    }
}

export function failoverOptions(urn: string, show: (text: string) => void): FailoverOptions {
    return {
        patience: failoverPatience(process.env),
        onStatus: show,
        onSurvived: (text) => report(urn, "warning", text),
        stop: stopRequested(),
    };
}

/** The host prints an error's stack beside its message; the message says all. */
export function quiet(error: Error): Error {
    error.stack = "";
    return error;
}
