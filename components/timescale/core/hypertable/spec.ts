/** What a hypertable should be, and the rules that can be checked without a server. */
import { validateBackup } from "../backup/validate";
import { identifierProblem } from "../identifier";
import type { CompressionPolicy, RetentionPolicy } from "../policies/policy";
import { validateCompressionPolicy, validateRetention } from "../policies/validate";
import { type Grant, grantsToOthers } from "../relation/grants";
import { type DesiredIndex, desiredIndexes, type Index } from "../relation/indexes";
import { declaredComment, parseOrderTerm } from "../relation/tableStatements";
import { canonicalType } from "../relation/types";
import { validateIndexes } from "../relation/validateIndexes";
import type { Waiver } from "../rules/finding";
import { validateWaivers } from "../rules/waivers";
import { type IsUnknown, type Problem, shown, Validation } from "../validate";

/** One column of a hypertable, such as `{ name: "ts", type: "timestamptz", nullable: false }`. */
export interface Column {
    /** As it stands in the catalog, without quotes. Another name is another column. */
    readonly name: string;
    /** Any PostgreSQL type, such as `timestamptz`, `numeric(12,8)` or `text[]`. `up` refuses to change it. */
    readonly type: string;
    /** Changed in place; NOT NULL fails where rows have none. @default true, as in SQL */
    readonly nullable?: boolean;
    /** A SQL expression, such as `'internal'` or `now()`; changed for new rows only. @default - none */
    readonly default?: string;
    /** @default - no comment */
    readonly comment?: string;
}

/** A hypertable as its program declares it, with everything resolved. */
export interface DesiredHypertable {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly Column[];
    readonly timeColumn: string;
    readonly primaryKey: readonly string[];
    readonly chunkTimeInterval: string;
    readonly indexes: readonly DesiredIndex[];
    readonly retentionPolicy?: RetentionPolicy;
    readonly compressionPolicy?: CompressionPolicy;
    readonly comment: string | null;
    /** The login's own role where it is undefined. */
    readonly owner?: string;
    readonly grants: readonly Grant[];
    readonly adopt: boolean;
    readonly dropColumns: readonly string[];
    readonly waive: readonly Waiver[];
    /** Folder for backups of what is about to be removed; undefined: none is written. */
    readonly backup?: string;
}

export const hypertableProperties = [
    "connection",
    "databaseUuid",
    "schema",
    "name",
    "columns",
    "timeColumn",
    "primaryKey",
    "chunkTimeInterval",
    "indexes",
    "retentionPolicy",
    "compressionPolicy",
    "comment",
    "owner",
    "grants",
    "adopt",
    "dropColumns",
    "waive",
    "backup",
] as const;

/** Types that a hypertable of this project can be partitioned on, as the catalog spells them. */
const timeTypes = ["timestamp with time zone", "timestamp without time zone", "date"];

/** What may stand behind a type in CREATE TABLE, and would not be compared. */
const constraints = /\b(?:null|default|primary|unique|check|references|generated|constraint)\b/i;

export function validateHypertable(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, hypertableProperties, "");
    check.connection(inputs["connection"]);
    check.identifier("name", inputs["name"]);
    if (check.given(inputs["schema"])) check.identifier("schema", inputs["schema"]);
    check.interval("chunkTimeInterval", "chunkTimeInterval", inputs["chunkTimeInterval"], {
        positive: true,
    });
    check.boolean("adopt", inputs["adopt"]);
    check.text("comment", inputs["comment"]);
    if (check.given(inputs["owner"])) check.identifier("owner", inputs["owner"]);
    check.grants(inputs["grants"]);

    check.text("databaseUuid", inputs["databaseUuid"]);
    validateBackup(check, inputs);

    const columns = validateColumns(check, inputs["columns"]);
    const references = (property: string, names: readonly unknown[]): void => {
        if (columns === undefined) return;
        for (const name of names) {
            if (check.isUnknown(name) || columns.has(String(name))) continue;
            check.add(
                property,
                `${property} names column ${JSON.stringify(name)}, which is not declared`,
                `declared are ${[...columns.keys()].join(", ")}`,
                "declare the column, or correct the name",
            );
        }
    };
    validateTimeColumn(check, inputs["timeColumn"], columns);
    const key = check.list("primaryKey", inputs["primaryKey"]);
    references("primaryKey", key);
    if (
        key.length > 0 &&
        !key.some(isUnknown) &&
        check.given(inputs["timeColumn"]) &&
        !key.includes(inputs["timeColumn"])
    ) {
        check.add(
            "primaryKey",
            "primaryKey lacks the time column",
            `TimescaleDB keeps a key unique only together with ${String(inputs["timeColumn"])}`,
            "add the time column to primaryKey",
        );
    }
    validateIndexes(check, inputs, references);
    const drop = check.list("dropColumns", inputs["dropColumns"]);
    for (const name of drop) {
        if (columns?.has(String(name)) === true) {
            check.add(
                "dropColumns",
                `dropColumns names ${String(name)}, which is declared as well`,
                undefined,
                "remove it from columns, or from dropColumns",
            );
        }
    }
    validateWaivers(check, inputs["waive"]);
    validateRetention(check, inputs["retentionPolicy"]);
    validateCompressionPolicy(check, inputs["compressionPolicy"]);
    references("compressionPolicy", compressionColumns(inputs["compressionPolicy"], isUnknown));
    return check.problems;
}

/** The columns that a compression policy names, as far as they are known. */
function compressionColumns(policy: unknown, isUnknown: IsUnknown): string[] {
    if (typeof policy !== "object" || policy === null) return [];
    const { segmentBy, orderBy } = policy as { segmentBy?: unknown; orderBy?: unknown };
    const texts = (list: unknown): string[] =>
        Array.isArray(list)
            ? list.filter(
                  (entry): entry is string => typeof entry === "string" && !isUnknown(entry),
              )
            : [];
    return [...texts(segmentBy), ...texts(orderBy).map((term) => parseOrderTerm(term).column)];
}

/** Undefined where a name is not known yet, so that nothing can be said of references. */
function validateColumns(check: Validation, value: unknown): Map<string, Column> | undefined {
    if (check.isUnknown(value)) return undefined;
    const list = check.list("columns", value);
    if (list.length === 0) {
        check.add(
            "columns",
            "a hypertable needs columns",
            undefined,
            "list them as { name, type, nullable, default }",
        );
        return undefined;
    }
    const columns = new Map<string, Column>();
    let complete = true;
    list.forEach((entry, index) => {
        if (check.isUnknown(entry)) {
            complete = false;
            return;
        }
        const path = `columns[${index}]`;
        if (typeof entry !== "object" || entry === null) {
            check.add(
                "columns",
                `${path} must be { name, type }`,
                shown(entry),
                "see the reference",
            );
            return;
        }
        const column = entry as Column;
        check.onlyKnown(entry, ["name", "type", "nullable", "default", "comment"], `${path}.`);
        if (check.isUnknown(column.name)) complete = false;
        const problem = column.name === undefined ? "is missing" : identifierProblem(column.name);
        if (problem !== undefined)
            check.add(
                "columns",
                `${path}.name ${problem}`,
                shown(column.name),
                "give a name of 1 to 63 bytes",
            );
        if (typeof column.type !== "string" || !/^[^;]+$/.test(column.type)) {
            check.add(
                "columns",
                `${path}.type is not a type`,
                shown(column.type),
                "write a PostgreSQL type, such as timestamptz",
            );
        } else if (constraints.test(column.type.replace(/"(?:[^"]|"")*"/g, '""'))) {
            check.add(
                "columns",
                `${path}.type says more than a type`,
                shown(column.type),
                "say it with nullable, default and primaryKey; others are not declared",
            );
        } else if (/^\s*(?:big|small)?serial[248]?\s*$/i.test(column.type)) {
            check.add(
                "columns",
                `${path}.type is no type of its own`,
                `${column.type} stands for an integer with a sequence as its default`,
                "write bigint, and the default that you want",
            );
        }
        check.boolean("columns", column.nullable, `${path}.nullable`);
        check.text("columns", column.default, `${path}.default`);
        check.text("columns", column.comment, `${path}.comment`);
        if (columns.has(column.name) && !check.isUnknown(column.name)) {
            check.add(
                "columns",
                `column ${column.name} is declared twice`,
                undefined,
                "keep one of them",
            );
        }
        columns.set(column.name, column);
    });
    return complete ? columns : undefined;
}

function validateTimeColumn(
    check: Validation,
    value: unknown,
    columns: Map<string, Column> | undefined,
): void {
    if (check.isUnknown(value)) return;
    if (typeof value !== "string" || value === "") {
        check.add(
            "timeColumn",
            "timeColumn is missing",
            undefined,
            "name the column that chunks are cut by",
        );
        return;
    }
    if (columns === undefined) return;
    const column = columns.get(value);
    if (column === undefined) {
        check.add(
            "timeColumn",
            `timeColumn names column ${JSON.stringify(value)}, which is not declared`,
            `declared are ${[...columns.keys()].join(", ")}`,
            "declare the column, or correct the name",
        );
    } else if (
        typeof column.type === "string" &&
        !check.isUnknown(column.type) &&
        !timeTypes.includes(canonicalType(column.type).replace(/\(\d\)/, ""))
    ) {
        check.add(
            "timeColumn",
            `column ${value} is no time column`,
            `its type is ${column.type}; supported are timestamptz, timestamp and date`,
            "make it a timestamptz",
        );
    }
}

/** Fills in the documented defaults; only for inputs that validated without a problem. */
export function desiredHypertable(inputs: Readonly<Record<string, unknown>>): DesiredHypertable {
    const given = inputs as unknown as Partial<DesiredHypertable> & {
        readonly indexes?: readonly Index[];
    };
    const name = given.name ?? "";
    return {
        schema: given.schema ?? "public",
        name,
        columns: given.columns ?? [],
        timeColumn: given.timeColumn ?? "",
        primaryKey: given.primaryKey ?? [],
        chunkTimeInterval: given.chunkTimeInterval ?? "7 days",
        indexes: desiredIndexes(name, given.indexes ?? []),
        comment: declaredComment(given.comment),
        grants: grantsToOthers(given.grants, inputs),
        adopt: given.adopt ?? false,
        dropColumns: given.dropColumns ?? [],
        waive: given.waive ?? [],
        ...(given.owner && { owner: given.owner }),
        ...(given.backup && { backup: given.backup }),
        ...(given.retentionPolicy && { retentionPolicy: given.retentionPolicy }),
        ...(given.compressionPolicy && { compressionPolicy: given.compressionPolicy }),
    };
}
