/** Objects in an order in which each comes after those that it reads. */
import { escapeIdentifier } from "../../components/timescale/core/identifier";
import type { Dependency } from "./discover";
import type { Declaration, Kind } from "./standing";

export interface Ordered extends Declaration {
    /** Positions of what it reads, all before its own. */
    readonly reads: readonly number[];
}

const kinds: readonly Kind[] = ["Hypertable", "ContinuousAggregate", "View", "SqlFunction"];

/** Of those that could come next, by kind and then by name, so that the order is always the same. */
export function inOrder(
    declarations: readonly Declaration[],
    dependencies: readonly Dependency[],
): Ordered[] {
    const waiting = [...declarations].sort(byKindAndName);
    const known = new Set(declarations.map(({ oid }) => oid));
    const sources = new Map<string, string[]>();
    for (const { reader, source } of dependencies) {
        if (known.has(source)) sources.set(reader, [...(sources.get(reader) ?? []), source]);
    }
    const ordered: Ordered[] = [];
    const position = new Map<string, number>();
    while (waiting.length > 0) {
        const ready = waiting.findIndex(({ oid }) =>
            (sources.get(oid) ?? []).every((source) => position.has(source)),
        );
        // Functions may call each other in a circle; one of them has to come first.
        const [next] = waiting.splice(Math.max(ready, 0), 1);
        if (next === undefined) break;
        const reads = (sources.get(next.oid) ?? []).flatMap((source) => position.get(source) ?? []);
        position.set(next.oid, ordered.length);
        ordered.push({ ...next, reads: [...new Set(reads)].sort((one, other) => one - other) });
    }
    return ordered;
}

/**
 * What the text of a function names. The server knows nothing of what such a text reads, so a word
 * that is a table's name counts for it: too much of an order does no harm.
 */
export function mentioned(declarations: readonly Declaration[]): Dependency[] {
    const relations = declarations.filter(({ kind }) => kind !== "SqlFunction");
    return declarations
        .filter(({ kind }) => kind === "SqlFunction")
        .flatMap(({ oid, text }) => {
            const words = new Set(text?.sql.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu));
            return relations
                .filter(
                    ({ name: { name } }) => words.has(name) || words.has(escapeIdentifier(name)),
                )
                .map((relation) => ({ reader: oid, source: relation.oid }));
        });
}

function byKindAndName(one: Declaration, other: Declaration): number {
    return (
        kinds.indexOf(one.kind) - kinds.indexOf(other.kind) ||
        compare(one.name.schema, other.name.schema) ||
        compare(one.name.name, other.name.name) ||
        compare(one.object, other.object)
    );
}

/** By code units: the same on every machine, whatever its language. */
function compare(one: string, other: string): number {
    return one < other ? -1 : one > other ? 1 : 0;
}
