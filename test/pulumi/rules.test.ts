/** Rules between resources are looked at in the program, before the first of them is registered. */
import * as pulumi from "@pulumi/pulumi";

import { Observatory } from "../../components/observatory";
import { aggregates } from "../../components/observatory/aggregates";
import { hypertables } from "../../components/observatory/hypertables";
import {
    ContinuousAggregate,
    type ContinuousAggregateProperties,
    Hypertable,
    type HypertableProperties,
    View,
} from "../../components/timescale";
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import { desiredHypertable } from "../../components/timescale/core/hypertable/spec";
import type { ProgramJudgement } from "../../components/timescale/core/rules/finding";
import { aggregateFindings, hypertableFindings } from "../../components/timescale/core/rules/own";
import { connection, one, record, type Registered } from "./recording";

type Given<Properties> = { [Key in keyof Properties]?: pulumi.Input<Properties[Key]> };

function table(more: Given<HypertableProperties> = {}): Hypertable {
    return new Hypertable("m", {
        connection,
        name: "m",
        columns: [
            { name: "ts", type: "timestamptz", nullable: false },
            { name: "v", type: "integer" },
        ],
        timeColumn: "ts",
        ...more,
    });
}

function hour(more: Given<ContinuousAggregateProperties> = {}): ContinuousAggregate {
    return new ContinuousAggregate("hour", {
        connection,
        name: "hour",
        query: "SELECT time_bucket('1 hour', ts) AS ts, avg(v) AS v, sum(v * v) AS s FROM m GROUP BY 1",
        ...more,
    });
}

async function run(program: () => unknown): Promise<Registered[]> {
    const registered = await record("test");
    program();
    await pulumi.runtime.disconnect();
    return registered;
}

function judgement(registered: readonly Registered[], name: string): ProgramJudgement | undefined {
    return one(registered, name).inputs["__findings"] as ProgramJudgement | undefined;
}

function codes(registered: readonly Registered[], name: string): string[] | undefined {
    return judgement(registered, name)?.findings.map(({ rule }) => rule);
}

const refreshPolicy = { startOffset: "40 days", endOffset: "1 hour", scheduleInterval: "1 hour" };
const retentionPolicy = { dropAfter: "30 days" };

it.each([
    ["the table first", true],
    ["the aggregate first", false],
])("both ends are told, declared with %s", async (_order, tableFirst) => {
    const registered = await run(() => {
        if (tableFirst) table({ retentionPolicy });
        hour({ refreshPolicy });
        if (!tableFirst) table({ retentionPolicy });
    });

    expect(codes(registered, "hour")).toEqual([
        "refresh_beyond_source_retention",
        "integer_product",
    ]);
    expect(codes(registered, "m")).toEqual(["refresh_beyond_source_retention"]);
    expect(judgement(registered, "m")?.declaredReaders).toEqual(["public.hour"]);
});

it("a waiver on the aggregate reaches the table", async () => {
    const waive = [{ rule: "refresh_beyond_source_retention", reason: "restored" }] as const;

    const registered = await run(() => {
        table({ retentionPolicy });
        hour({ refreshPolicy, waive });
    });

    expect(judgement(registered, "m")?.findings[0]?.waived).toBe("restored (on public.hour)");
});

it("columns are known from level to level", async () => {
    const registered = await run(() => {
        hour();
        table();
        new ContinuousAggregate("day", {
            connection,
            name: "day",
            query: "SELECT time_bucket('1 day', ts) AS ts, avg(v) AS v FROM hour GROUP BY 1",
        });
    });

    expect(codes(registered, "day")).toEqual(["average_of_averages"]);
});

it("what is computed is left to the server", async () => {
    const registered = await run(() => {
        table({ retentionPolicy: pulumi.output(retentionPolicy) });
        hour({ refreshPolicy });
    });

    expect(judgement(registered, "hour")).toMatchObject({ sourceDeclared: false });
    expect(codes(registered, "hour")).toEqual(["integer_product"]);
});

it("who has nothing to do with others is told nothing", async () => {
    const registered = await run(() => {
        table();
        new View("v", { connection, name: "v", query: "SELECT ts FROM elsewhere" });
    });

    expect([judgement(registered, "m"), judgement(registered, "v")]).toEqual([
        undefined,
        undefined,
    ]);
});

it("the Observatory's own declarations break none", async () => {
    const registered = await run(
        () => new Observatory("o", { connection, schema: "public", protectData: true }),
    );

    const found = registered.flatMap(({ type, name, inputs }) => {
        const own = type.endsWith(":ContinuousAggregate")
            ? aggregateFindings(desiredAggregate(inputs))
            : type.endsWith(":Hypertable")
              ? hypertableFindings(desiredHypertable(inputs))
              : [];
        return [...own, ...(judgement(registered, name)?.findings ?? [])];
    });
    const count = (kind: string): number =>
        registered.filter(({ type }) => type.endsWith(`:${kind}`)).length;
    expect(["Hypertable", "ContinuousAggregate", "View", "SqlFunction"].map(count)).toEqual([
        hypertables.length,
        aggregates.length,
        ...[6, 6],
    ]);
    expect(found).toEqual([]);
});

it("helpers are left out where they are not wanted, and percentiles of any window are not", async () => {
    const registered = await run(
        () =>
            new Observatory("o", {
                connection,
                schema: "public",
                protectData: true,
                helpers: false,
            }),
    );

    const found = registered
        .filter(({ type }) => /:(?:View|SqlFunction)$/.test(type))
        .map(({ name }) => name);
    expect(found.sort()).toEqual([
        "llm-bins-of",
        "llm-latency-percentile",
        "llm-percentiles",
        "llm-rank",
    ]);
});
