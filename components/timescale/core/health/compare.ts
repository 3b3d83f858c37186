/**
 * Compares buckets with what their source says now, by a count that both have: of a bounded sample, or of all that the
 * source still has whole. Only reads.
 */
import { utcText } from "../aggregate/bucket";
import type { PendingRange } from "../aggregate/pending";
import { inTransaction, type Session } from "../connection/session";
import { displayName, escapeIdentifier, escapeLiteral, quoteQualified } from "../identifier";
import { lengthIn } from "../rules/windows";
import { countColumn } from "./countColumn";
import { type HealthFinding, healthFinding } from "./finding";
import type { AggregateHealth, Health } from "./health";
import { showTime } from "./words";

export interface Compared {
    readonly findings: readonly HealthFinding[];
    /** What could not be compared, and why: one line each. */
    readonly notes: readonly string[];
}

export interface CompareOptions {
    /** All buckets, however long it takes. Default false: a sample. */
    readonly complete?: boolean;
    /** Milliseconds that a sample of all aggregates may take. */
    readonly budget?: number;
    readonly onAggregate?: (name: string) => void;
}

/** Buckets that are looked at where not all of them are: the newest and so many before. */
const samples = 24;

/** Of which the finding tells, and which a fix computes again at a time. */
const told = 200;

interface Difference {
    readonly bucket: string;
    readonly next: string;
    /** Null: the source has no row there. */
    readonly source: string | null;
    /** Null: there is no such bucket. */
    readonly held: string | null;
}

export async function compareBuckets(
    session: Session,
    health: Health,
    searchPath: readonly string[],
    { complete = false, budget = 20_000, onAggregate }: CompareOptions = {},
): Promise<Compared> {
    const deadline = Date.now() + budget;
    const findings: HealthFinding[] = [];
    const notes: string[] = [];
    const counts = new Map<number, string>();
    // Parents come before what reads them: their ids are lower.
    for (const aggregate of [...health.aggregates].sort((one, other) => one.id - other.id)) {
        const name = displayName(aggregate);
        const count = countColumn(aggregate.definition, counts.get(aggregate.source.id));
        if (count !== undefined) counts.set(aggregate.id, count);
        const obstacle = obstacleTo(health, aggregate, count);
        if (obstacle === "nothing") continue;
        if (obstacle !== undefined || count === undefined) {
            notes.push(`${name} is not compared with its source: ${obstacle ?? "no count"}`);
            continue;
        }
        const left = deadline - Date.now();
        if (!complete && left < 100) {
            notes.push(
                `${name} is not compared with its source: there was no time; use --complete`,
            );
            continue;
        }
        onAggregate?.(name);
        const ranges = rangesOf(aggregate, complete);
        const found = await differences(session, searchPath, aggregate, { count, ranges, limit: complete ? 0 : left }); // prettier-ignore
        if (found === undefined) {
            notes.push(`${name} is not compared with its source: a sample took too long; use --complete`); // prettier-ignore
            continue;
        }
        const wrong = found.filter(({ bucket, next }) => !isPending(aggregate, bucket, next));
        if (wrong.length > 0) findings.push(findingOf(aggregate, wrong, complete, ranges.length));
    }
    return { findings, notes };
}

function obstacleTo(
    { aggregates, hypertables }: Health,
    aggregate: AggregateHealth,
    count: string | undefined,
): string | undefined {
    if (aggregate.integerTime) return "its time is a number";
    if (aggregate.view !== "intact" || aggregate.marker.filling) return "nothing";
    if (aggregate.floor === null || aggregate.newestBucket === null) return "nothing";
    const source = [...aggregates, ...hypertables].find(({ id }) => id === aggregate.source.id);
    if (source?.readable !== true) return `the login may not read ${displayName(aggregate.source)}`;
    if (!aggregate.readable) return "the login may not read it";
    if (count === undefined) return "it has no count(*), or sum of its parent's";
    return undefined;
}

/** From where the source is whole to where refreshes have come; bounds of the buckets' beginnings. */
function rangesOf(aggregate: AggregateHealth, complete: boolean): PendingRange[] {
    const from = [aggregate.floor ?? "", aggregate.oldestBucket ?? ""].sort().at(-1) ?? "";
    const to = aggregate.refreshedTo ?? from;
    const width = (lengthIn(aggregate.bucketWidth) ?? 0) / 1000;
    const [begin, end] = [Date.parse(from), Math.min(Date.parse(to), Date.parse(aggregate.newestBucket ?? "") + width)]; // prettier-ignore
    if (!(end > begin)) return [];
    const count = Math.ceil((end - begin) / width);
    if (complete || count <= samples) return [range(begin, end)];
    return Array.from({ length: samples }, (_, at) => {
        const start = begin + Math.floor(((count - 1) * at) / (samples - 1)) * width;
        return range(start, start + width);
    });
}

function range(from: number, to: number): PendingRange {
    return { begins: new Date(from).toISOString(), ends: new Date(to).toISOString() };
}

async function differences(
    session: Session,
    searchPath: readonly string[],
    aggregate: AggregateHealth,
    { count, ranges, limit }: { readonly count: string; readonly ranges: readonly PendingRange[]; readonly limit: number }, // prettier-ignore
): Promise<Difference[] | undefined> {
    if (ranges.length === 0) return [];
    const [bucket, rows] = [escapeIdentifier(aggregate.timeColumn), escapeIdentifier(count)];
    const materialization = quoteQualified({
        schema: "_timescaledb_internal",
        name: `_materialized_hypertable_${aggregate.id}`,
    });
    // The server narrows the query down to the range by itself, to chunks and index.
    const parts = ranges.map(({ begins, ends }) => {
        const inside = `${bucket} >= ${escapeLiteral(begins)} AND ${bucket} < ${escapeLiteral(ends)}`;
        const sums = (relation: string, as: string): string =>
            `(SELECT ${bucket} AS at, sum(${rows})::text AS ${as} FROM ${relation} WHERE ${inside} GROUP BY 1)`;
        const query = `(${aggregate.definition.replace(/;\s*$/, "")}) q`;
        return `SELECT at, source, held FROM ${sums(query, "source")} s FULL JOIN ${sums(materialization, "held")} h USING (at) WHERE source IS DISTINCT FROM held`;
    });
    const width = `${escapeLiteral(aggregate.bucketWidth ?? "0")}::interval`;
    const text = `SELECT ${utcText("at")} AS bucket, ${utcText(`(at + ${width})`)} AS next, source, held FROM (${parts.join(" UNION ALL ")}) d ORDER BY at`;
    return inTransaction(session, { readOnly: true, searchPath }, async (client) => {
        await client.query(`SET LOCAL statement_timeout TO ${Math.ceil(limit)}`);
        const { rows: found } = await client.query<Difference & Record<string, unknown>>(text);
        return found;
    }).catch((error: unknown) => {
        if (limit > 0 && error instanceof Error && "code" in error && error.code === "57014") {
            return undefined;
        }
        throw error;
    });
}

function isPending({ pending }: AggregateHealth, bucket: string, next: string): boolean {
    return pending.some(
        ({ begins, ends }) =>
            (begins === "-infinity" || begins < next) && (ends === "infinity" || ends > bucket),
    );
}

function findingOf(
    aggregate: AggregateHealth,
    wrong: readonly Difference[],
    complete: boolean,
    looked: number,
): HealthFinding {
    const lines = wrong
        .slice(0, 3)
        .map(
            ({ bucket, source, held }) =>
                `${showTime(bucket)}: ${source ?? "no row"} in ${displayName(aggregate.source)}, ${held ?? "no row"} in the aggregate`,
        );
    const more = wrong.length > 3 ? `; and ${wrong.length - 3} more` : "";
    const how = complete || looked === 1 ? "of all that the source still has" : `of a sample of ${looked}`; // prettier-ignore
    return healthFinding("wrong_buckets", {
        object: displayName(aggregate),
        message: `${wrong.length} ${wrong.length === 1 ? "bucket counts" : "buckets count"} other rows than its source has`,
        evidence: `${wrong.length} ${how}: ${lines.join("; ")}${more}`,
        consequence: "queries give wrong numbers, and no refresh corrects them: TimescaleDB does not know that they are wrong", // prettier-ignore
        mend: "npm run doctor -- --fix computes them again",
        fix: {
            kind: "refresh",
            aggregate: { schema: aggregate.schema, name: aggregate.name },
            ranges: wrong
                .slice(0, told)
                .map(({ bucket, next }) => ({ begins: bucket, ends: next })),
            touch: true,
        },
    });
}
