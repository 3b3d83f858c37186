/**
 * Checks 5, 6, 8 and 10 in the scratch schema: a copy of what is declared, filled and refreshed by the same
 * code and the same policies as the real one. The copy's policies are paused, so that no job touches it but
 * those that are run here.
 */
import { filled } from "../../components/observatory/bins";
import { utcText } from "../../components/timescale/core/aggregate/bucket";
import type { ActualAggregate } from "../../components/timescale/core/aggregate/inspect";
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import type { Session } from "../../components/timescale/core/connection/session";
import { displayName, quoteQualified } from "../../components/timescale/core/identifier";
import { policyProcedures } from "../../components/timescale/core/policies/policy";
import { readSql } from "../../components/timescale/core/sqlFile";
import type { Properties } from "../../components/timescale/provider/resourceKind";
import { merged } from "./accuracy";
import { type Buckets, compare, type Extent, readBuckets } from "./buckets";
import { isAggregate, isHypertable, type VerifiedObject } from "./objects";
import { counted, type Finding } from "./result";

export interface Trial {
    readonly session: Session;
    readonly schema: string;
    readonly objects: readonly VerifiedObject[];
    readonly report: (text: string) => void;
    /** Between two steps. @throws when it is to stop */
    readonly between: () => void;
    readonly stop: AbortSignal | undefined;
}

/** Raw rows that check 5 inserts. */
export const expectedRows = 38 * 120;

/** The table that all aggregates are computed from. */
const traces = "llm_traces";

/** Check 5. */
export async function testData(trial: Trial): Promise<Finding> {
    for (const object of trial.objects.filter(isHypertable)) await create(trial, object);
    trial.report("inserting rows into the copy");
    const { rows: clock } = await trial.session.client.query<{ now: string }>(
        "SELECT quote_literal(now()) || '::timestamptz' AS now",
    );
    const now = clock[0]?.now ?? "now()";
    const inserted = await insert(trial, "verify/traces.sql", [], { now });
    const again = await insert(trial, "verify/traces.sql", [], { now });
    const table = quoteQualified({ schema: trial.schema, name: traces });
    const { rows } = await trial.session.client.query<Facts>(
        `SELECT count(*)::int AS rows, count(*) FILTER (WHERE span_kind = 'internal' AND sampled)::int AS defaults,
             (SELECT count(*)::int FROM timescaledb_information.chunks
              WHERE hypertable_schema = $1 AND hypertable_name = $2) AS chunks
         FROM ${table}`,
        [trial.schema, traces],
    );
    const { rows: stored, defaults, chunks } = rows[0] ?? { rows: 0, defaults: 0, chunks: 0 };
    return {
        summary: `${counted(stored, "row")} inserted into a copy, in ${counted(chunks, "chunk")}`,
        problems: [
            ...wrong("rows inserted", inserted, expectedRows),
            ...wrong("rows that are the same once more, against the primary key", again, 0),
            ...wrong("rows stored", stored, expectedRows),
            ...wrong("rows with the declared defaults", defaults, stored),
            ...(chunks > 5 ? [] : [`${counted(chunks, "chunk")} for rows of 75 days`]),
        ],
    };
}

interface Facts extends Record<string, unknown> {
    readonly rows: number;
    readonly defaults: number;
    readonly chunks: number;
}

function wrong(what: string, is: number, should: number): string[] {
    return is === should ? [] : [`${what}: ${is}, and ${should} were expected`];
}

async function insert(
    { session, schema }: Trial,
    file: string,
    values: readonly string[] = [],
    texts: Readonly<Record<string, string>> = {},
): Promise<number> {
    const table = quoteQualified({ schema, name: traces });
    const { rowCount } = await session.client
        .query(filled(readSql(file), { table, ...texts }), [...values])
        .then(undefined, (error: unknown) => {
            throw serverError(error, { statement: "insert", object: table });
        });
    return rowCount ?? 0;
}

/** One object as its resource creates it, without grants and with its policies paused. */
async function create(trial: Trial, { kind, name, inputs }: VerifiedObject): Promise<void> {
    trial.between();
    trial.report(`creating a copy of ${name}`);
    const { session, schema, stop } = trial;
    const copy: Properties = { ...inputs, schema, connection: session.connection, grants: [] };
    const quiet = Object.fromEntries(
        ["refreshPolicy", "retentionPolicy", "compressionPolicy"].flatMap((policy) => {
            const declared = inputs[policy] as object | undefined;
            return declared === undefined ? [] : [[policy, { ...declared, paused: true }]];
        }),
    );
    await kind.converge(session, { ...copy, ...quiet }, undefined, {
        onStatus: () => undefined,
        onApplied: () => undefined,
        checkDatabase: () => undefined,
        stop,
    });
}

/** What the copy came to once it was filled. */
export interface Copy {
    readonly all: readonly Buckets[];
    /** Those that read raw rows, and not another aggregate. */
    readonly overRaw: readonly Buckets[];
    /** When its aggregates began to be filled, as a literal in UTC: buckets that ended later may wait. */
    readonly begun: string;
}

/** The first half of check 6: creates the aggregates, which fills them. */
export async function fillCopy(trial: Trial): Promise<Copy> {
    const aggregates = trial.objects.filter(isAggregate);
    const { rows } = await trial.session.client.query<{ begun: string }>(
        `SELECT ${utcText("now()")} AS begun`,
    );
    for (const object of aggregates) await create(trial, object);
    const all = await readAll(trial);
    const begun = rows[0]?.begun ?? "";
    return { all, begun, overRaw: all.filter(({ aggregate }) => aggregate.source.name === traces) };
}

async function readAll({ session, schema, objects }: Trial): Promise<readonly Buckets[]> {
    const all: Buckets[] = [];
    for (const { name } of objects.filter(isAggregate)) {
        const found = await readBuckets(session, { schema, name });
        if (found !== undefined) all.push(found);
    }
    return all;
}

/** Of check 8: every bucket of the copy against what raw rows give. */
export async function copyAccuracy(
    { session, between }: Trial,
    { all }: Copy,
): Promise<{ readonly rows: number; readonly problems: readonly string[] }> {
    let rows = 0;
    const problems: string[] = [];
    for (const buckets of all) {
        between();
        const title = `the copy of ${buckets.name.name}`;
        let found = 0;
        // A bucket that has ended since the fill waits for its policy.
        for (const stretch of merged(
            buckets.units.filter(({ pending }) => !pending),
            1,
        )) {
            const { computed, wrong, missing, example } = await compare(session, buckets, stretch);
            found += computed;
            if (wrong + missing === 0) continue;
            problems.push(
                `${title}: ${counted(wrong, "stored row")} differ from raw, ${missing} of raw are not stored; ${example ?? ""}`,
            );
        }
        rows += found;
        if (found === 0) problems.push(`${title} has no bucket to compare`);
    }
    return { rows, problems };
}

/** Where rows come late: into a minute, an hour and a day that policies look back to. */
const late = [
    ["minute", "10 minutes"],
    ["hour", "3 hours"],
    ["day", "3 days"],
] as const;

/** Check 6: the fill has filled everything, and each policy takes in rows that came late. */
export async function refresh(trial: Trial, { all, begun }: Copy): Promise<Finding> {
    const problems = all.flatMap(({ name, range, units }) => {
        const left = units.filter(({ pending, end }) => pending && end <= begun);
        const [first, last] = [left[0], left.at(-1)];
        if (range === undefined) return [`the copy of ${name.name} found nothing to fill`];
        if (first === undefined || last === undefined) return [];
        return [`the copy of ${name.name} was not filled from ${first.start} to ${last.end}`];
    });
    trial.report("inserting rows that come late");
    for (const values of late) await insert(trial, "verify/late_traces.sql", values);
    let taken = 0;
    for (const buckets of all) {
        trial.between();
        trial.report(`running the refresh policy of the copy of ${buckets.name.name}`);
        const found = await runPolicy(trial, buckets);
        taken += found.taken ? 1 : 0;
        problems.push(...found.problems);
    }
    return {
        summary: `${counted(all.length, "aggregate")} filled; policies of ${taken} took in rows that came late`,
        problems,
    };
}

async function runPolicy(
    { session }: Trial,
    buckets: Buckets,
): Promise<{ readonly taken: boolean; readonly problems: readonly string[] }> {
    const { name, aggregate } = buckets;
    const copy = `the copy of ${name.name}`;
    const job = aggregate.jobs.find(({ procedure }) => procedure === policyProcedures.refresh);
    if (job === undefined) return { taken: false, problems: [`${copy} has no refresh policy`] };
    const window = await policyWindow(session, aggregate, job.config);
    const before = await compare(session, buckets, window);
    const overRaw = aggregate.source.name === traces;
    const problems: string[] = [];
    if (overRaw && before.wrong + before.missing === 0) {
        problems.push(`${copy} shows no difference from raw before its refresh policy has run`);
    }
    await session.client.query(`CALL run_job(${job.id})`).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "run_job", object: displayName(name) });
    });
    const { wrong, missing, example } = await compare(session, buckets, window);
    if (wrong + missing > 0) {
        problems.push(
            `${copy} differs from raw between ${window.start} and ${window.end} after its refresh policy ran: ${example ?? ""}`,
        );
    }
    return { taken: before.wrong + before.missing > 0, problems };
}

/** The whole buckets that a run of the policy refreshes now. */
async function policyWindow(
    session: Session,
    { bucketWidth }: ActualAggregate,
    config: Readonly<Record<string, unknown>>,
): Promise<Extent> {
    const { rows } = await session.client.query<{ start: string; end: string }>(
        readSql("verify/policy_window.sql"),
        [bucketWidth, config["start_offset"], config["end_offset"]],
    );
    return rows[0] ?? { start: "", end: "" };
}
