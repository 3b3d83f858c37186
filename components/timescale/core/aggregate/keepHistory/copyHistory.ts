/** Copies what raw data can no longer give, chunk by chunk. */
import { displayName, escapeLiteral } from "../../identifier";
import type { BuildingState } from "../../memory/marker";
import { readSql } from "../../sqlFile";
import { bucketAt, timeOf, widthOf } from "../bucket";
import { rawRanges } from "../history";
import type { ActualAggregate } from "../inspect";
import type { Mapping } from "./mapping";
import type { Pair } from "./replacement";
import { type CopiedRange, copyStatements, markBuilding } from "./statements";
import type { Work } from "./work";

export async function copy(
    work: Work,
    pair: Pair,
    version: ActualAggregate,
    mapping: Mapping,
    state: BuildingState & { readonly cut: string },
): Promise<void> {
    const { cut } = state;
    const { rows } = await work.reading((client) =>
        client.query<{ edge: string }>(readSql("catalog/version_edges.sql"), [
            pair.old.materializationId,
        ]),
    );
    const within = rows.map(({ edge }) => edge).filter((edge) => edge < cut);
    // What an earlier attempt has copied ends at an edge, or at the cut.
    const edges = [...within, cut].filter((edge) => edge > (state.copied ?? ""));
    let from = state.copied;
    for (const [at, edge] of edges.entries()) {
        work.options.onStatus(`copying the history of ${displayName(pair.name)}, ${at}/${edges.length} chunks`); // prettier-ignore
        const range: CopiedRange = {
            ...(from !== undefined && { from: bucketAt(version, timeOf(from)) }),
            to: edge === cut ? timeOf(cut) : bucketAt(version, timeOf(edge)),
        };
        await work.apply(pair, [
            ...copyStatements({ old: pair.old, beside: version.name }, mapping, range),
            markBuilding(version.name, { ...state, copied: edge }),
        ]);
        from = edge;
    }
    await copyGaps(work, pair, version, mapping, cut);
}

/** Where raw rows were deleted, or never were, the old version may still have what it had of them. */
async function copyGaps(
    work: Work,
    pair: Pair,
    version: ActualAggregate,
    mapping: Mapping,
    cut: string,
): Promise<void> {
    const raw = await work.reading((client) => rawRanges(client, pair.old.sourceId));
    if (raw.length < 2) return;
    const times = (list: readonly string[]): string =>
        `ARRAY[${list.map((time) => escapeLiteral(time)).join(", ")}]::timestamptz[]`;
    const gaps = [
        `NOT EXISTS (SELECT FROM unnest(${times(raw.map(({ begins }) => begins))}, ${times(raw.map(({ ends }) => ends))}) raw (begins, ends)`,
        `    WHERE raw.begins < $bucket + ${widthOf(version)} AND raw.ends > $bucket)`,
        // What is newer than all raw data is still to come.
        `AND $bucket < ${timeOf(raw.at(-1)?.begins ?? "")}`,
    ].join("\n");
    const range = { from: timeOf(cut), gaps };
    await work.apply(pair, copyStatements({ old: pair.old, beside: version.name }, mapping, range));
}
