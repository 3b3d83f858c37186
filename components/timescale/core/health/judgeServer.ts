/** What is wrong with the server under the aggregates, and with its disk. Pure. */
import { isAtLeast } from "../connection/server";
import { displayName } from "../identifier";
import { describeBytes } from "../removal/extent";
import { lengthIn } from "../rules/windows";
import { type HealthFinding, healthFinding } from "./finding";
import type { AggregateHealth, Health, HypertableHealth } from "./health";
import { refreshJobs, secondsBetween } from "./lag";
import { showLength } from "./words";

/** Seconds that clocks may differ. */
const tolerance = 30;

export function judgeServer({ server, aggregates }: Health): HealthFinding[] {
    const found = knownWrong(server.timescaleVersion, server.embedded, aggregates);
    if (Math.abs(server.clockAhead) > tolerance) {
        const way = server.clockAhead > 0 ? "ahead of" : "behind";
        found.push(
            healthFinding("clock_off", {
                object: "clock",
                message: `the server's clock is ${way} this machine's`,
                evidence: `by ${showLength(Math.abs(server.clockAhead))}`,
                consequence:
                    "rows written with this machine's time fall into buckets that are computed already, or not for a long time",
                mend: "let both follow the same time servers (timedatectl, chronyc tracking)",
            }),
        );
    }
    return found;
}

interface Known {
    /** From this version on, and before the other. */
    readonly from: readonly [number, number, number];
    readonly before: readonly [number, number, number];
    readonly what: string;
    /** Whether an aggregate is used in such a way. */
    readonly hits: (aggregate: AggregateHealth, embedded: boolean) => boolean;
}

/** From TimescaleDB's release notes. */
const known: readonly Known[] = [
    {
        from: [2, 22, 0],
        before: [2, 22, 1],
        what: "refreshes leave gaps",
        hits: () => true,
    },
    {
        from: [2, 15, 0],
        before: [2, 25, 2],
        what: "refresh windows of buckets with an offset or origin are wrong",
        hits: ({ definition }) => /time_bucket\([^;]*?(?:origin|"?offset"?)\s*=>/i.test(definition),
    },
    {
        from: [2, 21, 0],
        before: [2, 26, 3],
        what: "refreshes that overlap in time write buckets twice, or miss rows",
        hits: (aggregate) => refreshJobs(aggregate).length > 1,
    },
    {
        from: [2, 19, 0],
        before: [2, 29, 0],
        what: "a policy that refreshes in batches can leave out the last bucket",
        // Without workers no policy runs.
        hits: (aggregate, embedded) => !embedded && refreshJobs(aggregate).length > 0,
    },
];

function knownWrong(
    version: string,
    embedded: boolean,
    aggregates: readonly AggregateHealth[],
): HealthFinding[] {
    return known.flatMap(({ from, before, what, hits }) => {
        const hit = aggregates.filter((aggregate) => hits(aggregate, embedded));
        if (!isAtLeast(version, ...from) || isAtLeast(version, ...before)) return [];
        if (hit.length === 0) return [];
        return [
            healthFinding("known_wrong_results", {
                object: `TimescaleDB ${version}`,
                message: what,
                evidence: `known of ${from.join(".")} up to before ${before.join(".")}; it can hit ${hit.slice(0, 3).map(displayName).join(", ")}${hit.length > 3 ? ` and ${hit.length - 3} more` : ""}`,
                consequence:
                    "numbers can be wrong without an error; compare them with raw data: npm run doctor -- --complete",
                mend: `ALTER EXTENSION timescaledb UPDATE to ${before.join(".")} or later`,
            }),
        ];
    });
}

export interface Disk {
    /** Bytes that can still be written where the data lies. */
    readonly free: number;
    /** Where that was measured, such as `/var/lib/postgresql/data of container timescaledb`. */
    readonly where: string;
}

/** Days that are looked ahead. */
const horizon = 90;

/** On which day from now on the disk is full, as chunks have grown lately; undefined: not within the horizon. */
export function daysUntilFull(
    { hypertables, aggregates, server }: Pick<Health, "hypertables" | "aggregates" | "server">,
    free: number,
): number | undefined {
    const growing = [...hypertables, ...aggregates].map((one) => growth(one, server.now));
    for (let day = 1; day <= horizon; day += 1) {
        const needed = growing.reduce(
            (sum, { perDay, days }) => sum + perDay * Math.min(day, days),
            0,
        );
        if (needed > free) return day;
    }
    return undefined;
}

/** After so many days retention drops as much as is written. */
function growth(
    { storage }: HypertableHealth | AggregateHealth,
    now: string,
): { readonly perDay: number; readonly days: number } {
    const perDay = storage.bytesPerDay ?? 0;
    const kept = lengthIn(storage.dropAfter);
    if (kept === undefined || storage.oldestChunk === null) return { perDay, days: Infinity };
    const chunk = lengthIn(storage.chunkTimeInterval) ?? 0;
    const age = secondsBetween(storage.oldestChunk, now);
    return { perDay, days: Math.max(0, ((kept + chunk) / 1_000_000 - age) / 86_400) };
}

export function judgeDisk(health: Health, { free, where }: Disk): HealthFinding[] {
    const days = daysUntilFull(health, free);
    if (days === undefined) return [];
    const perDay = [...health.hypertables, ...health.aggregates].reduce(
        (sum, { storage }) => sum + (storage.bytesPerDay ?? 0),
        0,
    );
    return [
        healthFinding("disk_full_soon", {
            object: "disk",
            message: `it is full in about ${days} ${days === 1 ? "day" : "days"}`,
            evidence: `${describeBytes(free)} are free in ${where}; the latest chunks grew by ${describeBytes(perDay)} a day, and retention does not make room before`,
            consequence: "PostgreSQL stops when it cannot write: no row comes in, and no job runs",
            mend: "drop earlier (retentionPolicy.dropAfter), compress (compressionPolicy), or enlarge the volume",
        }),
    ];
}
