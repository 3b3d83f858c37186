/** Settings of compression: the declared ones completed as the server does it, and compared. Pure. */
import { escapeIdentifier } from "../identifier";
import { sameLength } from "../interval";
import { orderByTerm, parseOrderTerm } from "../relation/tableStatements";
import type {
    ActualCompression,
    ActualPolicies,
    CompressionSettings,
    DeclaredPolicies,
    DesiredPolicies,
    PolicyDiff,
} from "./changes";
import { type CompressionPolicy, policyProcedures } from "./policy";

/** What the server takes for settings of compression that are left out. */
export interface CompressionDefaults {
    readonly timeColumn: string;
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
}

export function compressionSettings(
    policy: CompressionPolicy,
    defaults: CompressionDefaults | undefined,
): CompressionSettings {
    const segmentBy = policy.segmentBy ?? defaults?.segmentBy;
    const orderBy = withTime(policy.orderBy, defaults) ?? defaults?.orderBy;
    const { compressChunkTimeInterval } = policy;
    return {
        ...(segmentBy !== undefined && { segmentBy }),
        ...(orderBy !== undefined && { orderBy }),
        ...(compressChunkTimeInterval !== undefined && { compressChunkTimeInterval }),
    };
}

/** The server appends the time column, newest first, to an order that lacks it. */
function withTime(
    orderBy: readonly string[] | undefined,
    defaults: CompressionDefaults | undefined,
): readonly string[] | undefined {
    if (orderBy === undefined || defaults === undefined) return orderBy;
    const { timeColumn } = defaults;
    return orderBy.some((term) => parseOrderTerm(term).column === timeColumn)
        ? orderBy
        : [...orderBy, `${escapeIdentifier(timeColumn)} DESC`];
}

export function compressionChange(
    actual: ActualPolicies,
    desired: DesiredPolicies,
    declared: DeclaredPolicies,
    defaults: CompressionDefaults | undefined,
): PolicyDiff {
    const policy = desired.compressionPolicy;
    const was = actual.compressed ? actual.compression : null;
    if (policy === undefined) {
        if (!actual.compressed) return { changes: [], notes: [] };
        if (declared.compressionPolicy) {
            const chunks = actual.compressedChunks ?? 0;
            return {
                changes: [
                    { kind: "compression", was, will: null },
                    ...(chunks > 0 ? [{ kind: "compressedChunks", chunks } as const] : []),
                ],
                notes: [],
            };
        }
        // A policy that is kept says as much already.
        const told = actual.jobs.some(
            ({ procedure }) => procedure === policyProcedures.compression,
        );
        return {
            changes: [],
            notes: told
                ? []
                : [
                      {
                          code: "kept_compression",
                          message:
                              "compression is on, which the program does not declare: it is kept",
                      },
                  ],
        };
    }
    const will = compressionSettings(policy, defaults);
    const interval = will.compressChunkTimeInterval ?? null;
    const sameChunks = sameLength(was?.chunkTimeInterval ?? null, interval);
    const same =
        was !== null &&
        sameChunks &&
        (will.segmentBy === undefined || sameList(was.segmentBy, will.segmentBy)) &&
        (will.orderBy === undefined || sameList(orderOf(was), will.orderBy.map(orderByTerm)));
    if (same) return { changes: [], notes: [] };
    // A setting that is left out of the statement stays; none is written as zero.
    const reset =
        was?.chunkTimeInterval != null && interval === null
            ? { compressChunkTimeInterval: "0" }
            : {};
    return { changes: [{ kind: "compression", was, will: { ...will, ...reset } }], notes: [] };
}

/** The order of compressed rows, in the terms that a program may write. */
export function orderOf(compression: ActualCompression): string[] {
    return compression.orderBy.map((column, index) =>
        orderByTerm(
            [
                escapeIdentifier(column),
                compression.orderByDesc[index] === true ? "DESC" : "ASC",
                compression.orderByNullsFirst[index] === true ? "NULLS FIRST" : "NULLS LAST",
            ].join(" "),
        ),
    );
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
    return one.length === other.length && one.every((entry, index) => entry === other[index]);
}
