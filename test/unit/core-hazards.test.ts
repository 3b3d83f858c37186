/** What is at stake in a plan, by name and with its numbers. */
import {
    describeStake,
    type HistoryAtStake,
} from "../../components/timescale/core/aggregate/history";
import type { Hazard, Plan } from "../../components/timescale/core/plan/plan";
import type { Extent } from "../../components/timescale/core/removal/extent";
import {
    hourly,
    metrics,
    planOf,
    planOfTable,
    queryAs,
    standing,
    standingTable,
} from "../helpers/builders";

const refreshPolicy = { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" };
const changed = "SELECT time_bucket('1 hour', ts) AS bucket, sum(n) AS n FROM m GROUP BY 1";

const stake: HistoryAtStake = {
    rows: 2832,
    oldest: "2026-04-28 00:00:00+00",
    newest: "2026-08-23 23:00:00+00",
    raw: [{ begins: "2026-08-24 00:00:00+00", ends: "2026-11-26 00:00:00+00" }],
    seconds: 118 * 86_400,
    bucket: "01:00:00",
};
const inWords =
    "118 days of hourly history exist only in this aggregate, 2832 rows from 2026-04-28 00:00:00+00 to 2026-08-23 23:00:00+00; raw data begins 2026-08-24";

const extent: Extent = {
    object: "public.metrics",
    chunks: 91,
    begins: "2026-08-24 00:00:00+00",
    ends: "2026-11-26 00:00:00+00",
    rows: 3_000_000,
    bytes: 412 * 1024 * 1024,
};
const held = "91 chunks, about 3000000 rows, 412 MB";
const estimated = { rows: 3_000_000, oldest: extent.begins, newest: extent.ends, estimated: true };
const patience = "up itself waits at most 2 s for the lock, then lets them pass and tries again";

function told({ hazards = [] }: Plan): [string, string][] {
    return hazards.map(({ name, message }) => [name, message]);
}

function hazard({ hazards = [] }: Plan, name: Hazard["name"]): Hazard | undefined {
    return hazards.find((one) => one.name === name);
}

describe("history at stake", () => {
    it("is told by its length, bucket, rows and range, and where raw data begins", () => {
        expect(describeStake(stake)).toBe(inWords);
    });

    it.each([
        ["1 mon", 3 * 30 * 86_400, "90 days of monthly history"],
        ["7 days", 14 * 86_400, "14 days of weekly history"],
        ["1 day", 2 * 86_400, "2 days of daily history"],
        ["00:15:00", 47 * 3600, "47 hours of 15-minute history"],
        ["00:01:00", 90 * 60, "90 minutes of 1-minute history"],
        ["06:00:00", 5 * 86_400, "5 days of 6-hour history"],
        ["00:00:30", 60, "1 minute of 30-second history"],
        ["3 days", 6 * 86_400, "6 days of 3-day history"],
        [null, 86_400, "24 hours of history"],
    ])("with buckets of %s", (bucket, seconds, words) => {
        expect(describeStake({ ...stake, bucket, seconds })).toMatch(`${words} exist only in this aggregate`); // prettier-ignore
    });

    it("is told with the gaps of raw data, and where there is none", () => {
        const late = { begins: "2026-05-01 00:00:00+00", ends: "2026-05-02 00:00:00+00" };
        expect(describeStake({ ...stake, raw: [late, ...stake.raw] })).toMatch(
            /; raw data stands from 2026-05-01 to 2026-05-02 and from 2026-08-24 on$/,
        );
        expect(describeStake({ ...stake, raw: [] })).toMatch(/; there is no raw data$/);
    });
});

describe("a rebuild", () => {
    const desired = hourly({ refreshPolicy, onQueryChange: "rebuild", acceptLoss: { upToRows: 5000 } }); // prettier-ignore
    const given = {
        desiredQuery: queryAs(changed),
        rebuild: { stake, dependants: [] },
    };
    const source: Extent = { ...extent, object: "public.m", rows: null, bytes: null };

    it("loses history, blocks who reads and writes, and begins jobs anew", () => {
        const plan = planOf(standing(desired), desired, given, { source });
        const [job] = standing(desired).jobs;
        expect(told(plan)).toEqual([
            ["LOSES_HISTORY", inWords],
            [
                "REBUILDS",
                "public.hourly is dropped, created again and filled from public.m, oldest buckets first: until then its readers find the buckets that are filled already",
            ],
            [
                "BLOCKS_WRITES",
                `writers of public.m wait while public.hourly is dropped and created again under one AccessExclusiveLock; ${patience}`,
            ],
            ["BLOCKS_READS", "readers of public.m and of public.hourly wait as long"],
            [
                "RESTARTS_JOB",
                `its policies get new jobs: job ${job?.id} goes, and their statistics with them`,
            ],
        ]);
        expect(hazard(plan, "LOSES_HISTORY")?.stake).toEqual({
            rows: 2832,
            oldest: stake.oldest,
            newest: stake.newest,
        });
    });

    it("that up refuses is told by what it would lose", () => {
        const plan = planOf(standing(desired), { ...desired, acceptLoss: 0 }, given);
        expect(plan.statements).toEqual([]);
        expect(told(plan)).toEqual([["LOSES_HISTORY", inWords]]);
    });

    it("loses nothing that raw data covers", () => {
        const nothing = { rows: 0, oldest: null, newest: null, raw: stake.raw };
        const plan = planOf(standing(desired), desired, {
            ...given,
            rebuild: { stake: nothing, dependants: [] },
        });
        expect(hazard(plan, "LOSES_HISTORY")).toBeUndefined();
        expect(hazard(plan, "REBUILDS")?.message).toContain("filled from what it reads");
    });

    it("takes along what the program does not declare", () => {
        const before = hourly({
            refreshPolicy,
            retentionPolicy: { dropAfter: "1 year" },
            compressionPolicy: { compressAfter: "7 days" },
            indexes: [{ name: "mine", columns: ["n"] }],
        });
        const plan = planOf(standing(before), desired, given);
        const jobs = standing(before).jobs.filter(
            ({ procedure }) => !procedure.includes("refresh"),
        );
        expect(hazard(plan, "DROPS_DEPENDANT")?.message).toBe(
            `what the program does not declare goes with it: ${jobs.map(({ id, procedure }) => `job ${id} (${procedure})`).join(", ")}, index mine, compression`,
        );
    });
});

describe("a plan that hardly anybody notices", () => {
    it.each([
        ["a new aggregate", () => planOf({ kind: "absent", databaseUuid: "5d2e" }, hourly())],
        ["a comment", () => planOf(standing(hourly()), hourly({ comment: "x" }))],
        ["another name", () => planOf(standing(hourly()), hourly({ name: "other" }))],
        ["a setting", () => planOf(standing(hourly()), hourly({ materializedOnly: false }))],
        ["an index of an aggregate", () => planOf(standing(hourly()), hourly({ indexes: [{ columns: ["n"] }] }))],
        ["a new hypertable", () => planOfTable({ kind: "absent", databaseUuid: "5d2e" }, metrics())],
        ["nothing", () => planOf(standing(hourly()), hourly())],
    ])("names no hazard: %s", (_, plan) => {
        expect(told(plan())).toEqual([]);
    }); // prettier-ignore
});

describe("a retention that is new or shorter", () => {
    const before = hourly({ retentionPolicy: { dropAfter: "3 years" } });
    const desired = hourly({ retentionPolicy: { dropAfter: "1 year" } });
    const beyond: Extent = { ...extent, object: "buckets of public.hourly", chunks: 12, rows: null, bytes: 8192 }; // prettier-ignore

    it("loses the chunks that are older", () => {
        const plan = planOf(standing(before), desired, {}, { beyond });
        expect(told(plan)).toEqual([
            [
                "LOSES_DATA",
                "the job of retentionPolicy drops what is older than 1 year at its next run: 12 chunks, 8.0 kB, from 2026-08-24 00:00:00+00 to 2026-11-26 00:00:00+00",
            ],
        ]);
        expect(plan.hazards?.[0]?.stake).toEqual({ ...estimated, rows: null });
        expect(told(planOf(standing(hourly()), desired, {}, { beyond }))).toHaveLength(1);
    });

    it("loses nothing while no chunk is older, or the job is paused", () => {
        const none = { ...beyond, chunks: 0 };
        const paused = hourly({ retentionPolicy: { dropAfter: "1 year", paused: true } });
        const slower = hourly({ retentionPolicy: { dropAfter: "3 years", scheduleInterval: "2 days" } }); // prettier-ignore
        expect(told(planOf(standing(before), desired, {}, { beyond: none }))).toEqual([]);
        expect(told(planOf(standing(before), paused, {}, { beyond }))).toEqual([]);
        expect(told(planOf(standing(before), slower, {}, { beyond }))).toEqual([]);
    });
});

describe("a job that cannot be altered", () => {
    it("is made anew, and its statistics with it", () => {
        const desired = hourly({ refreshPolicy });
        const stands = standing(desired);
        const jobs = stands.jobs.map((job) => ({ ...job, owner: "bob", ownedByMember: true }));
        expect(told(planOf({ ...stands, jobs }, desired))).toEqual([
            [
                "RESTARTS_JOB",
                `refreshPolicy gets a new job of observatory_owner: job ${jobs[0]?.id} goes, and its statistics with it`,
            ],
        ]);
    });
});

describe("a hypertable with rows", () => {
    const table = metrics();
    const facts = { extent };

    it("keeps everybody waiting while a key is built and a column searched", () => {
        const desired = metrics({
            columns: [
                { name: "ts", type: "timestamptz", nullable: false },
                { name: "value", type: "double precision", nullable: false },
            ],
            primaryKey: ["ts"],
        });
        expect(told(planOfTable(standingTable(table), desired, {}, { facts }))).toEqual([
            [
                "BLOCKS_WRITES",
                `writers of public.metrics wait while the primary key (ts) is built and column value is searched for NULL under AccessExclusiveLock, in all of it: ${held}; ${patience}`,
            ],
            ["BLOCKS_READS", "readers of public.metrics wait as long"],
        ]);
    });

    it("keeps writers waiting while an index is built, of one chunk or of all", () => {
        const desired = metrics({ indexes: [{ name: "by_value", columns: ["value"] }] });
        const stands = standingTable(table);
        expect(told(planOfTable(stands, desired, {}, { facts, perChunk: true }))).toEqual([
            [
                "BLOCKS_WRITES",
                `index by_value is built chunk by chunk: writers to the chunk at hand wait meanwhile; public.metrics has ${held}`,
            ],
        ]);
        expect(told(planOfTable(stands, desired, {}, { facts }))).toEqual([
            [
                "BLOCKS_WRITES",
                `writers of public.metrics wait while index by_value is built on all of it: ${held}`,
            ],
        ]);
    });

    it("is rewritten by a new column whose default differs from row to row, and by no other", () => {
        const withDefault = (text: string): Plan =>
            planOfTable(
                standingTable(table),
                metrics({
                    columns: [...table.columns, { name: "key", type: "uuid", default: text }],
                }),
                {},
                { facts: { ...facts, volatile: ["gen_random_uuid"] } },
            );
        expect(told(withDefault("gen_random_uuid()"))[0]?.[1]).toContain(
            "wait while column key is filled, which rewrites every row under AccessExclusiveLock",
        );
        expect(told(withDefault("now()"))).toEqual([]);
    });

    it("loses a dropped column, and the indexes on it", () => {
        const before = metrics({
            columns: [...table.columns, { name: "extra", type: "int" }],
            indexes: [{ name: "by_extra", columns: ["extra DESC"] }],
        });
        const stands = standingTable(before);
        const desired = metrics({ dropColumns: ["extra"] });
        const plan = planOfTable(stands, desired, {}, { facts: { ...facts, indexes: stands.indexes } });
        expect(told(plan)).toEqual([
            [
                "LOSES_DATA",
                `column extra is dropped with the values that it has: ${held}, from 2026-08-24 00:00:00+00 to 2026-11-26 00:00:00+00`,
            ],
            ["DROPS_DEPENDANT", "with column extra goes index by_extra"],
        ]);
        expect(plan.hazards?.[0]?.stake).toEqual(estimated);
    }); // prettier-ignore

    it("has nothing at stake while it is empty", () => {
        const none = { extent: { ...extent, chunks: 0 } };
        const desired = metrics({ primaryKey: ["ts"] });
        expect(told(planOfTable(standingTable(table), desired, {}, { facts: none }))).toEqual([]);
    });
});
