/** A snapshot for programs. Fields are added, and never renamed or given another meaning. Pure. */
import type {
    AggregateHealth,
    Health,
    HypertableHealth,
    JobHealth,
} from "../../components/timescale/core/health/health";
import { lagOf } from "../../components/timescale/core/health/lag";
import { daysOfHistory, pendingWork } from "../../components/timescale/core/health/pendingWork";
import { displayName } from "../../components/timescale/core/identifier";
import { describeRights } from "./rights";
import type { Place } from "./text";

/** Times are ISO 8601 in UTC, lengths in seconds, sizes in bytes; null is what is not there or not known. */
export function statusJson(health: Health, { host, port }: Place): object {
    const { server } = health;
    return {
        ...{ format: 1, at: server.now },
        server: {
            ...{ host, port, database: server.database, login: server.login },
            timescaleVersion: server.timescaleVersion,
            postgresVersion: server.postgresVersion,
            ...{ license: server.license, embedded: server.embedded, replica: server.replica },
            ...{ scheduler: server.scheduler, clockAhead: server.clockAhead },
            ...{ bytes: server.databaseBytes, workers: server.workers },
        },
        aggregates: health.aggregates.map((one) => aggregateJson(health, one)),
        versions: health.versions.map((one) => aggregateJson(health, one)),
        hypertables: health.hypertables.map((one) => ({
            ...{ name: displayName(one), newestRow: one.newestRow },
            ...contents(one),
        })),
        jobs: health.jobs.map(jobJson),
        notes: describeRights(health).map((note) => note.replace(/^note {2}/, "")),
    };
}

function aggregateJson({ server }: Health, aggregate: AggregateHealth): object {
    const { reachable, unreachable } = pendingWork(aggregate);
    return {
        name: displayName(aggregate),
        source: displayName(aggregate.source),
        ...{ view: aggregate.view, materializedOnly: aggregate.materializedOnly },
        ...{ bucketWidth: aggregate.bucketWidth, bucketTimezone: aggregate.bucketTimezone },
        ...{ oldestBucket: aggregate.oldestBucket, newestBucket: aggregate.newestBucket },
        ...{ refreshedTo: aggregate.refreshedTo, lag: lagOf(aggregate, server) },
        pending: { reachable, unreachable },
        ...{ rawFrom: aggregate.floor, daysOnlyHere: daysOfHistory(aggregate) },
        ...contents(aggregate),
    };
}

function contents({ rows, storage, readable, jobs }: AggregateHealth | HypertableHealth): object {
    return { rows, storage, readable, jobs: jobs.map(({ id }) => id) };
}

function jobJson({ config, ...job }: JobHealth): object {
    return { ...job, config };
}
