/**
 * How bins lie in a row: a band of neighbouring ones, each a column of its own. Values that come together
 * lie together, so there are a quarter to a fifteenth of the rows that single bins would have, and sums
 * over columns are cheaper than sums over rows. docs/percentiles.md has the figures.
 */

/** Bins of a row. */
export const bandWidth = 16;

/** `count_0` and so on. */
const countColumns: readonly string[] = Array.from({ length: bandWidth }, (_, at) => `count_${at}`);

/** Number of the bin that a whole number falls into, in SQL. */
export function binOf(value: string): string {
    return `CASE WHEN ${value} <= 50 THEN greatest(${value}, 0)::integer ELSE 50 + ceil(ln(${value} / 50::double precision) / ln(1.02::double precision))::integer END`;
}

/** What is taken for all values of the bin, in SQL: at most 1 % from any of them. */
export const middleOfBin =
    "CASE WHEN bin <= 50 THEN bin ELSE 50 * 1.02::double precision ^ (bin - 51) * (2.04 / 2.02) END";

/** The count of each bin of a band, over rows with a bin; null where there is none. */
export function countsOf(bin: string): string {
    return columns((name, at) => `nullif(count(*) FILTER (WHERE mod(${bin}, ${bandWidth}) = ${at}), 0) AS ${name}`); // prettier-ignore
}

/** The same over rows that have counts. */
export function sumsOf(type: "bigint" | "double precision"): string {
    return columns((name) => `sum(${name})::${type} AS ${name}`);
}

/** In SQL, one expression after the other. */
export function columns(
    expression: (name: string, at: number) => string,
    separator = ",\n    ",
): string {
    return countColumns.map(expression).join(separator);
}
