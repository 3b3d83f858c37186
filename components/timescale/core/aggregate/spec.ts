/** What a continuous aggregate should be, and the rules that can be checked without a server. */
import { validateBackup } from "../backup/validate";
import { describeLength, lengthOf } from "../interval";
import type { CompressionPolicy, RefreshPolicy, RetentionPolicy } from "../policies/policy";
import { validateCompressionPolicy, validateRetention } from "../policies/validate";
import { bucketWidth, queryProblems } from "../query/query";
import { type Grant, grantsToOthers } from "../relation/grants";
import { type DesiredIndex, desiredIndexes, type Index } from "../relation/indexes";
import { declaredComment } from "../relation/tableStatements";
import { validateIndexes } from "../relation/validateIndexes";
import { columnNameProblems } from "../rules/columnNames";
import type { Waiver } from "../rules/finding";
import { validateWaivers } from "../rules/waivers";
import { type IsUnknown, jobSettingNames, type Problem, shown, Validation } from "../validate";
import type { History } from "./keepHistory/mapping";
import { validateHistory } from "./keepHistory/validate";

/** A continuous aggregate as its program declares it, with everything resolved. */
export interface DesiredAggregate {
    readonly schema: string;
    readonly name: string;
    readonly query: string;
    readonly materializedOnly: boolean;
    /** Whether the server makes an index for each grouping column; looked at when it is created. */
    readonly createGroupIndexes: boolean;
    readonly chunkTimeInterval?: string;
    readonly refreshPolicy?: RefreshPolicy;
    readonly retentionPolicy?: RetentionPolicy;
    readonly compressionPolicy?: CompressionPolicy;
    readonly comment: string | null;
    /** The login's own role where it is undefined. */
    readonly owner?: string;
    readonly indexes: readonly DesiredIndex[];
    readonly grants: readonly Grant[];
    readonly adopt: boolean;
    /** Rows of history that deleting may lose although raw data can no longer give them. */
    readonly acceptLoss: number;
    readonly onDelete: "drop" | "keep";
    /** Folder for backups of what is about to be removed; undefined: none is written. */
    readonly backup?: string;
    /** What `up` does about a query that is really another. */
    readonly onQueryChange: "refuse" | "rebuild" | "keepHistory";
    /** With "keepHistory": what becomes of history that raw data can no longer give. */
    readonly history: History;
    readonly waive: readonly Waiver[];
}

export const aggregateProperties = [
    "connection",
    "databaseUuid",
    "schema",
    "name",
    "query",
    "materializedOnly",
    "createGroupIndexes",
    "chunkTimeInterval",
    "refreshPolicy",
    "retentionPolicy",
    "compressionPolicy",
    "comment",
    "owner",
    "indexes",
    "grants",
    "adopt",
    "acceptLoss",
    "onDelete",
    "onQueryChange",
    "history",
    "waive",
    "backup",
] as const;

/** Every problem of the inputs at once; unknown values are passed over. */
export function validateAggregate(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, aggregateProperties, "");
    check.connection(inputs["connection"]);
    check.identifier("name", inputs["name"]);
    if (check.given(inputs["schema"])) check.identifier("schema", inputs["schema"]);

    check.text("databaseUuid", inputs["databaseUuid"]);
    const bucket = validateQuery(check, inputs["query"]);
    check.boolean("materializedOnly", inputs["materializedOnly"]);
    check.boolean("createGroupIndexes", inputs["createGroupIndexes"]);
    check.boolean("adopt", inputs["adopt"]);
    check.text("comment", inputs["comment"]);
    check.interval("chunkTimeInterval", "chunkTimeInterval", inputs["chunkTimeInterval"], {
        positive: true,
    });
    if (check.given(inputs["owner"])) check.identifier("owner", inputs["owner"]);
    check.grants(inputs["grants"]);
    // Which columns there are, only the server can tell.
    validateIndexes(check, inputs, () => undefined);
    validateDeletion(check, inputs);
    validateWaivers(check, inputs["waive"]);
    validateBackup(check, inputs);

    const start = validateRefresh(check, inputs["refreshPolicy"], bucket);
    validateRetention(check, inputs["retentionPolicy"]);
    validateCompression(check, inputs, start);
    return check.problems;
}

function validateQuery(check: Validation, query: unknown): number | undefined {
    if (check.isUnknown(query)) return undefined;
    if (typeof query !== "string") {
        check.add(
            "query",
            "query is missing",
            query === undefined ? undefined : shown(query),
            "give the SELECT of the aggregate as text",
        );
        return undefined;
    }
    for (const { message, detail, hint, rule } of [
        ...queryProblems(query),
        ...columnNameProblems(query),
    ])
        check.add("query", message, detail, hint, rule);
    const width = bucketWidth(query);
    return width === undefined ? undefined : lengthOf(width);
}

/** The start offset in microseconds, where there is a bounded one. */
function validateRefresh(
    check: Validation,
    value: unknown,
    bucket: number | undefined,
): number | undefined {
    const policy = check.object("refreshPolicy", value);
    if (policy === undefined) return undefined;
    check.onlyKnown(policy, ["startOffset", "endOffset", ...jobSettingNames], "refreshPolicy.");
    check.jobSettings("refreshPolicy", policy, true);
    const start = check.interval(
        "refreshPolicy",
        "refreshPolicy.startOffset",
        policy["startOffset"],
    );
    const end = check.interval("refreshPolicy", "refreshPolicy.endOffset", policy["endOffset"]);
    if (start !== undefined && end !== undefined) {
        const problem = windowProblem(start, end, bucket);
        if (problem !== undefined)
            check.add(
                "refreshPolicy",
                problem.message,
                problem.detail,
                problem.hint,
                "two_buckets",
            );
    }
    return start;
}

/** The server's two-bucket rule, which it checks when a policy is added but not when it is altered. */
export function windowProblem(
    start: number,
    end: number,
    bucket: number | undefined,
): { readonly message: string; readonly detail: string; readonly hint: string } | undefined {
    const window = start - end;
    const needed = bucket === undefined ? 0 : 2 * bucket;
    if (window > 0 && window >= needed) return undefined;
    const window_ = `startOffset ${describeLength(start)} - endOffset ${describeLength(end)}`;
    if (bucket === undefined) {
        return {
            message: "refreshPolicy covers no time",
            detail: `the refresh window (${window_}) must be longer than two buckets`,
            hint: "set refreshPolicy.startOffset to more than endOffset, or leave it out to refresh from the beginning",
        };
    }
    return {
        message: `refreshPolicy covers ${describeLength(window)}, and the bucket is ${describeLength(bucket)}`,
        detail: `the refresh window (${window_}) must span at least two buckets: ${describeLength(needed)}`,
        hint: `set refreshPolicy.startOffset to at least "${describeLength(end + needed)}", or leave it out to refresh from the beginning`,
    };
}

function validateCompression(
    check: Validation,
    inputs: Readonly<Record<string, unknown>>,
    refreshStart: number | undefined,
): void {
    const after = validateCompressionPolicy(check, inputs["compressionPolicy"]);
    if (after === undefined) return;
    const refresh = inputs["refreshPolicy"];
    if (!check.given(refresh)) {
        if (check.isUnknown(refresh)) return;
        check.add(
            "compressionPolicy",
            "compressionPolicy needs a refreshPolicy",
            "the server compresses only what a refresh policy no longer touches",
            "add a refreshPolicy, or leave compressionPolicy out",
            "compression_without_refresh",
        );
        return;
    }
    const unbounded =
        typeof refresh === "object" &&
        ((refresh as Readonly<Record<string, unknown>>)["startOffset"] ?? null) === null;
    if (unbounded || (refreshStart !== undefined && after <= refreshStart)) {
        check.add(
            "compressionPolicy",
            "compressionPolicy.compressAfter lies inside the refresh window",
            `compressAfter is ${describeLength(after)} and refreshPolicy.startOffset is ${refreshStart === undefined ? "unbounded" : describeLength(refreshStart)}`,
            "compress later than refreshPolicy.startOffset",
            "compression_inside_refresh_window",
        );
    }
}

function validateChoice(
    check: Validation,
    inputs: Readonly<Record<string, unknown>>,
    property: string,
    choices: readonly string[],
): void {
    const value = inputs[property];
    if (!check.given(value) || choices.includes(value as string)) return;
    const quoted = choices.map((choice) => JSON.stringify(choice));
    check.add(
        property,
        choices.length === 2
            ? `${property} is neither ${choices.join(" nor ")}`
            : `${property} is none of ${choices.join(", ")}`,
        shown(value),
        `write ${quoted.join(" or ")}`,
    );
}

function validateDeletion(check: Validation, inputs: Readonly<Record<string, unknown>>): void {
    validateChoice(check, inputs, "onDelete", ["drop", "keep"]);
    validateChoice(check, inputs, "onQueryChange", ["refuse", "rebuild", "keepHistory"]);
    validateHistory(check, inputs["history"]);
    const accept = check.object("acceptLoss", inputs["acceptLoss"]);
    if (accept === undefined) return;
    check.onlyKnown(accept, ["upToRows"], "acceptLoss.");
    const rows = accept["upToRows"];
    if (!check.isUnknown(rows) && !(Number.isInteger(rows) && Number(rows) >= 0)) {
        check.add(
            "acceptLoss",
            "acceptLoss.upToRows must be a whole number of rows",
            shown(rows),
            "write how many rows may be lost",
        );
    }
}

/** Fills in the documented defaults; only for inputs that validated without a problem. */
export function desiredAggregate(inputs: Readonly<Record<string, unknown>>): DesiredAggregate {
    const given = inputs as Partial<Omit<DesiredAggregate, "acceptLoss" | "indexes">> & {
        readonly acceptLoss?: { readonly upToRows: number };
        readonly indexes?: readonly Index[];
    };
    const name = given.name ?? "";
    return {
        schema: given.schema ?? "public",
        name,
        query: given.query ?? "",
        materializedOnly: given.materializedOnly ?? true,
        createGroupIndexes: given.createGroupIndexes ?? true,
        comment: declaredComment(given.comment),
        indexes: desiredIndexes(name, given.indexes ?? []),
        grants: grantsToOthers(given.grants, inputs),
        adopt: given.adopt ?? false,
        acceptLoss: given.acceptLoss?.upToRows ?? 0,
        onDelete: given.onDelete ?? "drop",
        onQueryChange: given.onQueryChange ?? "refuse",
        history: given.history ?? {},
        waive: given.waive ?? [],
        ...(given.owner && { owner: given.owner }),
        ...(given.backup && { backup: given.backup }),
        ...(given.chunkTimeInterval && { chunkTimeInterval: given.chunkTimeInterval }),
        ...(given.refreshPolicy && { refreshPolicy: given.refreshPolicy }),
        ...(given.retentionPolicy && { retentionPolicy: given.retentionPolicy }),
        ...(given.compressionPolicy && { compressionPolicy: given.compressionPolicy }),
    };
}
