/**
 * How the rows of an old version of an aggregate become rows of the new one: which column is carried
 * over, computed from several buckets, or filled with what was declared. Pure.
 */
import { TimescaleError } from "../../errors";
import { escapeIdentifier, escapeLiteral } from "../../identifier";
import { type Interval, lengthOf } from "../../interval";
import { bucketColumn, bucketOver, type Definition, parseDefinition } from "../../query/definition";
import { bucketOf } from "../../query/query";

/**
 * What a program says of history that raw data can no longer give.
 *
 * ```ts
 * history: { defaults: { region: "none" }, rollUp: { avg_ms: "sum(total_ms) / nullif(sum(n), 0)" } }
 * ```
 */
export interface History {
    /** Values of columns that the old version did not have, by name. @default - null */
    readonly defaults?: Readonly<Record<string, string | number | boolean | null>>;
    /** Columns that had another name in the old version: new name to old name. @default - none: a column is carried over by its name */
    readonly renamed?: Readonly<Record<string, string>>;
    /**
     * How a column is computed where several old rows become one, as SQL over the old columns.
     *
     * @default - count, sum, min and max by themselves; `up` refuses a change that needs another one and has none
     */
    readonly rollUp?: Readonly<Record<string, string>>;
    /** Versions that a changed query has replaced. `"drop"` drops them with the next `up`, and with them the way back. @default "keep" */
    readonly replacedVersions?: "keep" | "drop";
}

export interface Version {
    readonly definition: string;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    readonly groupColumns: readonly string[];
}

export interface Mapping {
    /** Quoted column of the buckets in the old version, and the new bucket over it. */
    readonly oldBucket: string;
    readonly newBucket: string;
    /** Name of the new version's bucket column. */
    readonly bucketName: string;
    /** Each column of the new version, and what it is in SQL over the old one's columns. */
    readonly columns: readonly { readonly name: string; readonly expression: string }[];
    /** What the old rows are grouped by; undefined where each becomes one new row. */
    readonly groupBy?: readonly string[];
    /** Carried over as they are, with the type of the new version. */
    readonly carried: readonly {
        readonly name: string;
        readonly was: string;
        readonly type: string;
    }[];
    /** Rolled up by sum, so that totals stay. */
    readonly summed: readonly string[];
    /** New columns that history has no value for. */
    readonly empty: readonly string[];
    /** Old columns that the new version does not have. */
    readonly dropped: readonly string[];
}

/** @returns the mapping, or every reason why there is none */
export function mapHistory(
    was: Version,
    will: Version,
    history: History,
    object: string,
): { readonly mapping: Mapping } | { readonly problems: readonly TimescaleError[] } {
    const old = parseDefinition(was.definition, names(was));
    const next = parseDefinition(will.definition, names(will));
    const [oldBucket, newBucket] = [bucketColumn(old), bucketColumn(next)];
    if (oldBucket === undefined || newBucket === undefined) {
        return { problems: [noBucket(oldBucket === undefined ? "standing" : "new", object)] };
    }
    const widths = bucketProblem(was.definition, will.definition, object);
    if (widths.problem !== undefined) return { problems: [widths.problem] };

    const standing = new Map(was.columns.map(({ name, type }) => [name, type]));
    const sourceOf = (name: string): string | undefined => {
        const source = history.renamed?.[name] ?? name;
        return standing.has(source) && source !== oldBucket.name ? source : undefined;
    };
    const vanishedKeys = was.groupColumns.filter(
        (key) => !will.groupColumns.some((name) => sourceOf(name) === key),
    );
    const regroups = widths.grows || vanishedKeys.length > 0;
    const problems: TimescaleError[] = unknownColumns(history, was, will, object);
    const columns: { name: string; expression: string }[] = [];
    const carried: { name: string; was: string; type: string }[] = [];
    const summed: string[] = [];
    const empty: string[] = [];
    const bucket = bucketOver(newBucket.expression, escapeIdentifier(oldBucket.name));
    for (const { name, type } of will.columns) {
        if (name === newBucket.name) {
            columns.push({ name, expression: bucket });
            continue;
        }
        const source = sourceOf(name);
        const declared = history.rollUp?.[name];
        if (regroups && declared !== undefined) {
            columns.push({ name, expression: `(${declared})::${type}` });
        } else if (
            source === undefined ||
            (!will.groupColumns.includes(name) && was.groupColumns.includes(source))
        ) {
            const value = history.defaults?.[name] ?? null;
            if (value === null) empty.push(name);
            columns.push({ name, expression: `${literal(value)}::${type}` });
        } else if (!regroups || will.groupColumns.includes(name)) {
            columns.push({ name, expression: escapeIdentifier(source) });
            carried.push({ name, was: source, type });
        } else {
            const rollUp = rollUpOf(next, old, name, source);
            if (rollUp === undefined)
                problems.push(noRollUp(name, expressionOf(next, name), vanishedKeys, object)); // prettier-ignore
            else
                columns.push({
                    name,
                    expression: `${rollUp}(${escapeIdentifier(source)})::${type}`,
                });
            if (rollUp === "sum") summed.push(name);
        }
    }
    if (problems.length > 0) return { problems };
    const keys = will.groupColumns.flatMap((name) => sourceOf(name) ?? []);
    const used = new Set([...will.columns.map(({ name }) => sourceOf(name)), oldBucket.name]);
    return {
        mapping: {
            oldBucket: escapeIdentifier(oldBucket.name),
            newBucket: bucket,
            bucketName: newBucket.name,
            columns,
            ...(regroups && { groupBy: [bucket, ...keys.map(escapeIdentifier)] }),
            carried,
            summed,
            empty,
            dropped: names(was).filter((name) => !used.has(name)),
        },
    };
}

function names({ columns }: Pick<Version, "columns">): string[] {
    return columns.map(({ name }) => name);
}

function literal(value: string | number | boolean | null): string {
    if (value === null) return "NULL";
    return typeof value === "string" ? escapeLiteral(value) : escapeLiteral(String(value));
}

function expressionOf(definition: Definition, name: string): string {
    return definition.columns.find((column) => column.name === name)?.expression ?? "";
}

/** Aggregates of which the whole follows from the parts. */
const additive: ReadonlyMap<string, string> = new Map([
    ["count", "sum"],
    ["sum", "sum"],
    ["min", "min"],
    ["max", "max"],
    ["bool_and", "bool_and"],
    ["bool_or", "bool_or"],
]);

/** By both versions' own words: a column that was another thing under the same name is no part of it. */
function rollUpOf(
    next: Definition,
    old: Definition,
    name: string,
    source: string,
): string | undefined {
    const functions = [expressionOf(next, name), expressionOf(old, source)].map(
        (expression) =>
            /^\(?(?:[\w"]+\.)?(count|sum|min|max|bool_and|bool_or)\((?!DISTINCT )[^;]*\)(?:\)::[\w ]+)?$/.exec(
                expression,
            )?.[1],
    );
    const [one, other] = functions;
    // sum(n) over a lower aggregate is what count(*) is over raw rows.
    const same = one === other || [one, other].every((it) => it === "count" || it === "sum");
    return one !== undefined && same ? additive.get(one) : undefined;
}

function bucketProblem(
    was: string,
    will: string,
    object: string,
): { readonly grows: boolean; readonly problem?: TimescaleError } {
    const [old, next] = [bucketOf(was), bucketOf(will)];
    if (old === undefined || next === undefined) return { grows: false };
    const [from, to] = [lengthOf(old.width), lengthOf(next.width)];
    const sameUnits = variable(old.width) === variable(next.width);
    if (from === to && sameUnits && old.inTimeZone === next.inTimeZone) return { grows: false };
    // A month is a whole number of days, and no number of weeks.
    const fits = from < to && (sameUnits ? to % from === 0 : !variable(old.width) && lengthOf({ months: 0, days: 1, microseconds: 0 }) % from === 0); // prettier-ignore
    if (fits && !(old.inTimeZone && !next.inTimeZone)) return { grows: true };
    return {
        grows: false,
        problem: new TimescaleError(`the history of ${object} does not fit the new buckets`, {
            code: "history_bucket",
            detail: `a bucket of ${interval(bucketText(was))} cannot be made into ${interval(bucketText(will))}: the new one has to be a whole multiple`,
            hint: `choose a multiple, or declare the new aggregate under another name beside this one; onQueryChange: "rebuild" with acceptLoss gives the history up`,
            object,
        }),
    };
}

function variable(width: Interval): boolean {
    return width.months !== 0;
}

function bucketText(definition: string): string {
    return /time_bucket\(\s*'([^']*)'/.exec(definition)?.[1] ?? "?";
}

function interval(text: string): string {
    return `'${text}'`;
}

function noBucket(which: string, object: string): TimescaleError {
    return new TimescaleError(`the ${which} query of ${object} does not select its bucket`, {
        code: "history_bucket",
        detail: "history is copied by the bucket, which has to be a column of both versions",
        hint: "select time_bucket(…) AS bucket",
        object,
    });
}

function noRollUp(
    name: string,
    expression: string,
    vanishedKeys: readonly string[],
    object: string,
): TimescaleError {
    const why =
        vanishedKeys.length > 0
            ? `rows that differ in ${vanishedKeys.join(", ")} become one`
            : "several buckets become one";
    return new TimescaleError(`column ${name} of ${object} has no roll-up for its history`, {
        code: "history_roll_up",
        detail: `${why}, and ${expression} does not follow from the parts: only count, sum, min and max do`,
        hint: `set history: { rollUp: { ${name}: "…" } } to SQL over the old columns, such as "sum(total) / nullif(sum(n), 0)"; or to "NULL"`,
        object,
    });
}

/** Names in `history` that neither version has: a typing error would otherwise lose a column. */
function unknownColumns(
    { defaults, renamed, rollUp }: History,
    was: Version,
    will: Version,
    object: string,
): TimescaleError[] {
    const unknown = (field: string, given: readonly string[], version: Version, which: string) =>
        given
            .filter((name) => !names(version).includes(name))
            .map(
                (name) =>
                    new TimescaleError(`history.${field} of ${object} names no column`, {
                        code: "history_column",
                        detail: `${name} is no column of the ${which} query, which has ${names(version).join(", ")}`,
                        hint: "correct the name, or leave it out",
                        object,
                    }),
            );
    return [
        ...unknown("defaults", Object.keys(defaults ?? {}), will, "new"),
        ...unknown("renamed", Object.keys(renamed ?? {}), will, "new"),
        ...unknown("renamed", Object.values(renamed ?? {}), was, "standing"),
        ...unknown("rollUp", Object.keys(rollUp ?? {}), will, "new"),
    ];
}
