import type { automation } from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    type ContinuousAggregateProperties,
    Hypertable,
    type Waiver,
} from "../../components/timescale";
import type { TestDatabase } from "../helpers/databases";
import { changes, failed, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { everything, insertReadings, readingsColumns, relations } from "./readings";

const refresh = { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" };

interface Level extends Partial<ContinuousAggregateProperties> {
    readonly name: string;
    readonly query: string;
}

const sound: readonly Level[] = [
    {
        name: "by_hour",
        query: "SELECT time_bucket('1 hour', ts) AS bucket, sensor, avg(value) AS mean FROM readings GROUP BY 1, 2",
        refreshPolicy: refresh,
    },
    {
        name: "by_day",
        query: "SELECT time_bucket('1 day', bucket) AS bucket, max(mean) AS highest FROM by_hour GROUP BY 1",
        refreshPolicy: { ...refresh, endOffset: "1 day" },
    },
];

const broken: readonly Level[] = [
    {
        ...sound[0]!,
        // Longer than raw rows are kept.
        refreshPolicy: { ...refresh, startOffset: "8 days" },
        query: sound[0]!.query.replace(
            "avg(value) AS mean",
            "avg(value) AS mean, sum(value * value) AS squares",
        ),
    },
    {
        ...sound[1]!,
        query: `${sound[1]!.query.replace("max(mean) AS highest", "avg(mean) AS mean")} ORDER BY 1`,
    },
];

function program(
    connection: Connection,
    levels: readonly Level[],
    dropAfter: string | undefined,
    waive: Readonly<Record<string, readonly Waiver[]>> = {},
): automation.PulumiFn {
    return () => {
        const resources = [...levels].reverse().map(
            (level) =>
                new ContinuousAggregate(level.name, {
                    connection,
                    ...level,
                    ...(waive[level.name] !== undefined && { waive: waive[level.name] }),
                }),
        );
        new Hypertable("readings", {
            connection,
            name: "readings",
            columns: readingsColumns,
            timeColumn: "ts",
            chunkTimeInterval: "1 day",
            ...(dropAfter !== undefined && { retentionPolicy: { dropAfter } }),
        });
        return Promise.resolve({ resources: resources.length });
    };
}

const because = (rule: Waiver["rule"]): Waiver => ({ rule, reason: "tried in a test" });

describeOnServers("a program that breaks rules", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    const wrong = (waive = {}): automation.PulumiFn =>
        program(database.owner, broken, "7 days", waive);

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("is shown with each of them by preview, before anything stands, and refused by up", async () => {
        const preview = succeeded(await stack.preview(wrong()));

        expect(said(preview, "by_hour")).toContain("(refresh_beyond_source_retention)");
        expect(said(preview, "by_hour")).toContain("(integer_product)");
        expect(said(preview, "by_hour")).toContain(
            "is 8 days, and public.readings drops after 7 days",
        );
        expect(said(preview, "by_day")).toContain("(average_of_averages)");
        expect(said(preview, "by_day")).toContain("(child_window_shorter)");
        expect(said(preview, "by_day")).toContain("(order_by)");
        // The table's retention is what would do the damage to an aggregate that stands.
        expect(said(preview, "readings")).toContain("(refresh_beyond_source_retention)");

        const up = failed(await stack.up(wrong()));
        expect(up.failure).toContain("(refresh_beyond_source_retention)");
        expect(await relations(database.owner)).toEqual([]);
    });

    it("is refused on what stands as well, and changes nothing of it", async () => {
        succeeded(await stack.up(program(database.owner, sound, undefined)));
        await insertReadings(database.owner);
        const before = await everything(database.owner);

        // The retention alone, which the engine would apply first.
        const cut = sound.map((level) => ({
            ...level,
            refreshPolicy: { ...refresh, startOffset: "8 days", endOffset: "1 day" },
        }));
        succeeded(await stack.preview(program(database.owner, cut, "7 days")));
        const run = failed(await stack.up(program(database.owner, cut, "7 days")));

        expect(run.failure).toContain(
            "refreshes of public.by_hour reach further back than public.readings is kept",
        );
        expect(await everything(database.owner)).toEqual(before);
        succeeded(
            await stack.up(program(database.owner, sound, undefined), { expectNoChanges: true }),
        );
    });

    it("goes through with waivers, which every later preview shows", async () => {
        succeeded(await stack.destroy());
        const waive = {
            by_hour: [because("refresh_beyond_source_retention"), because("integer_product")],
            by_day: [because("average_of_averages"), because("having")],
        };

        succeeded(await stack.up(wrong(waive)));
        const preview = succeeded(await stack.preview(wrong(waive)));

        expect(changes(preview)).toEqual({});
        for (const [name, rule] of [
            ["by_hour", "refresh_beyond_source_retention"],
            ["by_hour", "integer_product"],
            ["by_day", "average_of_averages"],
            ["readings", "refresh_beyond_source_retention"],
        ] as const) {
            expect(said(preview, name)).toContain(`rule ${rule} waived: tried in a test`);
        }
        expect(said(preview, "by_day")).toContain("rule having waived, and does not apply");
        expect(said(preview, "by_day")).toContain("(child_window_shorter)");
        for (const [place, content] of await stack.traces()) {
            expect([place, content.includes("declaredReaders")]).toEqual([place, false]);
        }
    });
});
