/** How far each aggregate reaches: its newest bucket against the age that its policies allow. */
import { aggregates, queryOf } from "../../components/observatory/aggregates";
import { worstAge } from "../../components/observatory/freshness";
import { escapeIdentifier, escapeLiteral } from "../../components/timescale/core/identifier";
import { bucketWidth } from "../../components/timescale/core/query";
import type { Queryable } from "../../components/timescale/core/session";
import type { Freshness } from "./data";

/** Names are found by the search path. Takes one look at each aggregate's newest chunk. */
export async function readFreshness(client: Queryable, now: Date): Promise<readonly Freshness[]> {
    const text = aggregates
        .map(({ name, ...declaration }) => {
            const width = bucketWidth(queryOf({ name, ...declaration }));
            const interval = `make_interval(months => ${width?.months ?? 0}, days => ${width?.days ?? 0}, secs => ${(width?.microseconds ?? 0) / 1e6})`;
            return `SELECT ${escapeLiteral(name)} AS name, max(bucket) + ${interval} AS ends FROM ${escapeIdentifier(name)}`;
        })
        .join(" UNION ALL ");
    const { rows } = await client.query<{ readonly name: string; readonly ends: Date | null }>(
        text,
    );
    const ends = new Map(rows.map((row) => [row.name, row.ends]));
    return aggregates.map((declaration) =>
        freshnessOf(
            declaration.name,
            ends.get(declaration.name) ?? null,
            now,
            worstAge(declaration, queryOf(declaration)) / 1e6,
        ),
    );
}

export function freshnessOf(
    aggregate: string,
    ends: Date | null,
    now: Date,
    allowedSeconds: number,
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
        state: lagSeconds > allowedSeconds ? "old" : "fresh",
    };
}
