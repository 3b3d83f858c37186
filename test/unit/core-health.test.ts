/** What is made of a database's health: how late, what no policy reaches, what is wrong. */
import { createColors } from "picocolors";

import { doctorText } from "../../commands/doctor/report";
import { freeOf } from "../../commands/start/docker";
import { describeRights } from "../../commands/status/rights";
import { statusText } from "../../commands/status/text";
import { isAtLeast } from "../../components/timescale/core/connection/server";
import { countColumn } from "../../components/timescale/core/health/countColumn";
import { healthCodes } from "../../components/timescale/core/health/finding";
import type { Health } from "../../components/timescale/core/health/health";
import { judge } from "../../components/timescale/core/health/judge";
import { daysUntilFull, judgeDisk } from "../../components/timescale/core/health/judgeServer";
import { lagOf } from "../../components/timescale/core/health/lag";
import { daysOfHistory, pendingWork } from "../../components/timescale/core/health/pendingWork";
import { jobOf, type JobRow } from "../../components/timescale/core/health/rows";
import { showLength, showRange } from "../../components/timescale/core/health/words";
import { health, hourly, job, now, raw, server, storage } from "../helpers/health";

const at = (text: string): string => `2026-03-${text}:00.000000Z`;
const plain = createColors(false);
const place = { host: "db.example.com", port: 5432 };

describe("lag", () => {
    it("is counted to where refreshes came, and held against bucket, end offset and schedule", () => {
        expect(lagOf(hourly(), server())).toEqual({
            ...{ behind: 7200, allowed: 2 * 3600 + 300, policy: "scheduled", late: false },
        });
    });

    it("is late beyond that, unless the policy has run since", () => {
        const old = { refreshedTo: at("10T08:00") };
        const stopped = job({ lastSuccess: at("10T09:00") });
        expect(lagOf(hourly(old), server()).late).toBe(false);
        expect(lagOf(hourly({ ...old, jobs: [stopped] }), server()).late).toBe(true);
    });

    it("is allowed nothing by a policy that is paused or not there", () => {
        const paused = hourly({ jobs: [job({ scheduled: false })] });
        expect(lagOf(paused, server())).toMatchObject({ allowed: null, policy: "paused" });
        expect(lagOf(hourly({ jobs: [] }), server())).toMatchObject({ policy: "none" });
    });
});

describe("pending ranges", () => {
    const work = (pending: [string, string][], more = {}): unknown =>
        pendingWork(hourly({ pending: pending.map(([begins, ends]) => ({ begins, ends })), ...more })); // prettier-ignore

    it("are cut where the refresh window begins and where raw data does", () => {
        expect(
            work([
                ["-infinity", at("02T00:00")],
                [at("09T10:00"), at("09T14:00")],
            ]),
        ).toEqual({
            reachable: [{ begins: at("09T12:00"), ends: at("09T14:00") }],
            unreachable: [
                { begins: at("01T00:00"), ends: at("02T00:00") },
                { begins: at("09T10:00"), ends: at("09T12:00") },
            ],
        });
    });

    it("say nothing of what raw data no longer has, nor of the bucket that its end goes through", () => {
        const cut = { floor: at("05T00:30"), cut: at("05T00:30") };
        const nothing = { reachable: [], unreachable: [] };
        expect(work([["-infinity", at("04T00:00")]], cut)).toEqual(nothing);
        expect(work([["-infinity", at("05T01:00")]], cut)).toEqual(nothing);
        expect(work([["-infinity", at("05T03:00")]], cut)).toMatchObject({
            unreachable: [{ begins: at("05T00:30"), ends: at("05T03:00") }],
        });
    });

    it("are all reached by a window without a beginning", () => {
        const windows = [{ job: 1, scheduled: true, begins: null, ends: null }];
        expect(work([[at("02T00:00"), at("02T01:00")]], { windows })).toMatchObject({
            unreachable: [],
        });
    });

    it("leave history that raw data no longer has", () => {
        expect(daysOfHistory(hourly())).toBe(0);
        expect(daysOfHistory(hourly({ cut: at("04T12:00") }))).toBe(3.5);
        expect(daysOfHistory(hourly({ cut: at("04T12:00"), oldestBucket: null }))).toBeNull();
    });
});

it("counts by count(*), and over an aggregate by the sum of its parent's count", () => {
    expect(countColumn(hourly().definition, undefined)).toBe("n");
    const filtered = " SELECT time_bucket('1 day', ts) AS b, count(*) FILTER (WHERE (v > 0)) AS f, count(v) AS v\n FROM raw"; // prettier-ignore
    expect(countColumn(filtered, undefined)).toBeUndefined();
    const day = " SELECT time_bucket('1 day'::interval, hourly.bucket) AS bucket,\n    (sum(hourly.n))::bigint AS total\n FROM hourly"; // prettier-ignore
    expect(countColumn(day, "n")).toBe("total");
    expect(countColumn(day, "other")).toBeUndefined();
});

describe("judgement", () => {
    const codes = (given: Health): string[] => judge(given).map(({ code }) => code);
    const ofJob = (given: Parameters<typeof job>[0]): string[] =>
        codes(health({ aggregates: [hourly({ jobs: [job(given)] })] }));

    it("finds nothing in a database that is well", () => {
        expect(judge(health())).toEqual([]);
    });

    describe("of a run that has begun", () => {
        const { error: _error, running: _running, runningFor: _for, ...ended } = job();
        const old = { errorCode: "22023", errorMessage: "refresh window too small", errorAt: at("10T11:00") }; // prettier-ignore
        const begins = { lastFinish: null, nextStart: null, lastRunSucceeded: false };
        const counted = { ...begins, crashes: 1, consecutiveCrashes: 1, failures: 1, runs: 4 };
        const read = (given: Partial<JobRow>, scheduler = true) =>
            jobOf(
                { ...ended, ...old, worker: false, begun: false, sinceStart: 0.2, ...given },
                scheduler,
            );

        it("counts neither as crashed nor as failed, also before its worker is seen", () => {
            for (const worker of [false, true]) {
                const one = read({ ...counted, begun: true, worker });

                expect(one).toMatchObject({ running: true, runningFor: 0.2, crashes: 0 });
                expect(one.lastRunSucceeded).toBeNull();
                expect(ofJob(one)).toEqual([]);
            }
        });

        it("counts as crashed once the scheduler has noted it, and again while it is tried again", () => {
            const noted = read({ ...counted, begun: false });
            const again = read({ ...counted, crashes: 2, consecutiveCrashes: 2, begun: true });

            for (const one of [noted, again]) {
                expect(one).toMatchObject({ crashes: 1, consecutiveCrashes: 1 });
                expect(ofJob(one)).toEqual(["job_crashing"]);
            }
            expect(noted.running).toBe(false);
        });

        it("is not running where no scheduler would end it, nor for as long as the one before", () => {
            expect(read({ ...counted, begun: true }, false).running).toBe(false);
            expect(read({ worker: true, sinceStart: 9000 })).toMatchObject({
                ...{ running: true, runningFor: null, lastRunSucceeded: true },
            });
        });
    });

    const fails = { lastRunSucceeded: false, consecutiveFailures: 3, failures: 3 };
    const error = (code: string, message: string) => ({ error: { code, message, at: now } });

    it.each([
        ["job_failing", { ...fails, ...error("42501", "must be owner of view m") }],
        ["job_failing", { ...fails, ownedByMember: false }],
        ["job_crashing", { ...fails }],
        ["job_crashing", { consecutiveCrashes: 1, crashes: 1 }],
        ["overflow_stops_refresh", { ...fails, ...error("22003", "integer out of range") }],
        [
            "postgres_release_breaks_jobs",
            { ...fails, ...error("24000", 'cannot drop portal "" while it is being set up') },
        ],
        ["job_owner_cannot_login", { ownerMayLogin: false }],
        ["job_never_started", { runs: 0, nextStart: null }],
        ["job_never_started", { runs: 0, nextStart: at("10T11:50") }],
        ["job_overdue", { nextStart: at("10T11:50") }],
        ["job_stuck", { running: true, runningFor: 4000 }],
        ["job_slower_than_schedule", { meanRunTime: 400, lastRunTime: 350 }],
        ["job_paused", { scheduled: false }],
    ])("finds %s", (code, given) => {
        expect(ofJob(given)).toEqual([code]);
    });

    it.each([
        [
            "a job that is new and planned",
            { runs: 0, nextStart: at("10T12:10"), lastSuccess: null },
        ],
        ["a job that is due now", { nextStart: at("10T11:59") }],
        ["one long run", { meanRunTime: 400, lastRunTime: 1 }],
    ])("does not mind %s", (_, given) => {
        expect(ofJob(given)).toEqual([]);
    });

    const aggregate = (given: Parameters<typeof hourly>[0]): string[] =>
        codes(health({ aggregates: [hourly(given)] }));

    it.each([
        ["view_gone", { view: "missing" }],
        ["view_gone", { view: "replaced" }],
        ["no_refresh_policy", { jobs: [], windows: [] }],
        ["never_refreshed", { newestBucket: null, refreshedTo: null, pending: [] }],
        ["unreachable_changes", { pending: [{ begins: at("03T00:00"), ends: at("03T01:00") }] }],
        ["duplicate_policy", { jobs: [job(), job({ id: 1001 })] }],
        ["refresh_below_floor", { cut: at("09T18:00"), floor: at("09T18:00") }],
    ] as const)("finds %s", (code, given) => {
        expect(aggregate(given)).toEqual([code]);
    });

    it("leaves an aggregate alone that is being filled", () => {
        const pending = [{ begins: at("03T00:00"), ends: at("03T01:00") }];
        const jobs = [job({ scheduled: false })];
        expect(aggregate({ marker: { filling: true }, pending, jobs })).toEqual([]);
    });

    it("finds what is there twice, left over and forgotten", () => {
        const marker = { filling: false, replacedFrom: "public.hourly" };
        const found = codes(
            health({
                aggregates: [hourly(), hourly({ name: "again", id: 3, jobs: [job({ id: 1001 })] })],
                versions: [hourly({ name: "old", id: 4, marker, jobs: [] })],
                orphans: [raw({ id: 9 })],
            }),
        );
        expect(found).toEqual(["duplicate_aggregate", "replaced_version", "orphaned_materialization"]); // prettier-ignore
    });

    it("finds retention that does not drop", () => {
        const retention = job({
            ...{ procedure: "policy_retention", schedule: 86_400, hypertableId: 1 },
            ...{ lastSuccess: at("01T00:00"), config: { drop_after: "3 days" } },
        });
        const table = raw({ jobs: [retention], storage: storage({ chunksToDrop: 2, dropAfter: "3 days" }) }); // prettier-ignore
        expect(codes(health({ hypertables: [table] }))).toEqual(["retention_behind"]);
    });

    it.each([
        ["scheduler_missing", { scheduler: false }],
        ["clock_off", { clockAhead: -90 }],
        ["few_background_workers", { workers: { ...server().workers, demand: 30 } }],
        ["known_wrong_results", { timescaleVersion: "2.28.0" }],
    ])("finds %s", (code, given) => {
        expect(codes(health({ server: server(given) }))).toEqual([code]);
    });

    it("warns of a TimescaleDB release where it is used in such a way alone", () => {
        const of = (version: string, definition = hourly().definition): number =>
            codes(health({ server: server({ timescaleVersion: version }), aggregates: [hourly({ definition })] })).length; // prettier-ignore
        const offset = `SELECT time_bucket('01:00:00'::interval, ts, "offset" => '00:05:00'::interval) AS bucket, count(*) AS n FROM raw GROUP BY 1`; // prettier-ignore
        expect([of("2.14.2"), of("2.18.1"), of("2.18.1", offset), of("2.22.0"), of("2.29.0")]).toEqual([0, 0, 1, 2, 0]); // prettier-ignore
        expect([isAtLeast("2.9.0", 2, 14), isAtLeast("2.29.0", 2, 29), isAtLeast("2.25.1", 2, 25, 2)]).toEqual([false, true, false]); // prettier-ignore
    });

    it("does not ask after jobs where nothing runs them", () => {
        const jobs = [job({ runs: 0, nextStart: null })];
        const embedded = server({ embedded: true, scheduler: false });
        expect(codes(health({ server: embedded, aggregates: [hourly({ jobs })] }))).toEqual([]);
    });

    it("asks after jobs of the embedded server once npm run serve has had a moment to run them", () => {
        const jobs = [job({ nextStart: at("10T10:00"), lastSuccess: at("10T09:00") })];
        const serving = (jobsRunSince: string): string[] =>
            codes(
                health({
                    server: server({ embedded: true, scheduler: true, jobsRunSince }),
                    aggregates: [hourly({ jobs, refreshedTo: at("10T06:00") })],
                }),
            );

        expect(serving("2026-03-10T11:59:30.000Z")).toEqual([]);
        expect(serving("2026-03-10T11:50:00.000Z")).toEqual(["job_overdue"]);
        expect(serving("2026-03-10T05:50:00.000Z")).toEqual(["job_overdue", "late_aggregate"]);
    });

    it("says what follows and what mends it, with every code in the table", () => {
        const ill = health({ server: server({ clockAhead: 50 }), aggregates: [hourly({ jobs: [job({ ...fails, scheduled: true })] })] }); // prettier-ignore
        for (const found of judge(ill)) {
            expect(Object.keys(healthCodes)).toContain(found.code);
            const texts = [found.message, found.evidence, found.consequence, found.mend];
            expect(texts).not.toContain("");
            // They are parts of sentences, which doctor ends by itself.
            expect(texts.join("\n")).not.toMatch(/\.$|\.\.(?!\.)/m);
        }
    });
});

describe("disk", () => {
    const growing = (given: object) =>
        health({ aggregates: [], hypertables: [raw({ storage: storage({ bytesPerDay: 100, ...given }) })] }); // prettier-ignore

    it("is full when what chunks grow by has used it", () => {
        expect(daysUntilFull(growing({}), 1000)).toBe(11);
        expect(daysUntilFull(growing({}), 100_000)).toBeUndefined();
        expect(judgeDisk(growing({}), { free: 1000, where: "here" })).toMatchObject([
            { code: "disk_full_soon", severity: "error" },
        ]);
    });

    it("is not, where retention makes room before", () => {
        // Nine and a half days old, kept for ten and a chunk.
        expect(daysUntilFull(growing({ dropAfter: "10 days" }), 1000)).toBeUndefined();
        expect(daysUntilFull(growing({ dropAfter: "30 days" }), 1000)).toBe(11);
    });

    it("is read from df", () => {
        const told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 60 40 60% /data\n"; // prettier-ignore
        expect(freeOf(told)).toBe(40_960);
        expect(freeOf("df: not found")).toBeUndefined();
    });
});

describe("the screen", () => {
    const text = (given: Partial<Health>): string => statusText(health(given), place, plain);

    it("fits 100 columns and has no colours without a terminal", () => {
        const long = hourly({
            name: "a_very_long_name".repeat(4),
            rows: { rows: 123_456_789, exact: false },
            storage: storage({ bytes: 987_654_321_000, indexBytes: 123_456_789_000, chunks: 1234, compression: true, compressedChunks: 1200, compressed: { before: 100, after: 9 }, dropAfter: "1095 days" }), // prettier-ignore
            ...{ cut: at("04T12:00"), refreshedTo: "2025-01-01T00:00:00.000000Z" },
            jobs: [job({ runs: 123_456, failures: 12_345, scheduleInterval: "12:34:56" })],
        });
        const lines = text({ aggregates: [long] }).split("\n");
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
        expect(lines.join("")).not.toContain("\u001b");
    });

    it("tells failures by the server's words, pending ranges, and what needs more rights", () => {
        const told = text({
            aggregates: [
                hourly({
                    pending: [{ begins: at("03T00:00"), ends: at("03T02:00") }],
                    jobs: [job({ lastRunSucceeded: false, failures: 1, error: { code: "22003", message: "integer out of range", at: now } })], // prettier-ignore
                }),
            ],
            hypertables: [
                raw({ readable: false, jobs: [job({ id: 1001, ownedByMember: false })] }),
            ],
        });
        expect(told).toContain("failed  refresh of public.hourly (job 1000): integer out of range (22003)"); // prettier-ignore
        expect(told).toContain("pending, and older than any policy reaches  public.hourly: 2026-03-03 00:00 to 02:00 UTC"); // prettier-ignore
        expect(told).toContain("observatory_owner may not read 1 of these");
        expect(told).toContain("told to members of observatory_owner alone");
        expect(describeRights(health())).toEqual([]);
    });

    it("says that there is no aggregate", () => {
        expect(text({ aggregates: [], hypertables: [] })).toContain("There is no continuous aggregate."); // prettier-ignore
    });

    it("says what doctor found in 100 columns", () => {
        const ill = health({
            aggregates: [hourly({ jobs: [job({ nextStart: at("10T10:00") })] })],
        });
        const told = doctorText({ health: ill, findings: judge(ill), notes: ["word ".repeat(60)] }, place, plain); // prettier-ignore
        expect(told).toMatch(/^error refresh of public\.hourly \(job 1000\): .* \(job_overdue\)$/m);
        expect(told).toMatch(/1 error and 0 warnings in 1 aggregate, 1 hypertable and 1 job\.$/);
        expect(told.split("\n").filter((line) => line.length > 100)).toEqual([]);
    });

    it.each([
        [0.0234, "23 ms"],
        [5.25, "5.3 s"],
        [59.6, "1 min"],
        [200, "3 min 20 s"],
        [3600, "1 h"],
        [90_000, "1 d 1 h"],
        [86_405, "1 d"],
    ])("shows %d seconds as %s", (seconds, words) => {
        expect(showLength(seconds)).toBe(words);
    });

    it("shows ranges without what goes without saying", () => {
        expect(showRange({ begins: "-infinity", ends: at("03T00:00") })).toBe("everything to 2026-03-03 00:00 UTC"); // prettier-ignore
        expect(showRange({ begins: at("03T00:00"), ends: at("04T00:00") })).toBe("2026-03-03 00:00 to 2026-03-04 00:00 UTC"); // prettier-ignore
    });
});
