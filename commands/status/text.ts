/** A snapshot on one screen, 100 columns wide. Pure. */
import { stripVTControlCharacters } from "node:util";

import Table from "cli-table3";
import type { createColors } from "picocolors";

import type {
    AggregateHealth,
    Health,
    HypertableHealth,
    JobHealth,
} from "../../components/timescale/core/health/health";
import {
    isWithoutJobs,
    lagOf,
    refreshJobs,
    secondsBetween,
} from "../../components/timescale/core/health/lag";
import { daysOfHistory, pendingWork } from "../../components/timescale/core/health/pendingWork";
import {
    counted,
    jobTitle,
    showLength,
    showRange,
    showTime,
} from "../../components/timescale/core/health/words";
import { displayName } from "../../components/timescale/core/identifier";
import { describeBytes } from "../../components/timescale/core/removal/extent";
import { lengthIn } from "../../components/timescale/core/rules/windows";
import { describeRights } from "./rights";

export type Colours = ReturnType<typeof createColors>;

export interface Place {
    readonly host: string;
    readonly port: number;
}

export function statusText(health: Health, place: Place, colours: Colours): string {
    const { aggregates, hypertables } = health;
    const parts = [heading(health, place, colours)];
    if (aggregates.length > 0) parts.push(freshness(health, colours));
    else parts.push("There is no continuous aggregate.");
    if (aggregates.length + hypertables.length > 0) parts.push(storage(health, colours));
    const lines = [
        ...failures(health, colours),
        ...aggregates.flatMap(pendingLines),
        ...describeRights(health),
    ];
    return [...parts, ...(lines.length === 0 ? [] : [lines.join("\n")])].join("\n\n");
}

function heading({ server, ...health }: Health, { host, port }: Place, colours: Colours): string {
    const { postgresVersion, workers } = server;
    const postgres = `${Math.floor(postgresVersion / 10_000)}.${postgresVersion % 10_000}`;
    const jobs = server.embedded
        ? server.scheduler
            ? `npm run serve runs ${counted(health.jobs.length, "job")}`
            : "nothing runs jobs: npm run serve does"
        : server.scheduler
          ? `${health.jobs.filter(({ running }) => running).length} of ${counted(health.jobs.length, "job")} running, up to ${workers.maxBackgroundWorkers ?? "?"} workers`
          : colours.red("the scheduler does not run");
    return [
        `${colours.bold(`${server.database} at ${host}:${port}`)}  ${showTime(server.now)}`,
        `TimescaleDB ${server.timescaleVersion}${server.embedded ? " (embedded)" : ""}, ${server.license ?? "unknown"} licence; PostgreSQL ${postgres}${server.replica ? ", a replica" : ""}; ${describeBytes(server.databaseBytes)}`,
        `${counted(health.aggregates.length, "aggregate")}, ${counted(health.hypertables.length, "hypertable")}; ${jobs}`,
    ].join("\n");
}

function freshness(health: Health, colours: Colours): string {
    const { now } = health.server;
    const rows = health.aggregates.map((aggregate) => {
        const { behind, allowed, late, policy } = lagOf(aggregate, health.server);
        const job = refreshJobs(aggregate)[0];
        const lag = behind === null ? "never" : showLength(behind);
        return [
            displayName(aggregate),
            moment(aggregate.newestBucket, now),
            late && !isWithoutJobs(health.server) ? colours.red(lag) : lag,
            allowed === null
                ? colours.yellow(policy === "none" ? "no policy" : policy)
                : showLength(allowed),
            ...runs(job, now, colours),
        ];
    });
    const head = ["aggregate", "newest", "behind", "at most", "last run", "took", "next", "failed"];
    return table(head, rows, colours);
}

function runs(job: JobHealth | undefined, now: string, colours: Colours): string[] {
    if (job === undefined) return ["", "", "", ""];
    const last = job.running
        ? "running"
        : job.lastFinish === null
          ? "never"
          : ago(job.lastFinish, now);
    const failed = `${job.failures + job.crashes}/${job.runs}`;
    const wait = job.nextStart === null ? undefined : secondsBetween(now, job.nextStart);
    const next = !job.scheduled
        ? "paused"
        : wait === undefined
          ? ""
          : wait < 0
            ? "due"
            : `in ${showLength(Math.max(1, wait))}`;
    return [
        last,
        job.lastRunTime === null ? "" : showLength(job.lastRunTime),
        next,
        job.lastRunSucceeded === false ? colours.red(failed) : failed,
    ];
}

function storage({ aggregates, hypertables, versions, server }: Health, colours: Colours): string {
    const rows = [...aggregates, ...versions, ...hypertables].map((one) => [
        displayName(one),
        one.rows === null
            ? "?"
            : `${one.rows.exact ? "" : "~"}${one.rows.rows.toLocaleString("en")}`,
        describeBytes(one.storage.bytes),
        describeBytes(one.storage.indexBytes),
        String(one.storage.chunks),
        compression(one.storage),
        retention(one.storage, server.now),
        "source" in one ? history(one) : "",
    ]);
    const head = [
        "holds",
        "rows",
        "size",
        "indexes",
        "chunks",
        "compressed",
        "oldest/kept",
        "only here",
    ];
    return table(head, rows, colours);
}

function compression({
    compression,
    compressedChunks,
    chunks,
    compressed,
}: HypertableHealth["storage"]): string {
    if (!compression) return "";
    const ratio =
        compressed === null || compressed.after === 0
            ? ""
            : ` ${(compressed.before / compressed.after).toFixed(1)}x`;
    return `${compressedChunks}/${chunks}${ratio}`;
}

/** In days: the oldest chunk against drop_after, which goes by the end of a chunk. */
function retention({ oldestChunk, dropAfter }: HypertableHealth["storage"], now: string): string {
    const kept = lengthIn(dropAfter);
    if (oldestChunk === null) return kept === undefined ? "" : `-/${days(kept / 1_000_000)}`;
    return `${days(secondsBetween(oldestChunk, now))}/${kept === undefined ? "all" : days(kept / 1_000_000)}`;
}

function history(aggregate: AggregateHealth): string {
    const found = daysOfHistory(aggregate);
    return found === null ? "?" : found === 0 ? "" : days(found * 86_400);
}

function days(seconds: number): string {
    const value = seconds / 86_400;
    return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} d`;
}

function failures(health: Health, colours: Colours): string[] {
    return health.jobs
        .filter(
            ({ lastRunSucceeded, consecutiveCrashes }) =>
                lastRunSucceeded === false || consecutiveCrashes > 0,
        )
        .map((job) => {
            const text =
                job.error === null
                    ? job.ownedByMember
                        ? "no error was left"
                        : `the server tells the text to members of ${job.owner} alone`
                    : `${job.error.message}${job.error.code === null ? "" : ` (${job.error.code})`}`;
            return `${colours.red("failed")}  ${jobTitle(job, health)}: ${text}`;
        });
}

function pendingLines(aggregate: AggregateHealth): string[] {
    const { reachable, unreachable } = pendingWork(aggregate);
    const line = (ranges: typeof reachable, what: string): string[] =>
        ranges.length === 0
            ? []
            : [
                  `${what}  ${displayName(aggregate)}: ${ranges.slice(0, 3).map(showRange).join("; ")}${ranges.length > 3 ? `; and ${ranges.length - 3} more` : ""}`,
              ];
    return [
        ...line(reachable, "pending"),
        ...line(unreachable, "pending, and older than any policy reaches"),
    ];
}

/** Such as `11-25 18:00`; another year as a date. */
function moment(literal: string | null, now: string): string {
    if (literal === null) return "none";
    return literal.slice(0, 4) === now.slice(0, 4)
        ? literal.slice(5, 16).replace("T", " ")
        : literal.slice(0, 10);
}

function ago(literal: string, now: string): string {
    return `${showLength(Math.max(1, Math.round(secondsBetween(literal, now))))
        .split(" ")
        .slice(0, 2)
        .join(" ")} ago`;
}

const bare = Object.fromEntries(
    (
        "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right " +
        "right-mid middle"
    )
        .split(" ")
        .map((name) => [name, name === "middle" ? " " : ""]),
);

/** Columns of the screen. */
const width = 100;

/** The first column gives way where the others need the room. */
function table(head: string[], rows: readonly string[][], colours: Colours): string {
    const others = head.slice(1).map((title, at) => {
        const cells = rows.map((row) => stripVTControlCharacters(row[at + 1] ?? "").length);
        return 1 + Math.max(title.length, ...cells);
    });
    const room = width - others.reduce((sum, one) => sum + one, 0);
    const made = new Table({
        head: head.map((title) => colours.dim(title)),
        chars: bare,
        style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
        colAligns: head.map((_, at) => (at === 0 ? "left" : "right")),
    });
    made.push(
        ...rows.map(([name = "", ...cells]) => [
            name.length <= room ? name : `${name.slice(0, room - 1)}…`,
            ...cells,
        ]),
    );
    return made.toString();
}
