/** The last steps of a replacement: holds refreshes still, catches up, and lets the versions change places. */
import { backOff } from "exponential-backoff";

import { displayName, escapeIdentifier, quoteQualified } from "../../identifier";
import { applyStatements } from "../../plan/apply";
import type { Statement } from "../../plan/plan";
import { utcText } from "../bucket";
import type { ActualAggregate } from "../inspect";
import { beginsOf } from "./cut";
import { jobOf } from "./declaredAs";
import type { Pair, Replacement } from "./replacement";
import {
    exchangeStatements,
    indexesAfterExchange,
    markBuilding,
    pauseRefresh,
    refreshOpen,
    resumeRefresh,
} from "./statements";
import { verifyComputed, type Versions } from "./verify";
import type { Built, Work } from "./work";

/** No refresh job adds a bucket to an old version any more; one that runs is waited for. */
export async function holdStill(work: Work): Promise<void> {
    const { pairs } = work;
    for (const pair of pairs) await work.apply(pair, [pauseRefresh(pair), ...(await held(work, pair))]); // prettier-ignore
    const names = pairs.flatMap(({ old }) => {
        const job = jobOf(old, "refresh");
        return job === undefined ? [] : [`Refresh Continuous Aggregate Policy [${job.id}]`];
    });
    await backOff(
        async () => {
            const { rows } = await work.session.client.query(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY($1::text[])",
                [names],
            );
            if (rows.length > 0) throw new StillRunning();
        },
        {
            numOfAttempts: 300,
            startingDelay: 100,
            maxDelay: 2000,
            retry: (error: unknown) => {
                if (error instanceof StillRunning) work.options.onStatus("waiting for a running refresh to end"); // prettier-ignore
                return error instanceof StillRunning;
            },
        },
    );
}

/** A later attempt has to know that it was this one that paused the job. */
async function held(work: Work, { old, beside, mapping }: Pair): Promise<Statement[]> {
    if (mapping === null || jobOf(old, "refresh")?.scheduled !== true) return [];
    const { marker } = await work.inspect(beside);
    return marker.building === undefined
        ? []
        : [markBuilding(beside, { ...marker.building, held: true })];
}

/** The old versions go on refreshing, as far as they did, when the exchange does not come about. */
export async function letGo(work: Work): Promise<void> {
    for (const pair of work.pairs) {
        if (pair.desired.refreshPolicy?.paused === true) continue;
        // The error that led here is the one to report.
        await work.apply(pair, [resumeRefresh(pair)]).then(undefined, () => undefined);
    }
}

/** Brings the new version to where the old one is, and compares what both compute alike. */
export async function catchUp(
    work: Work,
    { pair, version, cut }: Built,
    built: readonly Built[],
): Promise<void> {
    const title = displayName(pair.name);
    work.options.onStatus(`bringing the new version of ${title} up to date`);
    const floor = await work.cut(pair, version);
    await work.fillFrom(pair, version, cut > floor ? cut : floor, true);
    // Not by the views: one that is real-time shows raw rows as well.
    const newest = (one: ActualAggregate): string =>
        `(SELECT max(${escapeIdentifier(one.timeColumn)}) FROM ${quoteQualified(one.materialization)})`;
    const { rows } = await work.reading((client) =>
        client.query<{ open: string | null }>(
            `SELECT CASE WHEN ${newest(pair.old)} > ${newest(version)}
                THEN ${utcText(newest(version))} END AS open`,
        ),
    );
    const open = rows[0]?.open ?? null;
    if (open !== null && pair.old.bucketWidth === version.bucketWidth) {
        // The old one shows a bucket that is not over.
        const { extensionSchema } = work.options.server;
        await work.apply(pair, [refreshOpen(version.name, open, extensionSchema)]);
    }
    if (pair.mapping === null) return;
    work.options.onStatus(`comparing what both versions of ${title} compute`);
    await work.reading(async (client) => {
        const begins = await beginsOf(client, { old: pair.old, version, cut, retention: null });
        await verifyComputed(client, pair.old, version, begins.both, parentsOf(pair, built));
    });
}

export async function exchange(
    work: Work,
    replacement: Replacement,
    built: readonly Built[],
): Promise<void> {
    const [top] = replacement.pairs;
    work.options.onStatus("the new version takes its place");
    const cuts = built.map(({ cut, copied }) => (copied ? cut : undefined));
    const statements = exchangeStatements(replacement, {
        login: work.session.connection.user,
        cuts,
    });
    await applyStatements(work.session, statements, work.applyOptions(top.name));
}

export async function buildIndexes(work: Work): Promise<void> {
    for (const pair of work.pairs) {
        const indexes = indexesAfterExchange(pair, !work.options.server.embedded);
        if (indexes.length > 0) await work.apply(pair, indexes);
    }
}

/** What the versions of a pair read, and what that reads, as far as it is exchanged too. */
function parentsOf({ old }: Pair, built: readonly Built[]): Versions[] {
    const parent = built.find(({ pair }) => displayName(pair.old.name) === displayName(old.source));
    if (parent === undefined) return [];
    const { pair, version } = parent;
    return [{ old: pair.old, version }, ...parentsOf(pair, built)];
}

class StillRunning extends Error {}
