import type { automation } from "@pulumi/pulumi";
import { ComponentResource } from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    type ContinuousAggregateProperties,
    Hypertable,
} from "../../components/timescale";
import { quoteQualified } from "../../components/timescale/core/identifier";
import type { TestDatabase } from "../helpers/databases";
import { changes, failed, nameOf, said, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { everything, query, readingsColumns, relations } from "./readings";

type Level = Pick<ContinuousAggregateProperties, "name" | "query"> &
    Partial<ContinuousAggregateProperties>;

const levels: readonly Level[] = [
    {
        name: "by_minute",
        query: `SELECT time_bucket('1 minute', ts) AS bucket, sensor, count(*) AS n, sum(value) AS total
            FROM readings GROUP BY 1, 2`,
    },
    {
        name: "by_hour",
        query: `SELECT time_bucket('1 hour', bucket) AS bucket, sensor, sum(n)::bigint AS n, sum(total)::bigint AS total
            FROM by_minute GROUP BY 1, 2`,
    },
    {
        name: "by_day",
        query: `SELECT time_bucket('1 day', bucket) AS bucket, sum(n)::bigint AS n, sum(total)::bigint AS total
            FROM by_hour GROUP BY 1`,
    },
];

const bottomUp = ["readings", "by_minute", "by_hour", "by_day"];
const topDown = [...bottomUp].reverse();

/** A table and aggregates of it, declared in this order, with no word on what depends on what. */
function program(
    connection: Connection,
    order: readonly string[],
    change: {
        readonly schema?: string;
        readonly levels?: readonly Level[];
        readonly grouped?: boolean;
        readonly outputs?: boolean;
    } = {},
): automation.PulumiFn {
    return async () => {
        const place = {
            connection,
            ...(change.schema !== undefined && { schema: change.schema }),
        };
        const component = change.grouped === true && new ComponentResource("test:Group", "group");
        const opts = component === false ? {} : { parent: component };
        const names = order.map((name) => {
            const level = [...(change.levels ?? []), ...levels].find((it) => it.name === name);
            if (level !== undefined) {
                return new ContinuousAggregate(name, { ...place, ...level }, opts).name;
            }
            return new Hypertable(
                name,
                {
                    ...place,
                    name,
                    columns: readingsColumns,
                    timeColumn: "ts",
                    chunkTimeInterval: "1 day",
                },
                opts,
            ).name;
        });
        return change.outputs === true ? { names } : {};
    };
}

/** Three days of readings, one each seven minutes; the last one is two days old. */
async function insertRows(connection: Connection, table: string): Promise<void> {
    await query(
        connection,
        `INSERT INTO ${table}
         SELECT date_trunc('day', now(), 'UTC') - interval '2 days' - n * interval '7 minutes', 's' || n % 3, n
         FROM generate_series(1, 617) n`,
    );
}

const sums = (connection: Connection, relation: string): Promise<unknown[]> =>
    query(connection, `SELECT sum(n)::int AS n, sum(total)::int AS total FROM ${relation}`);

describeOnServers("a hierarchy of aggregates", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let raw: unknown[];

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(program(database.owner, ["readings"])));
        await insertRows(database.owner, "readings");
        raw = await sums(database.owner, "(SELECT 1 AS n, value AS total FROM readings) r");
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    /** Names of what each resource is registered after, from the state. */
    const dependencies = async (): Promise<Record<string, string[]>> => {
        const resources = [...resourcesOf(await stack.state())];
        return Object.fromEntries(
            resources.map(([name, { dependencies = [] }]) => [name, dependencies.map(nameOf)]),
        );
    };

    const chain = {
        readings: [],
        by_minute: ["readings"],
        by_hour: ["by_minute"],
        by_day: ["by_hour"],
    };

    it("is created bottom-up and filled from level to level, though declared top-down", async () => {
        const run = succeeded(await stack.up(program(database.owner, topDown)));

        expect(run.steps.map(({ name }) => name)).toEqual(bottomUp);
        expect(changes(run)).toEqual({ by_minute: "create", by_hour: "create", by_day: "create" });
        expect(await dependencies()).toEqual(chain);
        expect(raw).toEqual([{ n: 617, total: (617 * 618) / 2 }]);
        for (const { name } of levels) {
            expect([name, await sums(database.owner, name)]).toEqual([name, raw]);
        }
    });

    it("is the same however it is declared", async () => {
        const run = await stack.up(program(database.owner, bottomUp), { expectNoChanges: true });

        succeeded(run);
        expect(await dependencies()).toEqual(chain);
    });

    it("with buckets that do not go into each other is refused before anything is done", async () => {
        const shorter: Level = {
            name: "by_quarter",
            query: levels[1]!.query.replace("1 hour", "15 minutes").replace("by_minute", "by_hour"),
        };
        const odd: Level = {
            ...levels[2]!,
            query: levels[2]!.query.replace("1 day", "90 minutes"),
        };
        const before = await everything(database.owner);
        const state = resourcesOf(await stack.state());

        for (const outputs of [false, true]) {
            const wrong = program(database.owner, ["by_quarter", ...topDown], {
                levels: [shorter, odd],
                outputs,
            });
            for (const run of [failed(await stack.preview(wrong)), failed(await stack.up(wrong))]) {
                const errors = run.diagnostics.filter(({ message }) =>
                    message.includes("do not fit those of"),
                );
                expect(errors).toHaveLength(1);
                expect(errors[0]?.message).toContain(
                    "the buckets of public.by_quarter do not fit those of public.by_hour",
                );
                expect(errors[0]?.message).toContain(
                    "public.by_day has buckets of 1 hour 30 minutes, and public.by_hour, which it reads, of 1 hour",
                );
                expect(errors[0]?.message).toContain("hint:   write time_bucket('2 hours', …)");
                expect(run.steps.filter(({ op }) => op !== "same")).toEqual([]);
            }
            expect(await everything(database.owner)).toEqual(before);
            expect(resourcesOf(await stack.state())).toEqual(state);
        }
    });

    it("in a circle is refused, and the circle named", async () => {
        const circle: Level[] = [
            { ...levels[1]!, query: levels[1]!.query.replace("by_minute", "by_day") },
        ];

        const run = failed(await stack.up(program(database.owner, topDown, { levels: circle })));

        expect(run.failure).toContain(
            "public.by_day and public.by_hour read each other in a cycle",
        );
    });

    it("that would miss late rows is pointed out by preview", async () => {
        const refresh = { endOffset: "1 day", scheduleInterval: "1 day" };
        const windows: Level[] = [
            { ...levels[1]!, refreshPolicy: { ...refresh, startOffset: "30 days" } },
            { ...levels[2]!, refreshPolicy: { ...refresh, startOffset: "7 days" } },
        ];

        const run = succeeded(
            await stack.preview(program(database.owner, topDown, { levels: windows })),
        );

        expect(said(run, "by_day")).toContain("late rows will be missing from public.by_day");
        expect(said(run, "by_hour")).not.toContain("late rows");
    });

    it("is deleted top-down", async () => {
        const run = succeeded(await stack.destroy());

        expect(run.steps).toEqual(topDown.map((name) => ({ name, op: "delete" })));
        expect(await relations(database.owner)).toEqual([]);
    });

    it("may lie in a component and have names that need quotes", async () => {
        const schema = 'Sensors "1"';
        const place = (name: string): string => quoteQualified({ schema, name });
        await query(
            database.admin,
            `CREATE SCHEMA ${place("x").split(".")[0]} AUTHORIZATION observatory_owner`,
        );
        const names = ["Läufe", 'from "a', "by.day"];
        const sources = ["readings", ...names];
        const odd = levels.map((level, index) => ({
            ...level,
            name: names[index]!,
            // With and without its schema: the search path begins with the aggregate's own.
            query: level.query.replace(
                /FROM \w+/,
                () =>
                    `FROM ${place(sources[index]!).slice(index === 1 ? place("").length - 2 : 0)}`,
            ),
        }));
        const declared = program(database.owner, [...[...names].reverse(), "readings"], {
            schema,
            levels: odd,
            grouped: true,
        });

        const run = succeeded(await stack.up(declared));

        expect(run.steps.map(({ name }) => name)).toEqual(sources);
        expect(await dependencies()).toEqual({
            readings: [],
            [names[0]!]: ["readings"],
            [names[1]!]: [names[0]],
            [names[2]!]: [names[1]],
        });
        succeeded(await stack.destroy());
    });
});

describeOnServers("two programs in one process", (server) => {
    it("know nothing of each other", async () => {
        const database = await server.createDatabase();
        const stacks = await Promise.all([createEngineStack(), createEngineStack()]);
        try {
            const runs = await Promise.all(
                stacks.map((stack) => stack.preview(program(database.owner, topDown))),
            );
            for (const run of runs) {
                expect(succeeded(run).steps.map(({ name }) => name)).toEqual(bottomUp);
            }
        } finally {
            await Promise.all(stacks.map((stack) => stack.remove()));
            await database.drop();
        }
    });
});
