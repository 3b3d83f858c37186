/** What stands in the database, in the shape in which a program declares it; defaults are left out. */
import type { ActualAggregate } from "../../components/timescale/core/aggregate/inspect";
import type { ActualFunction } from "../../components/timescale/core/function/routine";
import type { ActualHypertable } from "../../components/timescale/core/hypertable/inspect";
import type { Column } from "../../components/timescale/core/hypertable/spec";
import { unquote } from "../../components/timescale/core/identifier";
import { sameInterval } from "../../components/timescale/core/interval";
import type { Privilege } from "../../components/timescale/core/relation/grants";
import {
    type ActualGrant,
    declarableGrants,
    type Grant,
} from "../../components/timescale/core/relation/grants";
import {
    type ActualIndex,
    type Index,
    indexName,
} from "../../components/timescale/core/relation/indexes";
import { canonicalType } from "../../components/timescale/core/relation/types";
import type { ActualView } from "../../components/timescale/core/view/inspect";
import { friendlyLength } from "./intervals";
import { policyInputs } from "./policies";
import type { Inputs } from "./properties";
import { orderTerm } from "./terms";

/** What a hypertable's own declaration has to pass over. */
export interface Skipped {
    /** Names of columns. */
    readonly columns: ReadonlySet<string>;
    /** Names of indexes. */
    readonly indexes: ReadonlySet<string>;
    /** Properties of policies, such as `refreshPolicy`. */
    readonly policies: ReadonlySet<string>;
}

export function hypertableInputs(
    actual: ActualHypertable,
    login: string,
    skipped: Skipped,
): Inputs {
    const { name, timeColumn, chunkTimeInterval, comment } = actual;
    const key = actual.indexes.find(({ primary }) => primary);
    return given({
        ...qualified(name),
        columns: actual.columns
            .filter((column) => !skipped.columns.has(column.name))
            .map((column): Column => ({
                name: column.name,
                type: friendlyType(column.type),
                ...(!column.nullable && { nullable: false }),
                ...(column.default !== null && { default: column.default }),
                ...(column.comment !== null && { comment: column.comment }),
            })),
        timeColumn,
        primaryKey: key?.columns.map(({ expression }) => unquote(expression)) ?? [],
        chunkTimeInterval: sameInterval(chunkTimeInterval, "7 days")
            ? undefined
            : friendlyLength(chunkTimeInterval),
        indexes: indexInputs(name.name, actual.indexes, skipped),
        ...policyInputs(actual, skipped.policies, {
            segmentBy: [],
            orderBy: [orderTerm(timeColumn, true)],
        }),
        comment: comment ?? undefined,
        owner: actual.owner === login ? undefined : actual.owner,
        grants: grantInputs(actual.grants),
    });
}

/** Without the query, whose text is a file of its own. */
export function aggregateInputs(actual: ActualAggregate, login: string, skipped: Skipped): Inputs {
    const { name, materializedOnly, groupIndexes, chunkTimeInterval, defaultChunkTimeInterval, comment } = actual; // prettier-ignore
    return given({
        ...qualified(name),
        materializedOnly: materializedOnly ? undefined : false,
        createGroupIndexes: groupIndexes ? undefined : false,
        chunkTimeInterval: sameInterval(chunkTimeInterval, defaultChunkTimeInterval)
            ? undefined
            : friendlyLength(chunkTimeInterval),
        indexes: indexInputs(name.name, actual.indexes, skipped),
        ...policyInputs(actual, skipped.policies, {
            segmentBy: actual.groupColumns,
            orderBy: [orderTerm(actual.timeColumn, false)],
        }),
        comment: comment ?? undefined,
        owner: actual.owner === login ? undefined : actual.owner,
        grants: grantInputs(actual.grants),
    });
}

/** Without the query, whose text is a file of its own. */
export function viewInputs(actual: ActualView, login: string): Inputs {
    const on = (option: string): true | undefined =>
        actual.options.some((it) => new RegExp(`^${option}=(?:t|true|y|yes|on|1)$`, "i").test(it))
            ? true
            : undefined;
    return given({
        ...qualified(actual.name),
        securityInvoker: on("security_invoker"),
        securityBarrier: on("security_barrier"),
        comment: actual.comment ?? undefined,
        owner: actual.owner === login ? undefined : actual.owner,
        grants: grantInputs(actual.grants),
    });
}

/** Schema, name and arguments are in its text, which is a file of its own. */
export function functionInputs(actual: ActualFunction, login: string): Inputs {
    return given({
        comment: actual.comment ?? undefined,
        owner: actual.owner === login ? undefined : actual.owner,
        grants: declarableGrants(actual.grants),
    });
}

export function qualified({ schema, name }: ActualHypertable["name"]): Inputs {
    return { ...(schema !== "public" && { schema }), name };
}

export function grantInputs(grants: readonly ActualGrant[]): readonly Grant[] {
    return declarableGrants(grants).map(({ role, privileges }) => ({
        role,
        privileges: privileges as readonly Privilege[],
    }));
}

/** Drops what is not given, and empty lists. */
export function given(inputs: Inputs): Inputs {
    return Object.fromEntries(
        Object.entries(inputs).filter(
            ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
        ),
    );
}

function indexInputs(
    table: string,
    indexes: readonly ActualIndex[],
    { indexes: skipped }: Skipped,
): readonly Index[] {
    return indexes
        .filter(({ primary, valid, name }) => !primary && valid && !skipped.has(name))
        .map(({ name, columns, method, predicate }) => {
            const index: Index = {
                columns: columns.map(({ expression, descending, nullsFirst }) =>
                    method === "btree"
                        ? orderTerm(unquote(expression), descending, nullsFirst)
                        : orderTerm(unquote(expression), false),
                ),
                ...(method !== "btree" && { method }),
                ...(predicate !== null && { where: predicate }),
            };
            return indexName(table, index) === name ? index : { name, ...index };
        });
}

/** The short spellings that people write, where they are the same type. */
function friendlyType(type: string): string {
    const short = type
        .replace(/^timestamp((?:\(\d\))?) with time zone/, "timestamptz$1")
        .replace(/^timestamp((?:\(\d\))?) without time zone/, "timestamp$1");
    return canonicalType(short) === canonicalType(type) ? short : type;
}
