/** What the policies of the aggregates say in the database, which an environment may have otherwise than they are declared. */
import { type RefreshSchedule, worstAge } from "../../components/timescale/core/aggregate/worstAge";
import type { Queryable } from "../../components/timescale/core/connection/session";
import { lengthIn } from "../../components/timescale/core/rules/windows";
import { readSql } from "../../components/timescale/core/sqlFile";

export interface LivePolicies {
    readonly name: string;
    readonly refresh: readonly RefreshSchedule[];
    /** Null: nothing is ever dropped. */
    readonly dropAfter: string | null;
}

/** By the aggregate's name. */
export type PoliciesByName = ReadonlyMap<string, LivePolicies>;

export async function readPolicies(client: Queryable, schema: string): Promise<PoliciesByName> {
    const { rows } = await client.query<LivePolicies & Record<string, unknown>>(
        readSql("report/policies.sql"),
        [schema],
    );
    return new Map(rows.map((row) => [row.name, row]));
}

/** Seconds that the aggregate may be behind; null: nothing refreshes it. @param bucket its width in microseconds */
export function allowedAge(policies: LivePolicies | undefined, bucket: number): number | null {
    const ages = (policies?.refresh ?? []).map((one) => worstAge(one, bucket) / 1e6);
    return ages.length === 0 ? null : Math.min(...ages);
}

/** Milliseconds that its buckets are kept; undefined: for ever. */
export function keptFor(policies: LivePolicies | undefined): number | undefined {
    const kept = lengthIn(policies?.dropAfter);
    return kept === undefined ? undefined : kept / 1000;
}
