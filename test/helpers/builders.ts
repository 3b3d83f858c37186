/**
 * Aggregates, hypertables and jobs for unit tests: as a program declares them, and as the catalog
 * has them once they were applied. A test names what its sentence is about; the rest is sound.
 */
import type { DesiredQuery } from "../../components/timescale/core/aggregate/changes";
import {
    type AggregateDiff,
    type AggregateDiffInput,
    diffAggregate,
} from "../../components/timescale/core/aggregate/diff";
import type { AggregateFacts } from "../../components/timescale/core/aggregate/hazards";
import type { InspectedAggregate } from "../../components/timescale/core/aggregate/inspect";
import { planAggregate } from "../../components/timescale/core/aggregate/plan";
import {
    type DesiredAggregate,
    desiredAggregate,
} from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import {
    diffHypertable,
    type HypertableDiff,
    type HypertableDiffInput,
} from "../../components/timescale/core/hypertable/diff";
import type { InspectedHypertable } from "../../components/timescale/core/hypertable/inspect";
import {
    type HypertablePlanOptions,
    planHypertable,
} from "../../components/timescale/core/hypertable/plan";
import {
    type DesiredHypertable,
    desiredHypertable,
} from "../../components/timescale/core/hypertable/spec";
import { parseInterval } from "../../components/timescale/core/interval";
import type { Plan } from "../../components/timescale/core/plan/plan";
import type {
    ActualCompression,
    ActualPolicies,
    DeclaredPolicies,
    DesiredPolicies,
} from "../../components/timescale/core/policies/changes";
import {
    type ActualJob,
    type CompressionPolicy,
    desiredCompressionJob,
    type DesiredJob,
    desiredRefreshJob,
    desiredRetentionJob,
    policyProcedures,
} from "../../components/timescale/core/policies/policy";
import type { ActualIndex, DesiredIndex } from "../../components/timescale/core/relation/indexes";
import { parseOrderTerm } from "../../components/timescale/core/relation/tableStatements";
import { canonicalType } from "../../components/timescale/core/relation/types";

export type Inputs = Readonly<Record<string, unknown>>;

export type StandingAggregate = InspectedAggregate & { readonly kind: "aggregate" };
export type StandingTable = InspectedHypertable & { readonly kind: "hypertable" };

export const owner = "observatory_owner";

export const connection: Connection = {
    host: "db.example.com",
    port: 5432,
    database: "llm_observatory",
    user: owner,
    password: "hunter2-secret",
    sslMode: "verify-full",
};

/** Inputs of an hourly aggregate without policies. */
export function hourlyInputs(given: Inputs = {}): Inputs {
    return {
        connection,
        name: "hourly",
        query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM m GROUP BY 1",
        ...given,
    };
}

export function hourly(given: Inputs = {}): DesiredAggregate {
    return desiredAggregate(hourlyInputs(given));
}

/** Inputs of a hypertable with a time and a value. */
export function metricsInputs(given: Inputs = {}): Inputs {
    return {
        connection,
        name: "metrics",
        columns: [
            { name: "ts", type: "timestamptz", nullable: false },
            { name: "value", type: "double precision" },
        ],
        timeColumn: "ts",
        ...given,
    };
}

export function metrics(given: Inputs = {}): DesiredHypertable {
    return desiredHypertable(metricsInputs(given));
}

/** An interval as PostgreSQL prints it: `72 hours` as `72:00:00`. */
export function printed(text: string): string {
    const interval = parseInterval(text);
    if (interval === undefined) throw new Error(`${text} is no interval`);
    const { months, days, microseconds } = interval;
    const parts: string[] = [];
    const years = Math.trunc(months / 12);
    if (years !== 0) parts.push(`${years} year${years === 1 ? "" : "s"}`);
    if (months % 12 !== 0) parts.push(`${months % 12} mon${months % 12 === 1 ? "" : "s"}`);
    if (days !== 0) parts.push(`${days} day${days === 1 ? "" : "s"}`);
    if (microseconds !== 0 || parts.length === 0) {
        const seconds = Math.abs(microseconds) / 1_000_000;
        const two = (value: number): string => String(Math.trunc(value)).padStart(2, "0");
        const fraction = String(Math.abs(microseconds) % 1_000_000).padStart(6, "0");
        parts.push(
            [
                microseconds < 0 ? "-" : "",
                `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`,
                `.${fraction}`.replace(/\.?0+$/, ""),
            ].join(""),
        );
    }
    return parts.join(" ");
}

/** The job of a policy, as the catalog has it after it was added. */
export function standingJob(job: DesiredJob, given: Partial<ActualJob> = {}): ActualJob {
    return {
        id: { refresh: 1001, retention: 1002, compression: 1003 }[job.kind],
        procedure: policyProcedures[job.kind],
        owner,
        config: {
            ...Object.fromEntries(
                Object.entries(job.offsets).map(([key, value]) => [
                    key,
                    value === null ? null : printed(value),
                ]),
            ),
            mat_hypertable_id: 7,
        },
        scheduleInterval: printed(job.scheduleInterval),
        initialStart:
            job.initialStart === null
                ? null
                : new Date(job.initialStart).toISOString().replace("Z", "+00:00"),
        fixedSchedule: job.initialStart !== null,
        timezone: job.timezone,
        scheduled: job.scheduled,
        maxRuntime: printed(job.maxRuntime),
        maxRetries: job.maxRetries,
        retryPeriod: printed(job.retryPeriod),
        ...given,
    };
}

/**
 * Settings of compression as the catalog splits them up.
 *
 * @param timeColumn which the server appends to an order that lacks it
 */
export function standingCompression(
    policy: Partial<CompressionPolicy>,
    timeColumn?: string,
): ActualCompression {
    const given = (policy.orderBy ?? ["ts DESC"]).map(parseOrderTerm);
    const terms =
        timeColumn === undefined || given.some(({ column }) => column === timeColumn)
            ? given
            : [...given, parseOrderTerm(`${timeColumn} DESC`)];
    return {
        segmentBy: policy.segmentBy ?? [],
        orderBy: terms.map(({ column }) => column),
        orderByDesc: terms.map(({ descending }) => descending),
        orderByNullsFirst: terms.map(({ nullsFirst }) => nullsFirst),
        chunkTimeInterval:
            policy.compressChunkTimeInterval === undefined
                ? null
                : printed(policy.compressChunkTimeInterval),
    };
}

/** @param defaults what the server takes for settings that are left out */
export function standingPolicies(
    desired: DesiredPolicies,
    timeColumn: string,
    defaults: Partial<CompressionPolicy> = {},
): ActualPolicies {
    const { refreshPolicy, retentionPolicy, compressionPolicy } = desired;
    return {
        jobs: [
            ...(refreshPolicy ? [standingJob(desiredRefreshJob(refreshPolicy))] : []),
            ...(retentionPolicy ? [standingJob(desiredRetentionJob(retentionPolicy))] : []),
            ...(compressionPolicy ? [standingJob(desiredCompressionJob(compressionPolicy))] : []),
        ],
        compressed: compressionPolicy !== undefined,
        compression: compressionPolicy
            ? standingCompression(
                  {
                      ...compressionPolicy,
                      segmentBy: compressionPolicy.segmentBy ?? defaults.segmentBy ?? [],
                      orderBy: compressionPolicy.orderBy ?? defaults.orderBy ?? [],
                  },
                  timeColumn,
              )
            : null,
    };
}

/** A stand-in for the server's own words: reformatting is gone, a real change is not. */
export function definitionOf({ query }: Pick<DesiredAggregate, "query">): string {
    return query.replace(/\s+/g, " ").trim();
}

/** What the catalog has once `desired` was applied and filled. */
export function standing(
    desired: DesiredAggregate,
    given: Partial<StandingAggregate> = {},
): StandingAggregate {
    return {
        kind: "aggregate",
        databaseUuid: "5d2e",
        name: { schema: desired.schema, name: desired.name },
        owner,
        superuser: false,
        definition: definitionOf(desired),
        columns: columnsOfHourly,
        groupColumns: ["model"],
        groupIndexes: true,
        view: { state: "intact" },
        finalized: true,
        materializedOnly: desired.materializedOnly,
        bucketWidth: "01:00:00",
        bucketTimezone: null,
        timeColumn: "bucket",
        timeType: "timestamp with time zone",
        chunkTimeInterval: printed(desired.chunkTimeInterval ?? "70 days"),
        defaultChunkTimeInterval: "70 days",
        materializationId: 7,
        materialization: { schema: "_timescaledb_internal", name: "_materialized_hypertable_7" },
        source: { schema: "public", name: "m" },
        sourceId: 1,
        indexes: desired.indexes.map(standingIndex),
        chunks: 3,
        ...standingPolicies(desired, "bucket", { segmentBy: ["model"], orderBy: ["bucket"] }),
        comment: desired.comment,
        grants: desired.grants,
        marker: { filling: false },
        guard: null,
        ...given,
    };
}

function quoted(name: string): string {
    return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replace(/"/g, '""')}"`;
}

/** An index as the catalog has it once it was built. */
export function standingIndex(index: DesiredIndex): ActualIndex {
    return {
        name: index.name,
        method: index.method,
        unique: false,
        primary: false,
        valid: true,
        predicate: index.where === undefined ? null : `(${index.where})`,
        columns: index.columns.map(parseOrderTerm).map((term) => ({
            expression: quoted(term.column),
            // Only a btree has an order.
            descending: term.descending && index.method === "btree",
            nullsFirst: term.nullsFirst && index.method === "btree",
        })),
    };
}

/** What the catalog has once `desired` was applied. */
export function standingTable(
    desired: DesiredHypertable,
    given: Partial<StandingTable> = {},
): StandingTable {
    const key = desired.primaryKey;
    const keyed = (name: string): boolean => name === desired.timeColumn || key.includes(name);
    return {
        kind: "hypertable",
        databaseUuid: "5d2e",
        name: { schema: desired.schema, name: desired.name },
        owner,
        superuser: false,
        comment: desired.comment,
        grants: desired.grants,
        columns: desired.columns.map((column) => ({
            name: column.name,
            type: canonicalType(column.type),
            nullable: (column.nullable ?? true) && !keyed(column.name),
            default: column.default ?? null,
            comment: column.comment ?? null,
        })),
        indexes: [
            ...(key.length === 0
                ? []
                : [
                      {
                          name: `${desired.name}_pkey`,
                          method: "btree",
                          unique: true,
                          primary: true,
                          valid: true,
                          predicate: null,
                          columns: key.map((column) => ({
                              expression: quoted(column),
                              descending: false,
                              nullsFirst: false,
                          })),
                      },
                  ]),
            ...desired.indexes.map(standingIndex),
        ],
        hypertableId: 1,
        timeColumn: desired.timeColumn,
        chunkTimeInterval: printed(desired.chunkTimeInterval),
        chunks: 3,
        ...standingPolicies(desired, desired.timeColumn),
        ...given,
    };
}

export interface History<Desired> {
    /** What the last apply declared; null: there was none. Default: the same as now. */
    readonly before?: Desired | null;
}

function declaredPolicies(before: DesiredPolicies | null): DeclaredPolicies {
    return {
        refreshPolicy: before?.refreshPolicy !== undefined,
        retentionPolicy: before?.retentionPolicy !== undefined,
        compressionPolicy: before?.compressionPolicy !== undefined,
    };
}

export type Given = History<DesiredAggregate> & Partial<AggregateDiffInput>;
export type GivenTable = History<DesiredHypertable> & Partial<HypertableDiffInput>;

const columnsOfHourly = [
    { name: "bucket", type: "timestamp with time zone" },
    { name: "n", type: "bigint" },
] as const;

/** A desired query as the server would have it. */
export function queryAs(definition: string, given: Partial<DesiredQuery> = {}): DesiredQuery {
    return { definition, underActualNames: null, columns: columnsOfHourly, ...given };
}

export function diffOf(
    actual: InspectedAggregate,
    desired: DesiredAggregate,
    { before = desired, ...others }: Given = {},
): AggregateDiff {
    return diffAggregate({
        actual,
        desired,
        desiredQuery: queryAs(definitionOf(desired)),
        owner,
        declared: {
            ...declaredPolicies(before),
            indexes: before?.indexes.map(({ name }) => name) ?? [],
        },
        managed: before !== null,
        ...others,
    });
}

/** The plan that brings what stands to what is declared. @param facts Default: nothing is known */
export function planOf(
    actual: InspectedAggregate,
    desired: DesiredAggregate,
    given: Given = {},
    facts: AggregateFacts = {},
): Plan {
    const filling = actual.kind === "aggregate" && actual.marker.filling;
    return planAggregate(diffOf(actual, desired, given), desired, { filling, facts });
}

export function diffOfTable(
    actual: InspectedHypertable,
    desired: DesiredHypertable,
    { before = desired, ...others }: GivenTable = {},
): HypertableDiff {
    return diffHypertable({
        actual,
        desired,
        owner,
        declared: {
            ...declaredPolicies(before),
            indexes: before?.indexes.map(({ name }) => name) ?? [],
        },
        managed: before !== null,
        ...others,
    });
}

export function planOfTable(
    actual: InspectedHypertable,
    desired: DesiredHypertable,
    given: GivenTable = {},
    options: HypertablePlanOptions = {},
): Plan {
    return planHypertable(diffOfTable(actual, desired, given), desired, options);
}

export function namesOf(plan: Plan): string[] {
    return plan.statements.map(({ name }) => name);
}
