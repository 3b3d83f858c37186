/**
 * The statements that put a new version in the place of an aggregate, in their order. Preview shows
 * them; each step of the run takes its own from here.
 */
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../../identifier";
import { buildingMarker, type BuildingState, replacedMarker } from "../../memory/marker";
import type { Lock, LockMode } from "../../plan/lock";
import { bucketsOf } from "../../plan/locks";
import type { Statement } from "../../plan/plan";
import { policyProcedures } from "../../policies/policy";
import { indexStatements } from "../../relation/indexes";
import { renameStatements } from "../../relation/tableStatements";
import { timeOf } from "../bucket";
import type { ActualAggregate } from "../inspect";
import { markStatement } from "../mark";
import { refreshCall } from "../refreshCall";
import type { DesiredAggregate } from "../spec";
import { dropGuardStatement, guardStatement } from "./guard";
import type { Mapping } from "./mapping";
import { builtIndexName } from "./names";
import type { Pair, RenamedVersion, Replacement, RepointedView } from "./replacement";

/** The new version as it is made: jobs wait, and only buckets show, until it takes its place. */
export function asBuilt({ desired }: Pair): DesiredAggregate {
    const paused = { paused: true } as const;
    return {
        ...desired,
        materializedOnly: true,
        indexes: desired.indexes.map((index) => ({ ...index, name: builtIndexName(index.name) })), // prettier-ignore
        ...(desired.refreshPolicy && { refreshPolicy: { ...desired.refreshPolicy, ...paused } }),
        ...(desired.retentionPolicy && { retentionPolicy: { ...desired.retentionPolicy, ...paused } }), // prettier-ignore
        ...(desired.compressionPolicy && { compressionPolicy: { ...desired.compressionPolicy, ...paused } }), // prettier-ignore
    };
}

export function markBuilding(beside: QualifiedName, state: BuildingState): Statement {
    // Nobody reads it yet.
    return { ...markStatement(beside, buildingMarker(state)), name: "mark_building", lock: null };
}

/**
 * Marks everything before the cut as refreshed, while nothing is there: rows that were copied before
 * would be deleted by the first refresh that reaches them.
 */
export function markDone(beside: QualifiedName, cut: string, extensionSchema: string): Statement {
    return refreshBeside(beside, extensionSchema, "NULL", timeOf(cut));
}

/** Computes a bucket that is not over, because the old version shows it. */
export function refreshOpen(
    beside: QualifiedName,
    from: string,
    extensionSchema: string,
): Statement {
    return refreshBeside(beside, extensionSchema, timeOf(from), "NULL");
}

function refreshBeside(
    beside: QualifiedName,
    extensionSchema: string,
    from: string,
    to: string,
): Statement {
    return {
        name: "refresh_continuous_aggregate",
        sql: refreshCall(extensionSchema, beside, from, to),
        outside: {},
        lock: lockOn("ExclusiveLock", bucketsOf(displayName(beside))),
    };
}

function lockOn(mode: LockMode, ...on: readonly string[]): Lock {
    return { mode, on, chunks: false };
}

/** SQL conditions on a new bucket. */
export interface CopiedRange {
    readonly from?: string;
    /** Exclusive. */
    readonly to?: string;
    /** From the cut on, buckets that no raw chunk overlaps; see history.ts. */
    readonly gaps?: string;
}

/** Copies one range, whatever an earlier attempt has left in it. */
export function copyStatements(
    { old, beside }: Pick<Pair, "old" | "beside">,
    mapping: Mapping,
    { from, to, gaps }: CopiedRange,
): Statement[] {
    const conditions = (bucket: string): string => {
        const all = [
            ...(from === undefined ? [] : [`${bucket} >= ${from}`]),
            ...(to === undefined ? [] : [`${bucket} < ${to}`]),
            ...(gaps === undefined ? [] : [gaps.replaceAll("$bucket", bucket)]),
        ];
        return all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`;
    };
    const names = mapping.columns.map(({ name }) => escapeIdentifier(name)).join(", ");
    const group = mapping.groupBy === undefined ? [] : [`GROUP BY ${mapping.groupBy.join(", ")}`];
    return [
        {
            name: "clear_history",
            sql: `DELETE FROM ${quoteQualified(beside)}${conditions(escapeIdentifier(mapping.bucketName))}`,
            lock: lockOn("RowExclusiveLock", displayName(beside)),
        },
        {
            name: "copy_history",
            sql: [
                `INSERT INTO ${quoteQualified(beside)} (${names})`,
                `SELECT ${mapping.columns.map(({ expression }) => expression).join(", ")}`,
                `FROM ${quoteQualified(old.name)}${conditions(mapping.newBucket)}`,
                ...group,
            ].join("\n"),
            lock: lockOn("RowExclusiveLock", displayName(beside)),
        },
    ];
}

/** The refresh job of the old version waits, so that it adds no bucket that the new one lacks. */
export function pauseRefresh({ old }: Pair): Statement {
    return scheduleJobs(old.name, ["refresh"], false);
}

export function resumeRefresh({ old }: Pair): Statement {
    return scheduleJobs(old.name, ["refresh"], true);
}

export interface ExchangeOptions {
    readonly login: string;
    /** Of each pair, in order; see guard.ts. Undefined: nothing was copied. */
    readonly cuts: readonly (string | undefined)[];
}

/** The one short transaction in which names change hands. */
export function exchangeStatements(
    { pairs, views, renamed }: Replacement,
    { login, cuts }: ExchangeOptions,
): Statement[] {
    const roles = new Roles(login);
    return [
        ...pairs.flatMap((pair, at) => [
            ...roles.as(pair.desired.owner),
            ...exchangeNames(pair),
            ...finish(pair, cuts[at]),
            ...(at === 0 ? renameVersionStatements(renamed) : []),
        ]),
        ...views.flatMap((view) => [...roles.as(view.owner), repointStatement(view)]),
        ...roles.as(undefined),
    ];
}

/** Everything is owned, and done, by whom it belongs to. */
class Roles {
    private current: string;

    constructor(private readonly login: string) {
        this.current = login;
    }

    as(owner: string | undefined): Statement[] {
        const role = owner ?? this.login;
        if (role === this.current) return [];
        this.current = role;
        return [{ name: "set_role", sql: `SET LOCAL ROLE ${escapeIdentifier(role)}` }];
    }
}

function exchangeNames({ name, old, beside, replaced, desired }: Pair): Statement[] {
    const { schema } = old.materialization;
    const [was, next] = [displayName(old.name), displayName(beside)];
    return [
        // Renaming one takes a right on TimescaleDB's schema that only a superuser has.
        ...desired.indexes
            .filter((index) => old.indexes.some((it) => it.name === index.name))
            .map((index) => ({
                ...dropIndex(schema, index.name),
                lock: { ...lockOn("AccessExclusiveLock", bucketsOf(was)), chunks: true },
            })),
        ...locked(
            renameStatements("MATERIALIZED VIEW", old.name, replaced),
            "AccessExclusiveLock",
            was,
        ),
        ...locked([markStatement(replaced, replacedMarker(displayName(name)))], "ShareUpdateExclusiveLock", bucketsOf(was)), // prettier-ignore
        ...locked(renameStatements("MATERIALIZED VIEW", beside, name), "AccessExclusiveLock", next),
        ...locked([markStatement(name, null)], "ShareUpdateExclusiveLock", bucketsOf(next)),
    ];
}

/** Under the names by which others know them while the transaction runs. */
function locked(statements: readonly Statement[], mode: LockMode, on: string): Statement[] {
    return statements.map((statement) => ({ ...statement, lock: lockOn(mode, on) }));
}

/** After the exchange the new version's indexes are built under their own names. */
export function indexesAfterExchange(
    { name, old, desired, mapping }: Pair,
    perChunk: boolean,
): Statement[] {
    const { schema } = old.materialization;
    return desired.indexes.flatMap((index) => [
        ...indexStatements({ kind: "createIndex", index }, { relation: name, schema, perChunk }),
        ...(mapping === null ? [] : [{ ...dropIndex(schema, builtIndexName(index.name)), outside: {} }]), // prettier-ignore
    ]);
}

function dropIndex(schema: string, name: string): Statement {
    return { name: "drop_index", sql: `DROP INDEX IF EXISTS ${quoteQualified({ schema, name })}` };
}

function finish(
    { name, desired, replaced, beside, mapping }: Pair,
    cut: string | undefined,
): Statement[] {
    const policies = {
        refresh: desired.refreshPolicy,
        retention: desired.retentionPolicy,
        compression: desired.compressionPolicy,
    };
    const started = (["refresh", "retention", "compression"] as const).filter(
        (kind) => policies[kind] !== undefined && policies[kind].paused !== true,
    );
    return [
        ...(desired.materializedOnly || mapping === null
            ? []
            : [
                  {
                      name: "set_materialized_only",
                      sql: `ALTER MATERIALIZED VIEW ${quoteQualified(name)} SET (timescaledb.materialized_only = false)`,
                      lock: lockOn("AccessExclusiveLock", displayName(beside)),
                  },
              ]),
        ...(mapping === null || started.length === 0 ? [] : [scheduleJobs(name, started, true)]),
        scheduleJobs(replaced, ["refresh"], true),
        ...(cut === undefined ? [] : [guardStatement(name, cut, bucketsOf(displayName(beside)))]),
    ];
}

/** By the name of the aggregate: numbers of jobs are known only when it stands. */
function scheduleJobs(
    { schema, name }: QualifiedName,
    kinds: readonly (keyof typeof policyProcedures)[],
    scheduled: boolean,
): Statement {
    const procedures = kinds.map((kind) => escapeLiteral(policyProcedures[kind]));
    return {
        name: scheduled ? "start_jobs" : "pause_jobs",
        sql: [
            // alter_job forgets the time zone that it is not given.
            `SELECT alter_job(j.id, scheduled => ${scheduled}, timezone => j.timezone)`,
            "FROM _timescaledb_config.bgw_job j",
            "JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id",
            `WHERE (a.user_view_schema, a.user_view_name) = (${escapeLiteral(schema)}, ${escapeLiteral(name)})`,
            `    AND j.proc_name IN (${procedures.join(", ")}) AND j.scheduled <> ${scheduled}`,
        ].join("\n"),
        lock: null,
    };
}

function repointStatement({ name, definition, options }: RepointedView): Statement {
    const given = (options ?? []).map((option) => {
        const [key, value] = option.split("=");
        return `${key} = ${escapeLiteral(value ?? "true")}`;
    });
    return {
        name: "repoint_view",
        sql: [
            `CREATE OR REPLACE VIEW ${quoteQualified(name)}`,
            ...(given.length === 0 ? [] : [`WITH (${given.join(", ")})`]),
            `AS${definition}`,
        ].join(" "),
        lock: lockOn("AccessExclusiveLock", displayName(name)),
    };
}

/** They are found by the name of their aggregate, and by what is written on them. */
export function renameVersionStatements(versions: readonly RenamedVersion[]): Statement[] {
    return versions.flatMap(({ was, will, marker }) => [
        ...renameStatements("MATERIALIZED VIEW", was, will),
        markStatement(will, marker),
    ]);
}

/** Drops a version that stands beside, and what guarded its history. */
export function dropVersionStatements(
    version: Pick<ActualAggregate, "name" | "guard" | "source">,
): Statement[] {
    const title = displayName(version.name);
    const { guard, source } = version;
    return [
        {
            name: "drop_continuous_aggregate",
            sql: `DROP MATERIALIZED VIEW ${quoteQualified(version.name)}`,
            lock: {
                mode: "AccessExclusiveLock",
                on: [title, bucketsOf(title), displayName(source)],
                chunks: true,
            },
        },
        ...(guard === null ? [] : [dropGuardStatement(guard)]),
    ];
}
