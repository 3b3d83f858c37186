/** How far each aggregate reaches: its newest bucket against the age that its policy in the database allows. */
import { aggregates, queryOf } from "../../components/observatory/aggregates";
import type { Queryable } from "../../components/timescale/core/connection/session";
import { escapeIdentifier, escapeLiteral } from "../../components/timescale/core/identifier";
import { lengthOf } from "../../components/timescale/core/interval";
import { bucketWidth } from "../../components/timescale/core/query/query";
import type { Freshness } from "./data";
import { allowedAge, type PoliciesByName } from "./policies";

/** Names are found by the search path. Takes one look at each aggregate's newest chunk. */
export async function readFreshness(
    client: Queryable,
    now: Date,
    policies: PoliciesByName,
): Promise<readonly Freshness[]> {
    const widths = new Map(aggregates.map((one) => [one.name, bucketWidth(queryOf(one))]));
    const text = aggregates
        .map(({ name }) => {
            const width = widths.get(name);
            const interval = `make_interval(months => ${width?.months ?? 0}, days => ${width?.days ?? 0}, secs => ${(width?.microseconds ?? 0) / 1e6})`;
            return `SELECT ${escapeLiteral(name)} AS name, max(bucket) + ${interval} AS ends FROM ${escapeIdentifier(name)}`;
        })
        .join(" UNION ALL ");
    const { rows } = await client.query<{ readonly name: string; readonly ends: Date | null }>(
        text,
    );
    const ends = new Map(rows.map((row) => [row.name, row.ends]));
    return aggregates.map(({ name }) => {
        const width = widths.get(name);
        const bucket = width === undefined ? 0 : lengthOf(width);
        const allowed = allowedAge(policies.get(name), bucket);
        return freshnessOf(name, ends.get(name) ?? null, now, allowed);
    });
}

export function freshnessOf(
    aggregate: string,
    ends: Date | null,
    now: Date,
    allowedSeconds: number | null,
): Freshness {
    if (ends === null) {
        return { aggregate, completeTo: null, lagSeconds: null, allowedSeconds, state: "empty" };
    }
    const lagSeconds = (now.getTime() - ends.getTime()) / 1000;
    return {
        aggregate,
        completeTo: ends.toISOString(),
        lagSeconds,
        allowedSeconds,
        // What nothing refreshes grows older without an end.
        state: allowedSeconds === null || lagSeconds > allowedSeconds ? "old" : "fresh",
    };
}
