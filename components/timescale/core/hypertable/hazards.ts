/** What a plan may do to a hypertable's rows, readers and writers. Pure: from changes and what was inspected. */
import { unquote } from "../identifier";
import { lockPatience, policyHazards } from "../plan/hazards";
import type { Hazard } from "../plan/plan";
import type { ActualIndex } from "../relation/indexes";
import { callsIn } from "../relation/relations";
import { describeExtent, type Extent, stakeOf } from "../removal/extent";
import type { HypertableChange } from "./diff";

/** What hazards are told with. */
export interface HypertableFacts {
    /** How much it holds; undefined: nothing that anybody could wait for or lose. */
    readonly extent?: Extent;
    /** Its chunks that a new retention drops. */
    readonly beyond?: Extent;
    /** Functions in defaults of new columns whose result differs from row to row. */
    readonly volatile?: readonly string[];
    /** Indexes that stand. */
    readonly indexes?: readonly ActualIndex[];
}

/** Whether there is anything to tell that takes a look at its size. */
export function needsExtent(changes: readonly HypertableChange[]): boolean {
    return changes.some(
        ({ kind }) =>
            kind === "primaryKey" ||
            kind === "nullable" ||
            kind === "addColumn" ||
            kind === "dropColumn" ||
            kind === "createIndex",
    );
}

/** Functions that defaults of new columns call. */
export function defaultCalls(changes: readonly HypertableChange[]): string[] {
    return changes.flatMap((change) =>
        change.kind === "addColumn" ? callsInDefault(change.column.default) : [],
    );
}

function callsInDefault(text: string | undefined): string[] {
    return text === undefined ? [] : callsIn(text).map(({ name }) => name);
}

/** @param object its name for people @param perChunk whether indexes are built chunk by chunk */
export function hypertableHazards(
    changes: readonly HypertableChange[],
    object: string,
    { perChunk }: { readonly perChunk: boolean },
    { extent, beyond, volatile = [], indexes = [] }: HypertableFacts,
): Hazard[] {
    const policies = policyHazards(changes, beyond);
    if (extent === undefined || extent.chunks === 0) return policies;
    const held = describeExtent(extent);
    return [
        ...changes.flatMap((change): Hazard[] =>
            change.kind === "dropColumn" ? dropsColumn(change.name, extent, indexes) : [],
        ),
        ...readsAll(changes, volatile, object, held),
        ...changes.flatMap((change): Hazard[] =>
            change.kind === "createIndex"
                ? [
                      {
                          name: "BLOCKS_WRITES",
                          message: perChunk
                              ? `index ${change.index.name} is built chunk by chunk: writers to the chunk at hand wait meanwhile; ${object} has ${held}`
                              : `writers of ${object} wait while index ${change.index.name} is built on all of it: ${held}`,
                      },
                  ]
                : [],
        ),
        ...policies,
    ];
}

function dropsColumn(name: string, extent: Extent, indexes: readonly ActualIndex[]): Hazard[] {
    const using = indexes.filter(({ columns }) =>
        columns.some(({ expression }) => unquote(expression) === name),
    );
    return [
        {
            name: "LOSES_DATA",
            message: `column ${name} is dropped with the values that it has: ${describeExtent(extent)}, from ${extent.begins} to ${extent.ends}`,
            stake: stakeOf(extent),
        },
        ...(using.length === 0
            ? []
            : [
                  {
                      name: "DROPS_DEPENDANT" as const,
                      message: `with column ${name} goes ${using.map((index) => `index ${index.name}`).join(", ")}`,
                  },
              ]),
    ];
}

/** Whatever reads or writes every row while nobody else can. */
function readsAll(
    changes: readonly HypertableChange[],
    volatile: readonly string[],
    object: string,
    held: string,
): Hazard[] {
    const works = changes.flatMap((change): string[] => {
        switch (change.kind) {
            case "primaryKey":
                return change.will.length === 0
                    ? []
                    : [`the primary key (${change.will.join(", ")}) is built`];
            case "nullable":
                return change.will ? [] : [`column ${change.column} is searched for NULL`];
            case "addColumn": {
                const calls = callsInDefault(change.column.default);
                return calls.some((name) => volatile.includes(name))
                    ? [`column ${change.column.name} is filled, which rewrites every row`]
                    : [];
            }
            default:
                return [];
        }
    });
    if (works.length === 0) return [];
    return [
        {
            name: "BLOCKS_WRITES",
            message: `writers of ${object} wait while ${works.join(" and ")} under AccessExclusiveLock, in all of it: ${held}; ${lockPatience}`,
        },
        { name: "BLOCKS_READS", message: `readers of ${object} wait as long` },
    ];
}
