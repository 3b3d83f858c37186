import {
    type ActualJob,
    desiredCompressionJob,
    desiredRefreshJob,
    desiredRetentionJob,
    jobDifferences,
    type RefreshPolicy,
} from "../../components/timescale/core/policies/policy";
import { standingJob } from "../helpers/builders";

const hourly: RefreshPolicy = {
    startOffset: "3 days",
    endOffset: "1 hour",
    scheduleInterval: "30 minutes",
};

/** What differs between the job of the hourly policy, changed by hand, and a declared policy. */
function differences(byHand: Partial<ActualJob>, policy: Partial<RefreshPolicy> = {}): string[] {
    const actual = standingJob(desiredRefreshJob(hourly), byHand);
    return jobDifferences(actual, desiredRefreshJob({ ...hourly, ...policy })).map(
        ({ field, was, will }) => `${field}: ${was} → ${will}`,
    );
}

describe("defaults", () => {
    it("of a refresh policy are the server's", () => {
        expect(desiredRefreshJob({ scheduleInterval: "1 hour" })).toEqual({
            kind: "refresh",
            offsets: { start_offset: null, end_offset: null },
            scheduleInterval: "1 hour",
            initialStart: null,
            timezone: null,
            scheduled: true,
            maxRuntime: "0",
            maxRetries: -1,
            retryPeriod: "1 hour",
        });
    });

    it("of a retention policy are the server's", () => {
        expect(desiredRetentionJob({ dropAfter: "37 days" })).toMatchObject({
            offsets: { drop_after: "37 days" },
            scheduleInterval: "1 day",
            maxRuntime: "5 minutes",
            retryPeriod: "5 minutes",
        });
    });

    it("of a compression policy are the server's", () => {
        expect(desiredCompressionJob({ compressAfter: "7 days" })).toMatchObject({
            offsets: { compress_after: "7 days" },
            scheduleInterval: "12 hours",
            maxRuntime: "0",
            retryPeriod: "1 hour",
        });
    });
});

describe("jobDifferences", () => {
    it("is empty for a job as it was added", () => {
        expect(differences({})).toEqual([]);
    });

    it.each<[string, Partial<RefreshPolicy>]>([
        ["an offset", { startOffset: "72 hours" }],
        ["an offset in ISO 8601", { startOffset: "P3D", endOffset: "PT1H" }],
        ["the schedule", { scheduleInterval: "0.5 hours" }],
        [
            "a default that is written out",
            { paused: false, maxRetries: -1, maxRuntime: "0 seconds" },
        ],
    ])("is empty when %s is only spelled differently", (_what, policy) => {
        expect(differences({}, { retryPeriod: "30 minutes", ...policy })).toEqual([]);
    });

    it.each<[string, Partial<RefreshPolicy>, string[]]>([
        ["startOffset", { startOffset: "4 days" }, ["startOffset: 3 days → 4 days"]],
        ["endOffset", { endOffset: "0" }, ["endOffset: 01:00:00 → 0"]],
        [
            "scheduleInterval, and with it retryPeriod's default",
            { scheduleInterval: "1 hour" },
            ["scheduleInterval: 00:30:00 → 1 hour", "retryPeriod: 00:30:00 → 1 hour"],
        ],
        ["paused", { paused: true }, ["paused: false → true"]],
        ["timezone", { timezone: "Europe/Berlin" }, ["timezone: none → Europe/Berlin"]],
        ["maxRuntime", { maxRuntime: "10 min" }, ["maxRuntime: 00:00:00 → 10 min"]],
        ["maxRetries", { maxRetries: 3 }, ["maxRetries: -1 → 3"]],
        ["retryPeriod", { retryPeriod: "1 min" }, ["retryPeriod: 00:30:00 → 1 min"]],
        [
            "initialStart",
            { initialStart: "2026-01-31T00:00:00Z" },
            ["initialStart: none → 2026-01-31T00:00:00.000Z"],
        ],
    ])("tells a declared change of %s", (_field, policy, expected) => {
        expect(differences({}, policy)).toEqual(expected);
    });

    it("tells an offset that is left out from the one that stands", () => {
        const unbounded = desiredRefreshJob({ scheduleInterval: "30 minutes" });
        expect(jobDifferences(standingJob(desiredRefreshJob(hourly)), unbounded)).toEqual([
            { field: "startOffset", was: "3 days", will: "unbounded" },
            { field: "endOffset", was: "01:00:00", will: "unbounded" },
        ]);
        expect(jobDifferences(standingJob(unbounded), unbounded)).toEqual([]);
    });

    it("tells what someone changed by hand, of settings that the program never named", () => {
        const byHand = {
            scheduled: false,
            timezone: "Asia/Tokyo",
            maxRuntime: "01:00:00",
            maxRetries: 5,
            retryPeriod: "00:01:00",
        };
        expect(differences(byHand)).toEqual([
            "timezone: Asia/Tokyo → none",
            "paused: true → false",
            "maxRuntime: 01:00:00 → 0",
            "maxRetries: 5 → -1",
            "retryPeriod: 00:01:00 → 30 minutes",
        ]);
    });

    it("lets a job wait for the first fill", () => {
        const actual = standingJob(desiredRefreshJob(hourly), { scheduled: false });
        expect(
            jobDifferences(actual, desiredRefreshJob(hourly), { ignoreScheduled: true }),
        ).toEqual([]);
    });
});

describe("an initial start", () => {
    const started = { initialStart: "2026-01-31T06:00:00+00:00", fixedSchedule: true };

    it.each([
        "2026-01-31T06:00:00Z",
        "2026-01-31T06:00:00.000+00:00",
        "2026-01-31 07:00:00+01",
        "2026-01-31 11:30:00 +05:30",
        "2026-01-31T00:00:00-06:00",
        // Without a zone it is in UTC, in whatever zone this test runs.
        "2026-01-31T06:00:00",
        "2026-01-31 06:00",
    ])("may be written as %s", (initialStart) => {
        expect(differences(started, { initialStart })).toEqual([]);
    });

    it("of another instant is a difference", () => {
        expect(differences(started, { initialStart: "2026-01-31T06:00:00+01:00" })).toEqual([
            "initialStart: 2026-01-31T06:00:00.000Z → 2026-01-31T05:00:00.000Z",
        ]);
    });

    it("that is left out ends the fixed schedule", () => {
        expect(differences(started)).toEqual(["initialStart: 2026-01-31T06:00:00.000Z → none"]);
    });

    it("does not count on a job without a fixed schedule: the server keeps the last one", () => {
        expect(differences({ ...started, fixedSchedule: false })).toEqual([]);
    });
});
