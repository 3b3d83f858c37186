/** A preview as people read it, and its document. */
import type { AggregateFacts } from "../../components/timescale/core/aggregate/hazards";
import type { Plan } from "../../components/timescale/core/plan/plan";
import { planDocument } from "../../components/timescale/provider/planDocument";
import { messagesOf } from "../../components/timescale/provider/planMessages";
import {
    hourly,
    metrics,
    planOf,
    planOfTable,
    queryAs,
    standing,
    standingTable,
} from "../helpers/builders";

const subject = { urn: "urn", kind: "ContinuousAggregate", object: "public.hourly" };
const refreshPolicy = { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" };
const grants = [{ role: "observatory_reader", privileges: ["SELECT"] }];
const source = {
    object: "public.m",
    chunks: 91,
    begins: "2026-08-24 00:00:00+00",
    ends: "2026-11-26 00:00:00+00",
    rows: null,
    bytes: null,
};
const facts: AggregateFacts = { source };
const absent = { kind: "absent", databaseUuid: "5d2e" } as const;

function texts(plan: Plan, exists = true, options = {}): string[] {
    return messagesOf(planDocument(subject, plan, { exists }), options).map(({ text }) => text);
}

describe("the plan in a preview", () => {
    it("of an aggregate that is to be made has a line of SQL a statement, and the fill", () => {
        const plan = planOf(absent, hourly({ refreshPolicy, grants }), { before: null }, facts);
        expect(texts(plan, false, { changes: false })).toEqual([
            [
                "plan:",
                "  in one transaction:",
                "   1. create_continuous_aggregate  ShareRowExclusiveLock on public.m and its chunks: writers wait",
                `          CREATE MATERIALIZED VIEW "public"."hourly" WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS SELEC…`,
                "   2. mark_first_fill",
                "          DO … (10 lines)",
                "   3. add_refresh_policy",
                `          SELECT alter_job(add_continuous_aggregate_policy('"public"."hourly"'::regclass, start_offset => '3 days'::interval, end…`,
                "   4. grant",
                `          GRANT SELECT ON "public"."hourly" TO "observatory_reader"`,
                "  outside the transaction:",
                "   5. refresh_continuous_aggregate  ExclusiveLock on buckets of public.hourly: writers wait",
                `          CALL refresh_continuous_aggregate('"public"."hourly"'::regclass, …, …)`,
                "          for each window of buckets, oldest first; public.m begins 2026-08-24",
                "  in one transaction:",
                "   6. mark_first_fill  ShareUpdateExclusiveLock on buckets of public.hourly",
                "          DO … (10 lines)",
                "   7. alter_refresh_policy",
                "          SELECT alter_job(…, scheduled => true)",
            ].join("\n"),
        ]);
    });

    it("of what stands has the first lines of its SQL, below what differs", () => {
        const desired = hourly({ comment: "by hour", refreshPolicy });
        const stands = standing(hourly({ refreshPolicy: { ...refreshPolicy, scheduleInterval: "2 hours" } })); // prettier-ignore
        const [job] = stands.jobs;
        expect(texts(planOf(stands, desired))).toEqual([
            '~ refreshPolicy.scheduleInterval: 02:00:00 → 1 hour\n~ refreshPolicy.retryPeriod: 02:00:00 → 1 hour\n~ comment: none → "by hour"',
            [
                "plan:",
                "  in one transaction:",
                "   1. alter_refresh_policy",
                `          SELECT alter_job(${job?.id},`,
                "              schedule_interval => '1 hour'::interval, max_runtime => '0'::interval,",
                "              max_retries => -1::int, retry_period => '1 hour'::interval, scheduled => true::bool,",
                "          … 2 more lines",
                "   2. comment  ShareUpdateExclusiveLock on public.hourly",
                `          COMMENT ON VIEW "public"."hourly" IS 'by hour'`,
            ].join("\n"),
        ]);
    });

    it("has an index that is built chunk by chunk behind everything in the transaction", () => {
        const desired = metrics({ comment: "n", indexes: [{ name: "by_value", columns: ["value"] }] });
        const plan = planOfTable(standingTable(metrics()), desired, {}, { perChunk: true });
        expect(texts(plan)[1]).toBe(
            [
                "plan:",
                "  in one transaction:",
                "   1. comment  ShareUpdateExclusiveLock on public.metrics",
                `          COMMENT ON TABLE "public"."metrics" IS 'n'`,
                "  outside the transaction:",
                "   2. create_index  ShareLock on public.metrics and its chunks: writers wait",
                `          CREATE INDEX "by_value" ON "public"."metrics" USING "btree" ("value" ASC NULLS LAST) WITH (timescaledb.transaction_per_…`,
            ].join("\n"),
        );
    }); // prettier-ignore

    it("ends with its hazards, one line each", () => {
        const desired = hourly({ onQueryChange: "rebuild", acceptLoss: { upToRows: 10 } });
        const stake = { rows: 7, oldest: "2026-04-28 00:00:00+00", newest: "2026-04-28 06:00:00+00", raw: [] }; // prettier-ignore
        const plan = planOf(standing(desired), desired, { desiredQuery: queryAs("SELECT 1"), rebuild: { stake, dependants: [] } }, facts); // prettier-ignore
        const messages = messagesOf(planDocument(subject, plan, { exists: true }));
        expect(messages.map(({ severity }) => severity)).toEqual(["info", "info", "warning"]);
        expect(messages[1]?.text).toContain(
            [
                "   1. check_history  AccessExclusiveLock on public.m and its chunks: readers and writers wait",
                "          DO … (21 lines)",
                "   2. drop_continuous_aggregate  AccessExclusiveLock on public.hourly, buckets of public.hourly, public.m and their chunks: readers and writers wait",
                `          DROP MATERIALIZED VIEW "public"."hourly"`,
            ].join("\n"),
        );
        expect(messages[2]?.text.split("\n").map((line) => line.split(":")[0])).toEqual([
            "! LOSES_HISTORY",
            "! REBUILDS",
            "! BLOCKS_WRITES",
            "! BLOCKS_READS",
        ]);
    });

    it("is left out where up refuses, where nothing differs, and of a refresh", () => {
        const refusing = planOf(standing(hourly()), hourly({ comment: "x" }), {
            desiredQuery: queryAs("SELECT 1"),
        });
        expect(refusing.statements).not.toEqual([]);
        expect(texts(refusing).some((text) => text.startsWith("plan:"))).toBe(false);
        expect(texts(planOf(standing(hourly()), hourly()))).toEqual([]);
        const commented = planOf(standing(hourly()), hourly({ comment: "x" }));
        expect(texts(commented, true, { plan: false })).toEqual(['~ comment: none → "x"']);
    });
});

describe("the document of a plan", () => {
    it("has each lock with whom it blocks, and each hazard with what is at stake", () => {
        const plan: Plan = {
            ...planOf(standing(hourly()), hourly({ materializedOnly: false, grants })),
            hazards: [
                { name: "BLOCKS_READS", message: "readers wait" },
                { name: "LOSES_HISTORY", message: "3 rows", stake: { rows: 3, oldest: "a", newest: "b" } },
            ],
        };
        const document = planDocument(subject, plan, { exists: true });
        expect(document.statements).toEqual([
            {
                name: "set_materialized_only",
                sql: `ALTER MATERIALIZED VIEW "public"."hourly" SET (timescaledb.materialized_only = false)`,
                transaction: "shared",
                lock: {
                    mode: "AccessExclusiveLock",
                    on: ["public.hourly"],
                    chunks: false,
                    blocks: ["reads", "writes"],
                },
            },
            {
                name: "grant",
                sql: `GRANT SELECT ON "public"."hourly" TO "observatory_reader"`,
                transaction: "shared",
                lock: null,
            },
        ]);
        expect(document.hazards).toEqual([
            { name: "BLOCKS_READS", message: "readers wait", stake: null },
            {
                name: "LOSES_HISTORY",
                message: "3 rows",
                stake: { rows: 3, oldest: "a", newest: "b", estimated: false },
            },
        ]);
    }); // prettier-ignore

    it("says of notes and hazards alone that nothing differs", () => {
        const plan: Plan = {
            ...planOf(standing(hourly()), hourly()),
            notes: [{ code: "kept_index", message: "kept" }],
            hazards: [{ name: "BLOCKS_READS", message: "readers wait" }],
        };
        expect(planDocument(subject, plan, { exists: true }).result).toBe("same");
    });
});
