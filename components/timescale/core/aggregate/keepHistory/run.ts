/**
 * Builds new versions beside the old ones, and lets them change places. Every step finds out from the
 * database how far an earlier attempt has come, so that the next one goes on there; until the
 * exchange, which is one short transaction, readers see the old version and nothing of this.
 */
import { backOff } from "exponential-backoff";

import type { UsableServer } from "../../connection/server";
import type { Queryable, Session } from "../../connection/session";
import { TimescaleError } from "../../errors";
import { displayName, escapeIdentifier, escapeLiteral, type QualifiedName, quoteQualified } from "../../identifier"; // prettier-ignore
import type { BuildingState } from "../../memory/marker";
import { type ApplyOptions, applyStatements } from "../../plan/apply";
import { inspecting, trying } from "../../plan/converging";
import type { Statement } from "../../plan/plan";
import { viewOver } from "../../query/normalise";
import { statementBody } from "../../query/query";
import { roleStatements } from "../../relation/tableStatements";
import { readSql } from "../../sqlFile";
import { bucketAt, timeOf, utcText, widthOf } from "../bucket";
import { fill } from "../fill";
import { rawRanges } from "../history";
import type { ActualAggregate } from "../inspect";
import { beginsOf, cutOf } from "./cut";
import { jobOf } from "./declaredAs";
import { lackingHistory } from "./lacking";
import type { Mapping } from "./mapping";
import type { Pair, Replacement } from "./replacement";
import {
    asBuilt,
    type CopiedRange,
    copyStatements,
    dropVersionStatements,
    exchangeStatements,
    indexesAfterExchange,
    markBuilding,
    markDone,
    pauseRefresh,
    refreshOpen,
    resumeRefresh,
} from "./statements";
import { verifyComputed, verifyCopied, type Versions } from "./verify";
import { inspectStanding, versionTree } from "./versions";

export interface RunOptions {
    readonly server: UsableServer;
    readonly searchPath: readonly string[];
    readonly onStatus: (text: string) => void;
    /** When it is aborted, the run ends after the window that is being filled. */
    readonly stop?: AbortSignal | undefined;
    /** The statements that create an aggregate with everything that belongs to it. */
    readonly creation: (desired: Pair["desired"]) => readonly Statement[];
}

/** A new version that stands, and from when on it was computed. */
interface Built {
    readonly pair: Pair;
    readonly version: ActualAggregate;
    readonly cut: string;
    /** Whether rows were copied that raw data cannot give. */
    readonly copied: boolean;
}

/** @throws TimescaleError; the old versions go on as before, and the next run goes on where this one ended */
export async function runReplacement(
    session: Session,
    replacement: Replacement,
    options: RunOptions,
): Promise<void> {
    const run = new Run(session, options, replacement.pairs);
    const built: Built[] = [];
    for (const pair of replacement.pairs) {
        built.push(pair.mapping === null ? await run.bringBack(pair) : await run.build(pair, pair.mapping)); // prettier-ignore
    }
    try {
        await run.holdStill();
        for (const one of built) await run.catchUp(one, built);
        await run.exchange(replacement, built);
    } catch (error) {
        await run.letGo();
        throw error;
    }
    await run.buildIndexes();
}

class Run {
    constructor(
        private readonly session: Session,
        private readonly options: RunOptions,
        private readonly pairs: readonly Pair[],
    ) {}

    async build(pair: Pair, mapping: Mapping): Promise<Built> {
        const { old } = pair;
        const title = displayName(pair.name);
        let version = await this.standing(pair);
        if (version === undefined) {
            this.options.onStatus(`building the new version of ${title} beside it`);
            const of: BuildingState = { of: title };
            await this.apply(pair, [
                ...this.options.creation(asBuilt(pair)),
                markBuilding(pair.beside, of),
            ]);
            version = await this.inspect(pair.beside);
        }
        const { building = { of: title } } = version.marker;
        const cut = building.cut ?? (await this.compute(pair, version, building));
        await this.copy(pair, version, mapping, { ...building, cut });
        this.options.onStatus(`comparing the history of ${title} in both versions`);
        await this.reading((client) => verifyCopied(client, old, version, mapping, cut));
        const { rows } = await this.reading((client) =>
            client.query<{ copied: boolean }>(
                `SELECT EXISTS (SELECT FROM ${quoteQualified(old.name)} WHERE ${mapping.newBucket} < ${timeOf(cut)}) AS copied`,
            ),
        );
        return { pair, version, cut, copied: rows[0]?.copied === true };
    }

    /** Fills what raw data has whole. @returns the cut, which is marked: what is before it is done, and empty */
    private async compute(
        pair: Pair,
        version: ActualAggregate,
        state: BuildingState,
    ): Promise<string> {
        await this.fillFrom(pair, version, await this.cut(pair, version));
        // Raw data may have been dropped meanwhile: what it takes with it is copied.
        const cut = await this.cut(pair, version);
        const { extensionSchema } = this.options.server;
        await this.apply(pair, [markDone(pair.beside, cut, extensionSchema)]);
        await this.apply(pair, [markBuilding(pair.beside, { ...state, cut })]);
        return cut;
    }

    async bringBack(pair: Pair): Promise<Built> {
        const version = await this.inspect(pair.beside);
        const cut = await this.cut(pair, version);
        const { old, desired } = pair;
        const retention = desired.retentionPolicy?.dropAfter ?? null;
        const { buckets, oldest, newest } = await this.reading((client) =>
            lackingHistory(client, { old, version, cut, retention }),
        );
        if (buckets > 0 && old.bucketWidth === version.bucketWidth) {
            const object = displayName(pair.name);
            throw new TimescaleError(
                `${displayName(version.name)} lacks history that ${object} has`,
                {
                    code: "version_incomplete",
                    detail: `rows of ${buckets} buckets from ${oldest} to ${newest} came after it was last refreshed, and raw data can no longer give them`,
                    hint: `declare onQueryChange: "keepHistory", which builds the version anew, after dropping this one with history: { replacedVersions: "drop" }`,
                    object,
                },
            );
        }
        return { pair, version, cut, copied: false };
    }

    /** What an earlier attempt left, if it is of use; it is dropped when it is of another query. */
    private async standing(pair: Pair): Promise<ActualAggregate | undefined> {
        const { standing, beside } = pair;
        if (standing === undefined) return undefined;
        if (await this.isOfThisQuery(pair, standing)) return standing;
        this.options.onStatus(
            `dropping ${displayName(beside)}, which was begun with another query`,
        );
        const tree = await this.reading((client) => versionTree(client, beside));
        for (const version of tree) {
            await this.apply(pair, dropVersionStatements(version));
        }
        return undefined;
    }

    private isOfThisQuery({ beside, desired }: Pair, standing: ActualAggregate): Promise<boolean> {
        return trying(
            this.session,
            beside,
            this.options.searchPath,
            "normalise_query",
            async (client) => {
                const { definition } = await viewOver(client, statementBody(desired.query));
                return definition === standing.definition;
            },
        );
    }

    /** The first bucket of the new version that can be computed from whole data. */
    private cut({ old, mapping }: Pair, version: ActualAggregate): Promise<string> {
        // A child reads the new version of its parent, which holds copied rows: the old one's floor counts.
        const over = this.pairs.some((it) => displayName(it.old.name) === displayName(old.source));
        const source = over && mapping !== null ? old.sourceId : version.sourceId;
        return this.reading((client) => cutOf(client, source, version));
    }

    /** @param cut from which on it may be computed; what retention would drop at once is left out */
    private async fillFrom(
        { name, old, desired }: Pair,
        version: ActualAggregate,
        cut: string,
        recompute = false,
    ): Promise<void> {
        const retention = desired.retentionPolicy?.dropAfter ?? null;
        const { from } = await this.reading((client) =>
            beginsOf(client, { old, version, cut, retention }),
        );
        await fill(this.session, {
            name: version.name,
            aggregate: version,
            retention: null,
            searchPath: this.options.searchPath,
            extensionSchema: this.options.server.extensionSchema,
            from,
            recompute,
            onProgress: (_done, _total, text) =>
                this.options.onStatus(`building ${displayName(name)}: ${text}`),
            onStatus: this.options.onStatus,
            stop: this.options.stop,
        });
    }

    private async copy(
        pair: Pair,
        version: ActualAggregate,
        mapping: Mapping,
        state: BuildingState & { readonly cut: string },
    ): Promise<void> {
        const { cut } = state;
        const { rows } = await this.reading((client) =>
            client.query<{ edge: string }>(readSql("catalog/version_edges.sql"), [
                pair.old.materializationId,
            ]),
        );
        const within = rows.map(({ edge }) => edge).filter((edge) => edge < cut);
        // What an earlier attempt has copied ends at an edge, or at the cut.
        const edges = [...within, cut].filter((edge) => edge > (state.copied ?? ""));
        let from = state.copied;
        for (const [at, edge] of edges.entries()) {
            this.options.onStatus(`copying the history of ${displayName(pair.name)}, ${at}/${edges.length} chunks`); // prettier-ignore
            const range: CopiedRange = {
                ...(from !== undefined && { from: bucketAt(version, timeOf(from)) }),
                to: edge === cut ? timeOf(cut) : bucketAt(version, timeOf(edge)),
            };
            await this.apply(pair, [
                ...copyStatements({ old: pair.old, beside: version.name }, mapping, range),
                markBuilding(version.name, { ...state, copied: edge }),
            ]);
            from = edge;
        }
        await this.copyGaps(pair, version, mapping, cut);
    }

    /** Where raw rows were deleted, or never were, the old version may still have what it had of them. */
    private async copyGaps(
        pair: Pair,
        version: ActualAggregate,
        mapping: Mapping,
        cut: string,
    ): Promise<void> {
        const raw = await this.reading((client) => rawRanges(client, pair.old.sourceId));
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
        await this.apply(
            pair,
            copyStatements({ old: pair.old, beside: version.name }, mapping, range),
        );
    }

    /** No refresh job adds a bucket to an old version any more; one that runs is waited for. */
    async holdStill(): Promise<void> {
        const { pairs } = this;
        for (const pair of pairs) await this.apply(pair, [pauseRefresh(pair), ...(await this.held(pair))]); // prettier-ignore
        const names = pairs.flatMap(({ old }) => {
            const job = jobOf(old, "refresh");
            return job === undefined ? [] : [`Refresh Continuous Aggregate Policy [${job.id}]`];
        });
        await backOff(
            async () => {
                const { rows } = await this.session.client.query(
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
                    if (error instanceof StillRunning) this.options.onStatus("waiting for a running refresh to end"); // prettier-ignore
                    return error instanceof StillRunning;
                },
            },
        );
    }

    /** A later attempt has to know that it was this one that paused the job. */
    private async held({ old, beside, mapping }: Pair): Promise<Statement[]> {
        if (mapping === null || jobOf(old, "refresh")?.scheduled !== true) return [];
        const { marker } = await this.inspect(beside);
        return marker.building === undefined
            ? []
            : [markBuilding(beside, { ...marker.building, held: true })];
    }

    /** The old versions go on refreshing, as far as they did, when the exchange does not come about. */
    async letGo(): Promise<void> {
        for (const pair of this.pairs) {
            if (pair.desired.refreshPolicy?.paused === true) continue;
            // The error that led here is the one to report.
            await this.apply(pair, [resumeRefresh(pair)]).then(undefined, () => undefined);
        }
    }

    /** Brings the new version to where the old one is, and compares what both compute alike. */
    async catchUp({ pair, version, cut }: Built, built: readonly Built[]): Promise<void> {
        const title = displayName(pair.name);
        this.options.onStatus(`bringing the new version of ${title} up to date`);
        const floor = await this.cut(pair, version);
        await this.fillFrom(pair, version, cut > floor ? cut : floor, true);
        // Not by the views: one that is real-time shows raw rows as well.
        const newest = (one: ActualAggregate): string =>
            `(SELECT max(${escapeIdentifier(one.timeColumn)}) FROM ${quoteQualified(one.materialization)})`;
        const { rows } = await this.reading((client) =>
            client.query<{ open: string | null }>(
                `SELECT CASE WHEN ${newest(pair.old)} > ${newest(version)}
                    THEN ${utcText(newest(version))} END AS open`,
            ),
        );
        const open = rows[0]?.open ?? null;
        if (open !== null && pair.old.bucketWidth === version.bucketWidth) {
            // The old one shows a bucket that is not over.
            const { extensionSchema } = this.options.server;
            await this.apply(pair, [refreshOpen(version.name, open, extensionSchema)]);
        }
        if (pair.mapping === null) return;
        this.options.onStatus(`comparing what both versions of ${title} compute`);
        await this.reading(async (client) => {
            const begins = await beginsOf(client, { old: pair.old, version, cut, retention: null });
            await verifyComputed(client, pair.old, version, begins.both, parentsOf(pair, built));
        });
    }

    async exchange(replacement: Replacement, built: readonly Built[]): Promise<void> {
        const [top] = replacement.pairs;
        this.options.onStatus("the new version takes its place");
        const cuts = built.map(({ cut, copied }) => (copied ? cut : undefined));
        const statements = exchangeStatements(replacement, {
            login: this.session.connection.user,
            cuts,
        });
        await applyStatements(this.session, statements, this.applyOptions(top.name));
    }

    async buildIndexes(): Promise<void> {
        for (const pair of this.pairs) {
            const indexes = indexesAfterExchange(pair, !this.options.server.embedded);
            if (indexes.length > 0) await this.apply(pair, indexes);
        }
    }

    private async inspect(name: QualifiedName): Promise<ActualAggregate> {
        const found = await this.reading((client) => inspectStanding(client, name));
        if (found !== undefined) return found;
        throw new TimescaleError(`continuous aggregate ${displayName(name)} is gone`, {
            code: "version_gone",
            detail: "it stood a moment ago, and somebody has dropped or renamed it",
            hint: "run the same command again",
            object: displayName(name),
        });
    }

    private async reading<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
        const { found } = await inspecting(this.session, { schema: this.options.searchPath[0] ?? "public", name: "" }, work); // prettier-ignore
        return found;
    }

    private async apply({ name, desired }: Pair, statements: readonly Statement[]): Promise<void> {
        const inside = statements.some(({ outside }) => outside === undefined);
        const role = inside && statements[0]?.name !== "set_role" ? roleStatements(desired.owner, this.session.connection.user) : []; // prettier-ignore
        await applyStatements(this.session, [...role, ...statements], this.applyOptions(name));
    }

    private applyOptions(name: QualifiedName): ApplyOptions {
        return {
            object: displayName(name),
            searchPath: this.options.searchPath,
            onRetry: this.options.onStatus,
        };
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
