/** Builds a new version beside the old one, or brings a kept one back. */
import { TimescaleError } from "../../errors";
import { displayName, quoteQualified } from "../../identifier";
import type { BuildingState } from "../../memory/marker";
import { trying } from "../../plan/converging";
import { viewOver } from "../../query/normalise";
import { statementBody } from "../../query/query";
import { timeOf } from "../bucket";
import type { ActualAggregate } from "../inspect";
import { copy } from "./copyHistory";
import { lackingHistory } from "./lacking";
import type { Mapping } from "./mapping";
import type { Pair } from "./replacement";
import { asBuilt, dropVersionStatements, markBuilding, markDone } from "./statements";
import { verifyCopied } from "./verify";
import { versionTree } from "./versions";
import type { Built, Work } from "./work";

export async function build(work: Work, pair: Pair, mapping: Mapping): Promise<Built> {
    const { old } = pair;
    const title = displayName(pair.name);
    let version = await leftStanding(work, pair);
    if (version === undefined) {
        work.options.onStatus(`building the new version of ${title} beside it`);
        const of: BuildingState = { of: title };
        await work.apply(pair, [
            ...work.options.creation(asBuilt(pair)),
            markBuilding(pair.beside, of),
        ]);
        version = await work.inspect(pair.beside);
    }
    const { building = { of: title } } = version.marker;
    const cut = building.cut ?? (await compute(work, pair, version, building));
    await copy(work, pair, version, mapping, { ...building, cut });
    work.options.onStatus(`comparing the history of ${title} in both versions`);
    await work.reading((client) => verifyCopied(client, old, version, mapping, cut));
    const { rows } = await work.reading((client) =>
        client.query<{ copied: boolean }>(
            `SELECT EXISTS (SELECT FROM ${quoteQualified(old.name)} WHERE ${mapping.newBucket} < ${timeOf(cut)}) AS copied`,
        ),
    );
    return { pair, version, cut, copied: rows[0]?.copied === true };
}

/** Fills what raw data has whole. @returns the cut, which is marked: what is before it is done, and empty */
async function compute(
    work: Work,
    pair: Pair,
    version: ActualAggregate,
    state: BuildingState,
): Promise<string> {
    await work.fillFrom(pair, version, await work.cut(pair, version));
    // Raw data may have been dropped meanwhile: what it takes with it is copied.
    const cut = await work.cut(pair, version);
    const { extensionSchema } = work.options.server;
    await work.apply(pair, [markDone(pair.beside, cut, extensionSchema)]);
    await work.apply(pair, [markBuilding(pair.beside, { ...state, cut })]);
    return cut;
}

export async function bringBack(work: Work, pair: Pair): Promise<Built> {
    const version = await work.inspect(pair.beside);
    const cut = await work.cut(pair, version);
    const { old, desired } = pair;
    const retention = desired.retentionPolicy?.dropAfter ?? null;
    const { buckets, oldest, newest } = await work.reading((client) =>
        lackingHistory(client, { old, version, cut, retention }),
    );
    if (buckets > 0 && old.bucketWidth === version.bucketWidth) {
        const object = displayName(pair.name);
        throw new TimescaleError(`${displayName(version.name)} lacks history that ${object} has`, {
            code: "version_incomplete",
            detail: `rows of ${buckets} buckets from ${oldest} to ${newest} came after it was last refreshed, and raw data can no longer give them`,
            hint: `declare onQueryChange: "keepHistory", which builds the version anew, after dropping this one with history: { replacedVersions: "drop" }`,
            object,
        });
    }
    return { pair, version, cut, copied: false };
}

/** What an earlier attempt left, if it is of use; it is dropped when it is of another query. */
async function leftStanding(work: Work, pair: Pair): Promise<ActualAggregate | undefined> {
    const { standing, beside } = pair;
    if (standing === undefined) return undefined;
    if (await isOfThisQuery(work, pair, standing)) return standing;
    work.options.onStatus(`dropping ${displayName(beside)}, which was begun with another query`);
    const tree = await work.reading((client) => versionTree(client, beside));
    for (const version of tree) {
        await work.apply(pair, dropVersionStatements(version));
    }
    return undefined;
}

function isOfThisQuery(
    work: Work,
    { beside, desired }: Pair,
    standing: ActualAggregate,
): Promise<boolean> {
    return trying(
        work.session,
        beside,
        work.options.searchPath,
        "normalise_query",
        async (client) => {
            const { definition } = await viewOver(client, statementBody(desired.query));
            return definition === standing.definition;
        },
    );
}
