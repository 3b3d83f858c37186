/**
 * The scratch schema: where rows are inserted and refreshed, so that nothing that people use is touched. It
 * goes when its verification ends; what a killed one left behind goes with the next.
 */
import { hostname } from "node:os";

import { inspectServer } from "../../components/timescale/core/connection/server";
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import type { Session } from "../../components/timescale/core/connection/session";
import {
    escapeIdentifier,
    escapeLiteral,
    quoteQualified,
} from "../../components/timescale/core/identifier";
import { applyStatements } from "../../components/timescale/core/plan/apply";
import { readSql } from "../../components/timescale/core/sqlFile";

/** How its comment begins: a schema that only has such a name is somebody's own. */
const mark = "pulumi-timescale verify ";

interface Maker {
    readonly host: string;
    readonly pid: number;
    /** Milliseconds since 1970. */
    readonly started: number;
}

/** Why no scratch schema can be made; undefined when it can. Reads only. */
export async function whyNoScratch({ client, connection }: Session): Promise<string | undefined> {
    const { rows } = await client.query<{ may: boolean }>(
        "SELECT has_database_privilege(current_database(), 'CREATE') AS may",
    );
    if (rows[0]?.may === true) return undefined;
    const [database, user] = [connection.database, connection.user].map((name) => escapeIdentifier(name)); // prettier-ignore
    return `"${connection.user}" may not create a schema: GRANT CREATE ON DATABASE ${database} TO ${user}`;
}

/** Makes the schema, runs the work in it, and removes it with everything in it, whatever became of the work. */
export async function withScratch<T>(
    session: Session,
    work: (schema: string) => Promise<T>,
): Promise<T> {
    const maker: Maker = { host: hostname(), pid: process.pid, started: Date.now() };
    const schema = `observatory_verify_${maker.pid}_${maker.started.toString(36)}`;
    const { client } = session;
    await client.query(`SELECT pg_advisory_lock(${lockKey(schema)})`);
    try {
        await applyStatements(
            session,
            [
                {
                    name: "create_scratch",
                    sql: `CREATE SCHEMA ${escapeIdentifier(schema)}`,
                    lock: null,
                },
                {
                    name: "mark_scratch",
                    sql: `COMMENT ON SCHEMA ${escapeIdentifier(schema)} IS ${escapeLiteral(mark + JSON.stringify(maker))}`,
                    lock: null,
                },
            ],
            { object: schema, searchPath: ["pg_catalog"] },
        );
        try {
            return await work(schema);
        } finally {
            await drop(session, schema);
        }
    } finally {
        // With the session it goes in any case; the embedded server's session lives on.
        await client
            .query(`SELECT pg_advisory_unlock(${lockKey(schema)})`)
            .then(undefined, () => undefined);
    }
}

/** Removes what verifications that are gone have left behind; gives their schemas. */
export async function removeLeftovers(session: Session): Promise<readonly string[]> {
    const { client } = session;
    const { embedded } = await inspectServer(client);
    const { rows } = await client.query<{ schema: string; comment: string }>(
        readSql("verify/scratch_schemas.sql"),
        [mark],
    );
    const removed: string[] = [];
    for (const { schema, comment } of rows) {
        // All clients of the embedded server are one session, whose locks keep nobody out.
        if (embedded ? isAtWork(comment) : !(await tryLock(session, schema))) continue;
        try {
            await drop(session, schema);
            removed.push(schema);
        } finally {
            if (!embedded) await client.query(`SELECT pg_advisory_unlock(${lockKey(schema)})`);
        }
    }
    return removed;
}

async function tryLock({ client }: Session, schema: string): Promise<boolean> {
    const { rows } = await client.query<{ locked: boolean }>(
        `SELECT pg_try_advisory_lock(${lockKey(schema)}) AS locked`,
    );
    return rows[0]?.locked === true;
}

const day = 86_400_000;

function isAtWork(comment: string): boolean {
    const { host, pid, started } = JSON.parse(comment.slice(mark.length)) as Maker;
    if (host !== hostname()) return Date.now() - started < day;
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

function lockKey(schema: string): string {
    return `hashtextextended(${escapeLiteral(`pulumi-timescale ${schema}`)}, 0)`;
}

/** One object a transaction: several aggregates dropped in one wait for each other's jobs. */
async function drop(session: Session, schema: string): Promise<void> {
    const { client } = session;
    const { rows } = await client
        .query<{ kind: string; name: string }>(readSql("verify/scratch_objects.sql"), [schema])
        .then(undefined, (error: unknown) => {
            throw serverError(error, { statement: "drop_scratch", object: schema });
        });
    const statements = [
        ...rows.map(({ kind, name }) => `DROP ${kind} ${quoteQualified({ schema, name })}`),
        // Without CASCADE: what somebody else put there stays, and says so.
        `DROP SCHEMA ${escapeIdentifier(schema)}`,
    ];
    for (const sql of statements) {
        await applyStatements(session, [{ name: "drop_scratch", sql, lock: null }], {
            object: schema,
            searchPath: ["pg_catalog"],
        });
    }
}
