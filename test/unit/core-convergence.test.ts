/**
 * The main invariant, on a model of the server: after the changes that a difference names, there is
 * no difference left.
 */
import fc from "fast-check";

import type { AggregateChange } from "../../components/timescale/core/aggregate/changes";
import type { InspectedAggregate } from "../../components/timescale/core/aggregate/inspect";
import type { DesiredAggregate } from "../../components/timescale/core/aggregate/spec";
import type { HypertableChange } from "../../components/timescale/core/hypertable/diff";
import type { InspectedHypertable } from "../../components/timescale/core/hypertable/inspect";
import type { DesiredHypertable } from "../../components/timescale/core/hypertable/spec";
import type {
    ActualPolicies,
    PolicyChange,
} from "../../components/timescale/core/policies/changes";
import { policyProcedures } from "../../components/timescale/core/policies/policy";
import { type GrantDifference, privileges } from "../../components/timescale/core/relation/grants";
import type { ActualIndex, IndexChange } from "../../components/timescale/core/relation/indexes";
import {
    diffOf,
    diffOfTable,
    hourly,
    metrics,
    planOf,
    planOfTable,
    standing,
    type StandingAggregate,
    standingCompression,
    standingIndex,
    standingJob,
    type StandingTable,
    standingTable,
} from "../helpers/builders";

type Grants = StandingAggregate["grants"];

function withGrants(grants: Grants, { role, missing, unexpected }: GrantDifference): Grants {
    const had = grants.find((grant) => grant.role === role)?.privileges ?? [];
    const has = [...had.filter((privilege) => !unexpected.includes(privilege)), ...missing];
    return [
        ...grants.filter((grant) => grant.role !== role),
        ...(has.length === 0 ? [] : [{ role, privileges: has }]),
    ];
}

let lastJob = 2000;

function withPolicy(
    actual: ActualPolicies & { readonly timeColumn: string },
    change: PolicyChange,
): ActualPolicies {
    const { jobs } = actual;
    switch (change.kind) {
        case "compression": {
            if (change.will === null) return { ...actual, compressed: false, compression: null };
            // Settings that a statement leaves out stay as they are.
            // The server's own choice for an aggregate, where nothing stands yet.
            const will = standingCompression(
                {
                    ...change.will,
                    segmentBy: change.will.segmentBy ?? ["model"],
                    orderBy: change.will.orderBy ?? ["bucket"],
                },
                actual.timeColumn,
            );
            const order = change.will.orderBy === undefined ? change.was : will;
            const { segmentBy } = change.will.segmentBy === undefined ? (change.was ?? will) : will;
            const interval = change.will.compressChunkTimeInterval;
            const chunkTimeInterval =
                interval === undefined
                    ? (change.was?.chunkTimeInterval ?? null)
                    : interval === "0"
                      ? null
                      : interval;
            return {
                ...actual,
                compressed: true,
                compression: { ...will, ...order, segmentBy, chunkTimeInterval },
            };
        }
        case "addPolicy":
            return { ...actual, jobs: [...jobs, standingJob(change.job, { id: (lastJob += 1) })] };
        case "alterPolicy":
            return {
                ...actual,
                jobs: jobs.map((job) =>
                    job.id === change.actual.id ? standingJob(change.job, { id: job.id }) : job,
                ),
            };
        case "removePolicy": {
            // The server removes one job a call, even where there are two.
            const first = jobs.find(
                ({ procedure }) => procedure === policyProcedures[change.policy],
            );
            return { ...actual, jobs: jobs.filter((job) => job !== first) };
        }
        case "deleteJob":
            return { ...actual, jobs: jobs.filter(({ id }) => id !== change.actual.id) };
        case "replaceJob":
        case "jobOwner":
            throw new Error("no job of the model belongs to anyone else");
        case "compressedChunks":
            throw new Error("no chunk of the model is compressed");
    }
}

function withIndex(indexes: readonly ActualIndex[], change: IndexChange): ActualIndex[] {
    switch (change.kind) {
        case "createIndex":
            return [
                ...indexes.filter(({ name }) => name !== change.instead?.name),
                standingIndex(change.index),
            ];
        case "dropIndex":
            return indexes.filter(({ name }) => name !== change.index.name);
        case "renameIndex":
            return indexes.map((it) =>
                it.name === change.was.name ? { ...it, name: change.will } : it,
            );
    }
}

function applyTo(
    actual: InspectedAggregate,
    changes: readonly AggregateChange[],
    desired: DesiredAggregate,
): StandingAggregate {
    const { schema, name, query, materializedOnly } = desired;
    const bare = standing(hourly({ schema, name, query, materializedOnly }));
    const first = actual.kind === "aggregate" ? actual : bare;
    return changes.reduce((model, change): StandingAggregate => {
        switch (change.kind) {
            case "create":
            case "takeBack":
                return { ...model, marker: { filling: true } };
            case "rename":
                return { ...model, name: { schema, name } };
            case "owner":
            case "renameColumns":
            case "rebuild":
            case "replace":
            case "dropVersion":
                throw new Error("nobody gives the model away, or asks it something else");
            case "restoreView":
                return { ...model, view: { state: "intact" } };
            case "createIndex":
            case "dropIndex":
            case "renameIndex":
                return { ...model, indexes: withIndex(model.indexes, change) };
            case "refuse":
                throw new Error(`refused: ${change.reason.what}`);
            case "materializedOnly":
                return { ...model, materializedOnly: change.will };
            case "chunkTimeInterval":
                return { ...model, chunkTimeInterval: change.will };
            case "comment":
                return { ...model, comment: change.will };
            case "grants":
                return { ...model, grants: withGrants(model.grants, change.difference) };
            case "fill":
                return { ...model, marker: { filling: false } };
            default:
                return { ...model, ...withPolicy(model, change) };
        }
    }, first);
}

function applyToTable(
    actual: InspectedHypertable,
    changes: readonly HypertableChange[],
    desired: DesiredHypertable,
): StandingTable {
    const bare = standingTable(
        metrics({ ...desired, indexes: [], comment: null, grants: [], retentionPolicy: null, compressionPolicy: null }),
    ); // prettier-ignore
    const uncommented = bare.columns.map((column) => ({ ...column, comment: null }));
    const first = actual.kind === "hypertable" ? actual : { ...bare, columns: uncommented };
    return changes.reduce((model, change): StandingTable => {
        const withColumn = (
            name: string,
            set: Partial<StandingTable["columns"][number]>,
        ): StandingTable => ({
            ...model,
            columns: model.columns.map((it) => (it.name === name ? { ...it, ...set } : it)),
        });
        switch (change.kind) {
            case "create":
                return model;
            case "rename":
                return { ...model, name: { schema: desired.schema, name: desired.name } };
            case "owner":
            case "renameColumns":
                throw new Error("nobody gives the model away");
            case "refuse":
                throw new Error(`refused: ${change.reason.what}`);
            case "addColumn": {
                const { comment: _later, ...column } = change.column;
                const added = standingTable(metrics({ columns: [column] })).columns;
                return { ...model, columns: [...model.columns, ...added] };
            }
            case "dropColumn":
                return {
                    ...model,
                    columns: model.columns.filter(({ name }) => name !== change.name),
                };
            case "default":
                return withColumn(change.column, { default: change.will });
            case "nullable":
                return withColumn(change.column, { nullable: change.will });
            case "columnComment":
                return withColumn(change.column, { comment: change.will });
            case "createIndex":
            case "dropIndex":
            case "renameIndex":
                return { ...model, indexes: withIndex(model.indexes, change) };
            case "suspendCompression":
            case "resumeCompression":
                return model;
            case "primaryKey": {
                const keyed = standingTable(metrics({ ...desired, indexes: [] }));
                return {
                    ...model,
                    indexes: [...keyed.indexes, ...model.indexes.filter(({ primary }) => !primary)],
                };
            }
            case "chunkTimeInterval":
                return { ...model, chunkTimeInterval: change.will };
            case "comment":
                return { ...model, comment: change.will };
            case "grants":
                return { ...model, grants: withGrants(model.grants, change.difference) };
            default:
                return { ...model, ...withPolicy(model, change) };
        }
    }, first);
}

/** Hours, in one of the ways in which they can be written. */
const hoursAs = [
    (hours: number) => `${hours} hours`,
    (hours: number) => `${hours * 60} min`,
    (hours: number) => `${hours}:00:00`,
    (hours: number) => `PT${hours}H`,
    (hours: number) => `${hours / 24} days`,
    (hours: number) => `${Math.floor(hours / 24)} days ${hours % 24} h`,
    (hours: number) => `@ ${-hours} hours ago`,
];

function interval(min: number, max: number): fc.Arbitrary<string> {
    return fc
        .tuple(fc.integer({ min, max }), fc.constantFrom(...hoursAs))
        .map(([hours, as]) => as(hours));
}

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
    return fc.option(arbitrary, { nil: undefined });
}

const jobSettings = {
    initialStart: optional(fc.constantFrom("2026-01-31T06:00:00Z", "2026-02-01 07:00:00+01")),
    timezone: optional(fc.constantFrom("UTC", "Europe/Berlin")),
    paused: optional(fc.boolean()),
    maxRuntime: optional(interval(0, 2)),
    maxRetries: optional(fc.integer({ min: -1, max: 3 })),
    retryPeriod: optional(interval(1, 3)),
};

const refreshPolicy = fc.record({
    startOffset: optional(interval(100, 200)),
    endOffset: optional(interval(-2, 90)),
    scheduleInterval: interval(1, 48),
    ...jobSettings,
});

const retentionPolicy = fc.record({
    dropAfter: interval(1, 9000),
    scheduleInterval: optional(interval(1, 48)),
    ...jobSettings,
});

const compressionPolicy = fc.record({
    compressAfter: interval(300, 900),
    segmentBy: optional(fc.constantFrom([], ["model"], ["provider", "model"])),
    orderBy: optional(fc.constantFrom(["ts DESC"], ["ts asc nulls first"], ['"Odd" DESC', "ts"])),
    scheduleInterval: optional(interval(1, 48)),
    ...jobSettings,
});

const grants = fc.uniqueArray(
    fc.record({
        role: fc.constantFrom("reader", "writer", "public"),
        privileges: fc.uniqueArray(fc.constantFrom(...privileges), { minLength: 1 }),
    }),
    { selector: ({ role }) => role },
);

const words = {
    comment: optional(fc.constantFrom("by hour", "it's")),
    grants,
    retentionPolicy: optional(retentionPolicy),
    compressionPolicy: optional(compressionPolicy),
};

const aggregates = fc
    .record({
        ...words,
        materializedOnly: fc.boolean(),
        chunkTimeInterval: optional(interval(1, 2000)),
        refreshPolicy: optional(refreshPolicy),
    })
    .map((given) => hourly(given));

const column = fc.record({
    name: fc.constantFrom("value", "model", 'the "odd"'),
    nullable: optional(fc.boolean()),
    default: optional(fc.constantFrom("0", "-1", "now()")),
    comment: optional(fc.constantFrom("x", "y")),
});

const index = fc.record({
    columns: fc.constantFrom(["value"], ["value DESC", "ts"], ["model NULLS FIRST"]),
    method: optional(fc.constantFrom("btree", "brin")),
    where: optional(fc.constant("value > 0")),
});

const tables = fc
    .record({
        ...words,
        chunkTimeInterval: interval(1, 200),
        columns: fc
            .uniqueArray(column, { selector: ({ name }) => name })
            .map((columns) => [
                { name: "ts", type: "timestamptz", nullable: false },
                ...columns.map((it) => ({ ...it, type: "numeric(12,8)" })),
            ]),
        indexes: fc.uniqueArray(index, { selector: ({ columns }) => columns.join("_") }),
        indexNames: fc.constantFrom("index", "other"),
        dropColumns: fc.constantFrom([], ["value", "model"]),
    })
    .map(({ dropColumns, indexNames, ...given }) => {
        const names = given.columns.map(({ name }) => name);
        return metrics({
            ...given,
            dropColumns: dropColumns.filter((name) => !names.includes(name)),
            indexes: given.indexes.map((it, at) => ({ ...it, name: `${indexNames}_${at}` })),
        });
    });

describe("an aggregate", () => {
    it("that was made from a declaration does not differ from it, however its intervals are spelled", () => {
        fc.assert(
            fc.property(aggregates, (desired) => {
                expect(planOf(standing(desired), desired)).toMatchObject({
                    statements: [],
                    refusals: [],
                    fill: false,
                });
            }),
        );
    });

    it("that is created as its changes say does not differ any more", () => {
        fc.assert(
            fc.property(aggregates, (desired) => {
                const absent: InspectedAggregate = { kind: "absent", databaseUuid: "5d2e" };
                const { changes } = diffOf(absent, desired, { before: null });
                const after = applyTo(absent, changes, desired);
                expect(diffOf(after, desired).changes).toEqual([]);
            }),
        );
    });

    it("that is changed as its changes say does not differ any more, whatever stood before", () => {
        const drift = fc.record({
            twice: fc.boolean(),
            marker: fc.constantFrom(
                { filling: false },
                { filling: true },
                { filling: false, keptFrom: "public.hourly" },
            ),
            managed: fc.boolean(),
        });
        fc.assert(
            fc.property(aggregates, aggregates, drift, (before, desired, given) => {
                const stood = standing(before, { marker: given.marker });
                const again = stood.jobs.map((job) => ({ ...job, id: job.id + 100 }));
                const actual = given.twice ? { ...stood, jobs: [...stood.jobs, ...again] } : stood;
                const history = { before: given.managed ? before : null };
                const { changes } = diffOf(actual, desired, history);
                const after = applyTo(actual, changes, desired);
                // Until the outputs are stored, the last apply's are what a killed run goes by.
                expect(diffOf(after, desired, history).changes).toEqual([]);
                expect(diffOf(after, desired).changes).toEqual([]);
            }),
        );
    });
});

describe("a hypertable", () => {
    it("that was made from a declaration does not differ from it, however it is spelled", () => {
        fc.assert(
            fc.property(tables, (desired) => {
                expect(planOfTable(standingTable(desired), desired)).toMatchObject({
                    statements: [],
                    refusals: [],
                });
            }),
        );
    });

    it("that is created as its changes say does not differ any more", () => {
        fc.assert(
            fc.property(tables, (desired) => {
                const absent: InspectedHypertable = { kind: "absent", databaseUuid: "5d2e" };
                const { changes } = diffOfTable(absent, desired, { before: null });
                const after = applyToTable(absent, changes, desired);
                expect(diffOfTable(after, desired).changes).toEqual([]);
            }),
        );
    });

    it("that is changed as its changes say does not differ any more, whatever stood before", () => {
        fc.assert(
            fc.property(tables, tables, (before, desired) => {
                const actual = standingTable(before);
                const { changes } = diffOfTable(actual, desired, { before });
                const after = applyToTable(actual, changes, desired);
                expect(diffOfTable(after, desired, { before }).changes).toEqual([]);
                expect(diffOfTable(after, desired).changes).toEqual([]);
            }),
        );
    });
});
