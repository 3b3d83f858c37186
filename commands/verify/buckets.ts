/** Stored buckets against what their query gives now: which can be compared, and whether they are equal. */
import {
    type FillRange,
    type FillUnit,
    readRange,
    readUnits,
} from "../../components/timescale/core/aggregate/fillRange";
import {
    type ActualAggregate,
    inspectAggregate,
} from "../../components/timescale/core/aggregate/inspect";
import { wholeFrom } from "../../components/timescale/core/aggregate/wholeFrom";
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import {
    inTransaction,
    type Queryable,
    type Session,
} from "../../components/timescale/core/connection/session";
import { escapeIdentifier, escapeLiteral, type QualifiedName, quoteQualified } from "../../components/timescale/core/identifier"; // prettier-ignore
import { inspecting } from "../../components/timescale/core/plan/converging";
import { policyProcedures } from "../../components/timescale/core/policies/policy";

/** An aggregate, and the buckets that raw data could give again. */
export interface Buckets {
    readonly name: QualifiedName;
    readonly aggregate: ActualAggregate;
    readonly searchPath: readonly string[];
    /** Undefined: there is no raw data, or no bucket of it is over. */
    readonly range: FillRange | undefined;
    /** Oldest first; pending: never computed, or raw data has changed since. */
    readonly units: readonly FillUnit[];
}

/** Undefined where no such aggregate stands. */
export async function readBuckets(
    session: Session,
    name: QualifiedName,
): Promise<Buckets | undefined> {
    const { found, searchPath } = await inspecting(session, name, (client) =>
        inspectAggregate(client, name),
    );
    if (found.kind !== "aggregate") return undefined;
    const retention = found.jobs.find(({ procedure }) => procedure === policyProcedures.retention)
        ?.config["drop_after"];
    const whole = await inTransaction(session, { readOnly: true, searchPath }, (client) =>
        wholeFrom(client, found),
    );
    const scope = {
        name,
        aggregate: found,
        from: whole,
        retention: typeof retention === "string" ? retention : null,
        searchPath,
        recompute: true,
    };
    const range = await readRange(session, scope);
    const units = range === undefined ? [] : await readUnits(session, scope, range);
    return { name, aggregate: found, searchPath, range, units };
}

export interface Extent {
    /** Inclusive; a literal in UTC. */
    readonly start: string;
    /** Exclusive. */
    readonly end: string;
}

export interface Comparison {
    readonly stored: number;
    readonly computed: number;
    /** Stored rows that the query does not give, and the other way round. */
    readonly wrong: number;
    readonly missing: number;
    /** One of each, as text. */
    readonly example: string | null;
}

/**
 * Compares all columns but those in `without`, in one snapshot; reads only.
 *
 * Rows are compared as the texts that the server gives for them: the same to the last digit.
 */
export function compare(
    session: Session,
    { name, aggregate, searchPath }: Buckets,
    { start, end }: Extent,
    without: readonly string[] = [],
): Promise<Comparison> {
    const list = aggregate.columns
        .filter((column) => !without.includes(column.name))
        .map((column) => escapeIdentifier(column.name))
        .join(", ");
    const bucket = escapeIdentifier(aggregate.timeColumn);
    const within = `${bucket} >= ${time(start)} AND ${bucket} < ${time(end)}`;
    const text = `
        WITH stored AS MATERIALIZED (
            SELECT x::text AS line FROM (SELECT ${list} FROM ${quoteQualified(name)} WHERE ${within}) x
        ), computed AS MATERIALIZED (
            SELECT x::text AS line FROM (SELECT ${list} FROM (${queryText(aggregate)}) q WHERE ${within}) x
        ), wrong AS (SELECT line FROM stored EXCEPT ALL SELECT line FROM computed),
        missing AS (SELECT line FROM computed EXCEPT ALL SELECT line FROM stored)
        SELECT (SELECT count(*) FROM stored)::int AS stored, (SELECT count(*) FROM computed)::int AS computed,
            (SELECT count(*) FROM wrong)::int AS wrong, (SELECT count(*) FROM missing)::int AS missing,
            nullif(concat_ws(', raw gives ', (SELECT 'stored ' || min(line) FROM wrong), (SELECT min(line) FROM missing)), '') AS example`;
    return reading(session, searchPath, "compare", name, async (client) => {
        const { rows } = await client.query<Comparison & Record<string, unknown>>(text);
        return rows[0] ?? { stored: 0, computed: 0, wrong: 0, missing: 0, example: null };
    });
}

/** The SELECT in the server's words. */
export function queryText({ definition }: ActualAggregate): string {
    return definition.replace(/;\s*$/, "");
}

export function time(text: string): string {
    return `${escapeLiteral(text)}::timestamptz`;
}

/** Columns that take one of several rows of the same moment, which a second reading may choose otherwise. */
export function undecidedColumns({ definition }: ActualAggregate): string[] {
    const found = definition.matchAll(/\b(?:first|last)\([^\n]*\bAS ("[^"]+"|\w+)/gi);
    return [...found].map(([, name = ""]) => name.replace(/^"|"$/g, ""));
}

/** Milliseconds that one reading of real rows may take, so that nobody waits for a check. */
const patience = 60_000;

export function reading<T>(
    session: Session,
    searchPath: readonly string[],
    statement: string,
    name: QualifiedName,
    work: (client: Queryable) => Promise<T>,
): Promise<T> {
    const options = { readOnly: true, oneSnapshot: true, searchPath };
    return inTransaction(session, options, async (client) => {
        await client.query(`SET LOCAL statement_timeout TO ${patience}`);
        return work(client);
    }).then(undefined, (error: unknown) => {
        throw serverError(error, { statement, object: name.name });
    });
}
