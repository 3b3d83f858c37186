/** What is wrong with the aggregates of a database, as far as the catalog tells. Pure. */
import { displayName } from "../identifier";
import { describeBytes } from "../removal/extent";
import { productsInTree } from "../rules/products";
import { type HealthFinding, healthFinding } from "./finding";
import type { AggregateHealth, Health } from "./health";
import { isWithoutJobs, jobsHaveRunFor, lagOf, refreshJobs, secondsBetween } from "./lag";
import { pendingWork } from "./pendingWork";
import { counted, showLength, showRange, showTime } from "./words";

export function judgeAggregates(health: Health): HealthFinding[] {
    return [
        ...health.aggregates.flatMap((aggregate) => judgeAggregate(health, aggregate)),
        ...judgeTwins(health.aggregates),
        ...health.versions.map(judgeVersion),
        ...health.orphans.map((orphan) =>
            healthFinding("orphaned_materialization", {
                object: displayName(orphan),
                message: "it belongs to no aggregate",
                evidence: `${counted(orphan.storage.chunks, "chunk")}, ${describeBytes(orphan.storage.bytes)}`,
                consequence: "it takes disk, and its policies, if it has any, take workers",
                mend: `look at what it holds, then DROP TABLE ${displayName(orphan)}`,
            }),
        ),
    ];
}

function judgeAggregate(health: Health, aggregate: AggregateHealth): HealthFinding[] {
    const object = displayName(aggregate);
    if (aggregate.view !== "intact") {
        const gone = aggregate.view === "missing";
        return [
            healthFinding("view_gone", {
                object,
                message: gone ? "its view was dropped or renamed" : "its view was replaced",
                evidence: gone
                    ? `the catalog knows it by this name, and no relation has it; its buckets are there, in ${counted(aggregate.storage.chunks, "chunk")}`
                    : "its view reads something other than its buckets",
                consequence: "queries of it fail, or give numbers that are not the aggregate's",
                mend: "npm start or pulumi up puts it back; by hand, ALTER TABLE … RENAME it back",
            }),
        ];
    }
    // A fill that is under way, or was stopped, is the business of the next up.
    if (aggregate.integerTime || aggregate.marker.filling) return judgeProducts(aggregate);
    return [
        ...judgeFreshness(health, aggregate),
        ...judgePending(aggregate),
        ...judgeFloor(health, aggregate),
        ...judgeProducts(aggregate),
    ];
}

function judgeFreshness({ server }: Health, aggregate: AggregateHealth): HealthFinding[] {
    const object = displayName(aggregate);
    const lag = lagOf(aggregate, server);
    if (lag.policy === "none") {
        return [
            healthFinding("no_refresh_policy", {
                object,
                message: "nothing refreshes it",
                evidence: `no job does; it was computed up to ${aggregate.refreshedTo === null ? "nowhere" : showTime(aggregate.refreshedTo)}`,
                consequence:
                    "newer rows are in it when somebody refreshes it by hand, and never before",
                mend: "declare its refreshPolicy, or SELECT add_continuous_aggregate_policy(…)",
            }),
        ];
    }
    // What was late before anything ran its job gets the time that its policy allows.
    const waited = jobsHaveRunFor(server) > (lag.allowed ?? 0);
    if (lag.policy !== "scheduled" || !lag.late || isWithoutJobs(server) || !waited) return [];
    return [
        healthFinding("late_aggregate", {
            object,
            message: "it is further behind than its policy allows",
            evidence: `computed up to ${aggregate.refreshedTo === null ? "nowhere" : showTime(aggregate.refreshedTo)}, ${lag.behind === null ? "never" : showLength(lag.behind)} behind; at worst it should be ${showLength(lag.allowed ?? 0)}`,
            consequence: "dashboards show nothing newer, without an error",
            mend: `see its job: ${refreshJobs(aggregate)
                .map(({ id }) => `CALL run_job(${id})`)
                .join(
                    ", ",
                )} shows whether it works; npm run backfill -- ${object} computes what is missing`,
        }),
    ];
}

function judgePending(aggregate: AggregateHealth): HealthFinding[] {
    const object = displayName(aggregate);
    if (aggregate.floor === null) return [];
    if (aggregate.refreshedTo === null && aggregate.newestBucket === null) {
        return [
            healthFinding("never_refreshed", {
                object,
                message: "it was never computed",
                evidence: `it holds no bucket, and its source is there from ${showTime(aggregate.floor)} on`,
                consequence: "queries of it give nothing, without an error",
                mend: `npm run backfill -- ${object}`,
            }),
        ];
    }
    const { unreachable } = pendingWork(aggregate);
    if (unreachable.length === 0 || aggregate.windows.length === 0) return [];
    const begins = aggregate.windows.map((window) => window.begins ?? "").sort()[0] ?? "";
    return [
        healthFinding("unreachable_changes", {
            object,
            message: "its source changed, or was never computed, where no policy reaches",
            evidence: `${counted(unreachable.length, "range")} older than ${showTime(begins)}, where the refresh window begins: ${listed(unreachable.map(showRange))}`,
            consequence: "these buckets stay as they are: late rows are missing from them for ever",
            mend: `npm run backfill -- ${object}`,
            fix: {
                kind: "refresh",
                aggregate: { schema: aggregate.schema, name: aggregate.name },
                ranges: unreachable,
                touch: false,
            },
        }),
    ];
}

/** A refresh of a bucket whose rows were dropped deletes it. */
function judgeFloor({ server }: Health, aggregate: AggregateHealth): HealthFinding[] {
    const { cut, oldestBucket, windows } = aggregate;
    if (cut === null) return [];
    // Where the login may not read the buckets, chunks tell the day.
    const oldest = oldestBucket ?? aggregate.storage.oldestChunk;
    if (oldest === null || oldest >= cut) return [];
    const reaching = windows.find(({ begins }) => begins === null || begins < cut);
    if (reaching === undefined) return [];
    const object = displayName(aggregate);
    const kept = secondsBetween(cut, server.now);
    return [
        healthFinding("refresh_below_floor", {
            object,
            message: "its refreshes reach back to where its source was dropped",
            evidence: `the window begins ${reaching.begins === null ? "with the data" : `at ${showTime(reaching.begins)}`}, ${displayName(aggregate.source)} is whole from ${showTime(cut)} on (${showLength(kept)}), and the oldest bucket is from ${showTime(oldest)}`,
            consequence: "a refresh deletes the buckets whose rows are gone: history is lost",
            mend: `set refreshPolicy.startOffset to less than ${showLength(kept)}; until then SELECT alter_job(${reaching.job}, scheduled => false)`,
        }),
    ];
}

function judgeProducts(aggregate: AggregateHealth): HealthFinding[] {
    if (aggregate.products === null) return [];
    return productsInTree(aggregate.products).map(({ message, detail, hint }) =>
        healthFinding("integer_product", {
            object: displayName(aggregate),
            message,
            evidence: "its stored query multiplies two integer columns",
            consequence: detail,
            mend: hint,
        }),
    );
}

/** Two aggregates of one query are computed twice. */
function judgeTwins(aggregates: readonly AggregateHealth[]): HealthFinding[] {
    const first = new Map<string, AggregateHealth>();
    return aggregates.flatMap((aggregate) => {
        const twin = first.get(aggregate.definition);
        if (twin === undefined) {
            first.set(aggregate.definition, aggregate);
            return [];
        }
        return [
            healthFinding("duplicate_aggregate", {
                object: displayName(aggregate),
                message: `it has the query of ${displayName(twin)}`,
                evidence: `${describeBytes(aggregate.storage.bytes)} in ${counted(aggregate.storage.chunks, "chunk")}, which hold what the other holds`,
                consequence: "it is computed, stored and kept twice",
                mend: `let readers use ${displayName(twin)}, then delete this one`,
            }),
        ];
    });
}

function judgeVersion(version: AggregateHealth): HealthFinding {
    const object = displayName(version);
    const { marker, storage } = version;
    const evidence = `${describeBytes(storage.bytes)} in ${counted(storage.chunks, "chunk")}${version.jobs.some(({ scheduled }) => scheduled) ? ", with policies that run" : ""}`;
    if (marker.building !== undefined) {
        return healthFinding("unfinished_version", {
            object,
            message: `it was to take the place of ${marker.building.of}, and was not finished`,
            evidence,
            consequence: "it takes disk, and the changed query is not in use",
            mend: "npm start or pulumi up goes on with it",
        });
    }
    const of = marker.replacedFrom ?? marker.keptFrom ?? "";
    if (marker.replacedFrom !== undefined) {
        return healthFinding("replaced_version", {
            object,
            message: `a changed query of ${of} replaced it`,
            evidence,
            consequence:
                "it takes disk and workers until it is dropped; it can be put back until then",
            mend: `history: { replacedVersions: "drop" } on ${of}, once nobody wants it back`,
        });
    }
    return healthFinding("kept_aggregate", {
        object,
        message: `it was ${of}, and was left standing when that was given up`,
        evidence,
        consequence: "it takes disk, and nothing refreshes it",
        mend: `DROP MATERIALIZED VIEW ${object} once its history is not wanted, or declare it again`,
    });
}

function listed(texts: readonly string[]): string {
    const shown = texts.slice(0, 3).join("; ");
    return texts.length <= 3 ? shown : `${shown}; and ${texts.length - 3} more`;
}
