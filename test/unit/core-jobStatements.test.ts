import {
    addPolicy,
    alterPolicy,
    deleteJob,
    removePolicy,
} from "../../components/timescale/core/policies/jobStatements";
import {
    desiredCompressionJob,
    desiredRefreshJob,
    desiredRetentionJob,
} from "../../components/timescale/core/policies/policy";
import { standingJob } from "../helpers/builders";

const relation = { schema: 'Odd "Schema"', name: "Robert'; --" };
const quoted = `"Odd ""Schema"""."Robert'; --"`;

const refresh = desiredRefreshJob({ startOffset: "3 days", scheduleInterval: "1 hour" });

describe("addPolicy", () => {
    it("adds a refresh policy with everything that the server has no argument for", () => {
        expect(addPolicy(relation, refresh, { scheduled: false })).toEqual({
            name: "add_refresh_policy",
            sql: `SELECT alter_job(
    add_continuous_aggregate_policy(
        $1::regclass, start_offset => $2::interval, end_offset => $3::interval,
        schedule_interval => $4::interval, initial_start => $5::timestamptz, timezone => $6::text),
    max_runtime => $7::interval,
    max_retries => $8::int,
    retry_period => $9::interval,
    scheduled => $10::bool,
    timezone => $6::text)`,
            values: [quoted, "3 days", null, "1 hour", null, null, "0", -1, "1 hour", false],
        });
    });

    it("adds a retention policy", () => {
        const job = desiredRetentionJob({ dropAfter: "37 days", timezone: "Europe/Berlin" });
        expect(addPolicy(relation, job, { scheduled: true })).toEqual({
            name: "add_retention_policy",
            sql: `SELECT alter_job(
    add_retention_policy(
        $1::regclass, drop_after => $2::interval,
        schedule_interval => $3::interval, initial_start => $4::timestamptz, timezone => $5::text),
    max_runtime => $6::interval,
    max_retries => $7::int,
    retry_period => $8::interval,
    scheduled => $9::bool,
    timezone => $5::text)`,
            values: [
                quoted,
                "37 days",
                "1 day",
                null,
                "Europe/Berlin",
                "5 minutes",
                -1,
                "5 minutes",
                true,
            ],
        });
    });

    it("adds a compression policy", () => {
        const job = desiredCompressionJob({ compressAfter: "7 days", maxRetries: 3 });
        const statement = addPolicy(relation, job, { scheduled: true });
        expect(statement.name).toBe("add_compression_policy");
        expect(statement.sql).toContain(
            "add_compression_policy(\n        $1::regclass, compress_after => $2::interval,",
        );
        expect(statement.values).toEqual([
            quoted,
            "7 days",
            "12 hours",
            null,
            null,
            "0",
            3,
            "1 hour",
            true,
        ]);
    });
});

describe("alterPolicy", () => {
    const sql = `SELECT alter_job($1,
    schedule_interval => $2::interval, max_runtime => $3::interval,
    max_retries => $4::int, retry_period => $5::interval, scheduled => $6::bool,
    config => $7::jsonb, timezone => $8::text,
    fixed_schedule => $9::bool, initial_start => $10::timestamptz)`;

    it("passes every setting, the time zone even when there is none", () => {
        const actual = standingJob(refresh, { id: 1042, timezone: "Europe/Berlin" });
        expect(alterPolicy(actual, refresh, { scheduled: true })).toEqual({
            name: "alter_refresh_policy",
            sql,
            values: [
                1042,
                "1 hour",
                "0",
                -1,
                "1 hour",
                true,
                '{"start_offset":"3 days","end_offset":null,"mat_hypertable_id":7}',
                null,
                false,
                null,
            ],
        });
    });

    it("passes the time zone and the fixed schedule that are declared", () => {
        const job = { ...refresh, timezone: "Europe/Berlin", initialStart: "2026-01-31T00:00:00Z" };
        const { values } = alterPolicy(standingJob(refresh), job, { scheduled: false });
        expect(values?.slice(5)).toEqual([
            false,
            expect.any(String),
            "Europe/Berlin",
            true,
            "2026-01-31T00:00:00Z",
        ]);
    });

    it("keeps keys of the config that a newer server has put there", () => {
        const actual = standingJob(refresh, {
            config: { start_offset: "1 day", mat_hypertable_id: 7, refresh_newest_first: true },
        });
        const { values } = alterPolicy(actual, refresh, { scheduled: true });
        expect(JSON.parse(String(values?.[6]))).toEqual({
            start_offset: "3 days",
            end_offset: null,
            mat_hypertable_id: 7,
            refresh_newest_first: true,
        });
    });
});

describe("removing", () => {
    it.each([
        ["refresh", "remove_continuous_aggregate_policy"],
        ["retention", "remove_retention_policy"],
        ["compression", "remove_compression_policy"],
    ] as const)("a %s policy goes by the relation", (kind, procedure) => {
        expect(removePolicy(relation, kind)).toEqual({
            name: `remove_${kind}_policy`,
            sql: `SELECT ${procedure}($1::regclass, if_exists => true)`,
            values: [quoted],
        });
    });

    it("a job that stands twice goes by its number", () => {
        expect(deleteJob(standingJob(refresh, { id: 1042 }))).toEqual({
            name: "delete_job",
            sql: "SELECT delete_job($1)",
            values: [1042],
        });
    });
});
