/** What every comparison shares: where names are looked up, and how it ends when it cannot go on. */
import { inspectServer, type UsableServer } from "../connection/server";
import { serverError } from "../connection/serverErrors";
import { inTransaction, type Queryable, type Session } from "../connection/session";
import { TimescaleError } from "../errors";
import { displayName, escapeIdentifier, type QualifiedName } from "../identifier";
import { describePlan, type Plan } from "./plan";

/** Schemas that the unqualified names of an object's text are looked up in. */
export function searchPathOf(object: QualifiedName, server: UsableServer): string[] {
    return [...new Set([object.schema, "public", server.extensionSchema])];
}

/** Until the transaction ends, so that definitions, types and defaults are printed alike each time. */
export async function setSearchPath(
    client: Queryable,
    searchPath: readonly string[],
): Promise<void> {
    await client.query("SELECT set_config('search_path', $1, true)", [
        searchPath.map((schema) => escapeIdentifier(schema)).join(", "),
    ]);
}

export interface Inspected<T> {
    readonly found: T;
    readonly server: UsableServer;
    readonly searchPath: readonly string[];
}

/** Reads the catalog for one object, in one transaction, with the schemas that its text is read with. */
export function inspecting<T>(
    session: Session,
    object: QualifiedName,
    read: (client: Queryable, server: UsableServer) => Promise<T>,
): Promise<Inspected<T>> {
    return inTransaction(
        session,
        { readOnly: true, searchPath: ["pg_catalog"] },
        async (client) => {
            const server = await inspectServer(client);
            const searchPath = searchPathOf(object, server);
            await setSearchPath(client, searchPath);
            return { found: await read(client, server), server, searchPath };
        },
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "inspect", object: displayName(object) });
    });
}

/** What answers, and where the names of an object's text are looked up in it. */
export function readServer(
    session: Session,
    object: QualifiedName,
): Promise<Omit<Inspected<never>, "found">> {
    return inspecting(session, object, () => Promise.resolve());
}

/** Has the server read what is declared; whatever that makes is rolled back. */
export function trying<T>(
    session: Session,
    object: QualifiedName,
    searchPath: readonly string[],
    statement: string,
    work: (client: Queryable) => Promise<T>,
): Promise<T> {
    return inTransaction(session, { searchPath, rollback: true }, work).then(
        undefined,
        (error: unknown) => {
            throw serverError(error, { statement, object: displayName(object) });
        },
    );
}

/** All refusals of a plan as one error, so that none hides another. */
export function refuse(refusals: readonly TimescaleError[]): void {
    const [first, ...rest] = refusals;
    if (first === undefined) return;
    if (rest.length === 0) throw first;
    throw new TimescaleError(first.message, {
        code: first.code,
        detail: [
            first.detail,
            ...rest.map((error) => `also: ${error.message}; ${error.detail ?? ""}`),
        ].join("\n"),
        hint: [first.hint, ...rest.map((error) => error.hint)].filter(Boolean).join("; "),
        object: first.object,
    });
}

export function notConverged(object: string, plan: Plan): TimescaleError {
    return new TimescaleError(`${object} still differs after the plan was applied`, {
        code: "not_converged",
        detail: [
            ...describePlan(plan),
            ...plan.refusals.map(({ message, detail }) =>
                [message, detail].filter(Boolean).join(": "),
            ),
        ].join("; "),
        hint: "run the same command again; if it stays, someone else is changing the object, or this is a defect worth reporting",
        object,
    });
}
