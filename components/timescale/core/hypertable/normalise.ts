/**
 * Types, defaults and index conditions in the server's own words.
 *
 * Text can tell that `int4` is `integer`, and not that `upper('x')` is `upper('x'::text)`. So where
 * texts differ, a temporary table of the declared columns is created, read back and rolled back.
 */
import { DatabaseError } from "pg";

import { serverError } from "../connection/serverErrors";
import { inTransaction, type Queryable, type Session } from "../connection/session";
import { displayName, escapeIdentifier } from "../identifier";
import { extended } from "../query/normalise";
import type { ActualIndex, DesiredIndex } from "../relation/indexes";
import { readSql } from "../sqlFile";
import type { HypertableDiff } from "./diff";
import type { ActualHypertable } from "./inspect";
import type { DesiredHypertable } from "./spec";

interface NormalisedColumns {
    readonly columns: readonly {
        readonly name: string;
        readonly type: string;
        readonly default: string | null;
    }[];
    /** By the name of the index. */
    readonly predicates: Readonly<Record<string, string | null>>;
}

/** Whether a difference could be one of spelling. */
export function mayBeSpelling({ changes }: HypertableDiff): boolean {
    return changes.some(
        (change) =>
            change.kind === "default" ||
            (change.kind === "createIndex" && change.instead !== undefined) ||
            (change.kind === "refuse" &&
                (change.reason.what === "columnType" || change.reason.what === "adopt")),
    );
}

/** The declaration, in the words of the database wherever it means what stands there. */
export async function inServersWords(
    session: Session,
    desired: DesiredHypertable,
    actual: ActualHypertable,
    searchPath: readonly string[],
): Promise<DesiredHypertable> {
    const normalised = await readBack(session, desired, searchPath, displayName(desired));
    return normalised === undefined ? desired : settle(desired, actual, normalised);
}

/** The declared indexes of an aggregate, with their conditions in the words of the database. */
export async function indexesInServersWords(
    session: Session,
    desired: readonly DesiredIndex[],
    actual: readonly ActualIndex[],
    columns: readonly { readonly name: string; readonly type: string }[],
    searchPath: readonly string[],
    object: string,
): Promise<readonly DesiredIndex[]> {
    const normalised = await readBack(session, { columns, indexes: desired }, searchPath, object);
    return normalised === undefined
        ? desired
        : settlePredicates(desired, actual, normalised.predicates);
}

function readBack(
    session: Session,
    table: Pick<DesiredHypertable, "columns" | "indexes">,
    searchPath: readonly string[],
    object: string,
): Promise<NormalisedColumns | undefined> {
    return inTransaction(session, { searchPath, rollback: true }, (client) =>
        normalise(client, table),
    ).then(undefined, (error: unknown) => {
        if (isNotTaken(error)) return undefined;
        throw serverError(error, { statement: "normalise_columns", object });
    });
}

/**
 * Whether it is the text that the server does not take: that differs, and applying it says why. Of a
 * server that only reads, or gives no temporary tables, nothing follows.
 */
function isNotTaken(error: unknown): boolean {
    return error instanceof DatabaseError && /^(?:42(?!501)|22|0A)/.test(error.code ?? "");
}

/** The name cannot clash: the schema is the session's own, and the table never outlives the transaction. */
const table = "pulumi_timescale_desired";

async function normalise(
    client: Queryable,
    { columns, indexes }: Pick<DesiredHypertable, "columns" | "indexes">,
): Promise<NormalisedColumns | undefined> {
    const definitions = columns.map((column) =>
        [
            escapeIdentifier(column.name),
            column.type,
            ...(column.default === undefined ? [] : [`DEFAULT (${column.default})`]),
        ].join(" "),
    );
    await extended(client, `CREATE TEMPORARY TABLE ${table} (\n${definitions.join(",\n")}\n)`);
    for (const { name, where } of indexes) {
        if (where === undefined) continue;
        await extended(
            client,
            `CREATE INDEX ${escapeIdentifier(name)} ON pg_temp.${table} ((1)) WHERE ${where}`,
        );
    }
    const { rows } = await client.query<NormalisedColumns & Record<string, unknown>>(
        readSql("catalog/normalised_columns.sql"),
        [`pg_temp.${table}`],
    );
    return rows[0];
}

function settle(
    desired: DesiredHypertable,
    actual: ActualHypertable,
    { columns, predicates }: NormalisedColumns,
): DesiredHypertable {
    return {
        ...desired,
        columns: desired.columns.map((column) => {
            const stands = actual.columns.find(({ name }) => name === column.name);
            const meant = columns.find(({ name }) => name === column.name);
            if (stands === undefined || meant === undefined) return column;
            const { default: _default, ...rest } = column;
            return {
                ...rest,
                type: meant.type === stands.type ? stands.type : column.type,
                ...(meant.default === stands.default
                    ? stands.default !== null && { default: stands.default }
                    : column.default !== undefined && { default: column.default }),
            };
        }),
        indexes: settlePredicates(desired.indexes, actual.indexes, predicates),
    };
}

function settlePredicates(
    desired: readonly DesiredIndex[],
    actual: readonly ActualIndex[],
    predicates: NormalisedColumns["predicates"],
): readonly DesiredIndex[] {
    return desired.map((index) => {
        const stands = actual.find(({ name }) => name === index.name);
        const predicate = stands?.predicate ?? null;
        return predicate !== null && predicates[index.name] === predicate
            ? { ...index, where: predicate }
            : index;
    });
}
