/** Reads from the catalog what the rules ask of a live database; nothing is judged here. */
import type { Queryable } from "../connection/session";
import { escapeIdentifier, escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";
import { relationsIn } from "../relation/relations";
import { readSql } from "../sqlFile";

export interface RuleFacts {
    /** What the query reads, where that was asked for and is there. */
    readonly source: SourceFacts | null;
    /** Measured runs of the refresh job; null where there are none, or the login may not see them. */
    readonly run: RunFacts | null;
    /** Rows of compressed chunks that a refresh by the declared window would have to decompress. */
    readonly compressedRows: number;
    /** What a statement of the refresh job may decompress; 0: without limit, null: not known. */
    readonly decompressionLimit: number | null;
    readonly workers: WorkerFacts;
    /** The stored tree of the query, where integers are multiplied in it. */
    readonly products: string | null;
}

export interface SourceFacts extends QualifiedName {
    /** Of an aggregate, its query in the server's words. */
    readonly definition: string | null;
    readonly bucketWidth: string | null;
    /** Of its retention policy, unless that is paused. */
    readonly dropAfter: string | null;
    /** Null: it is not refreshed by itself. */
    readonly refresh: {
        readonly startOffset: string | null;
        readonly endOffset: string | null;
    } | null;
}

/** In seconds. */
export interface RunFacts {
    readonly runs: number;
    readonly mean: number | null;
    readonly last: number | null;
}

export interface WorkerFacts {
    /** Measured run time by schedule, added up over all jobs that the login may see. */
    readonly demand: number;
    readonly jobs: number;
    /** timescaledb.max_background_workers; null: not known. */
    readonly maxBackgroundWorkers: number | null;
    readonly maxWorkerProcesses: number;
    /** TimescaleDB's schedulers of other databases. */
    readonly otherSchedulers: number;
    /** Background workers that are not TimescaleDB's. */
    readonly otherWorkers: number;
}

export interface Reader extends QualifiedName {
    /** How far back its refreshes go; null: all of it. */
    readonly startOffset: string | null;
}

export interface RuleQuestion {
    readonly query: string;
    /** Of the standing aggregate. */
    readonly materializationId: number | null;
    /** Whether to look at the source: the program does not declare it. */
    readonly source: boolean;
    /** Whether a refresh counts the compressed rows that it touches, see `UsableServer`. */
    readonly decompresses: boolean;
    readonly refresh: {
        readonly startOffset?: string;
        readonly endOffset?: string;
    } | null;
}

interface Row extends Omit<RuleFacts, "compressedRows"> {
    readonly compressed: readonly CompressedChunk[];
}

/** A chunk's compressed form, in which something changed. */
interface CompressedChunk extends QualifiedName {
    /** With how many it was compressed; refreshes since then may have left less. */
    readonly rows: number;
    /** What changed, from and to, in UTC. */
    readonly ranges: readonly (readonly [string, string])[];
    /** The column that holds the least time of each batch, such as `_ts_meta_min_1`. */
    readonly batchStart: string | null;
}

/** @param client in a transaction whose search path is the query's */
export async function inspectForRules(
    client: Queryable,
    { query, materializationId, source, decompresses, refresh }: RuleQuestion,
): Promise<RuleFacts | undefined> {
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/rule_facts.sql"),
        [
            materializationId,
            source && materializationId === null ? relationsIn(query).map(quoted) : [],
            source,
            refresh?.startOffset ?? null,
            refresh?.endOffset ?? null,
            decompresses && refresh !== null,
        ],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const { compressed, ...facts } = row;
    const limit = facts.decompressionLimit ?? 0;
    const most = compressed.reduce((sum, { rows }) => sum + rows, 0);
    // A look into the chunks themselves, only where there may be too many.
    const known = limit > 0 && most > limit && compressed.every(({ batchStart }) => batchStart);
    return {
        ...facts,
        compressedRows: known ? await rowsToDecompress(client, compressed) : 0,
    };
}

/** Rows of the batches that a DELETE of what changed would have to take apart: it goes by their times. */
async function rowsToDecompress(
    client: Queryable,
    chunks: readonly CompressedChunk[],
): Promise<number> {
    const counts = chunks.map(({ ranges, batchStart, ...chunk }) => {
        const start = escapeIdentifier(batchStart ?? "");
        const end = escapeIdentifier((batchStart ?? "").replace("_min_", "_max_"));
        const changed = ranges.map(([from, to]) => {
            const [first, last] = [from, to].map((at) => `${escapeLiteral(at)}::timestamptz`);
            return `(${start} < ${last} AND ${end} >= ${first})`;
        });
        return `SELECT sum(_ts_meta_count) AS rows FROM ${quoteQualified(chunk)} WHERE ${changed.join(" OR ")}`;
    });
    const { rows } = await client.query<{ rows: number }>(
        `SELECT coalesce(sum(rows), 0)::float8 AS rows FROM (${counts.join(" UNION ALL ")}) c`,
    );
    return rows[0]?.rows ?? 0;
}

function quoted({ schema, name }: ReturnType<typeof relationsIn>[number]): string {
    return schema === undefined
        ? `"${name.replaceAll('"', '""')}"`
        : quoteQualified({ schema, name });
}

export async function inspectReaders(client: Queryable, hypertableId: number): Promise<Reader[]> {
    const { rows } = await client.query<Reader & Record<string, unknown>>(
        readSql("catalog/rule_readers.sql"),
        [hypertableId],
    );
    return rows.map(({ schema, name, startOffset }) => ({ schema, name, startOffset }));
}
