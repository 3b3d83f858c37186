/**
 * What a comparison found, as a document that programs read; planMessages.ts makes the text of a preview from it.
 *
 * With the environment variable `PULUMI_TIMESCALE_PLANS=json`, each resource's document is its one
 * diagnostic, on one line, so that `pulumi preview --json` holds them all.
 */
import { explain, type TimescaleError } from "../core/errors";
import type { Lock } from "../core/plan/lock";
import { blocks, locksOf } from "../core/plan/locks";
import {
    type ChangeLine,
    type Hazard,
    isEmpty,
    type Note,
    type Plan,
    type Statement,
} from "../core/plan/plan";
import { definitionDiff } from "../core/query/definitionDiff";
import type { Judged } from "../core/rules/finding";
import type { Origin } from "./origin";

/** Fields are never renamed and codes never change meaning; a reader passes over those it does not know. */
export interface PlanDocument {
    /** Format of this document. */
    readonly timescalePlan: 1;
    readonly urn: string;
    /** As in the type token, such as `ContinuousAggregate`. */
    readonly kind: string;
    /** Qualified name, quoted where PostgreSQL needs it. */
    readonly object: string;
    /** `notCompared`: nothing was read from the database, and `reason` says why; with `exists` false it is still to come. */
    readonly result: "same" | "differs" | "notCompared";
    readonly reason?: { readonly code: string; readonly message: string };
    /** Whether anything stands under the name. */
    readonly exists?: boolean;
    readonly changes: readonly PlannedChange[];
    /** What `up` runs, in order, the first fill included. With refusals it runs none of them. */
    readonly statements: readonly PlannedStatement[];
    /** Whether buckets are filled: by the statement with `repeats`. */
    readonly fill: boolean;
    /** What is at stake for those who read, write or keep data there meanwhile. */
    readonly hazards: readonly PlannedHazard[];
    /** Decisions that `up` refuses to take by itself. */
    readonly refusals: readonly PlannedRefusal[];
    readonly notes: readonly Note[];
}

export interface PlannedChange {
    readonly code: ChangeLine["code"];
    readonly property: string;
    /** Null where nothing is or will be there. */
    readonly was: string | null;
    readonly will: string | null;
    /** Columns of a query's output that appear, vanish or change type. */
    readonly columns?: NonNullable<ChangeLine["columns"]>;
    /** Two whole texts as a line diff. */
    readonly diff?: string;
    /**
     * Who moved since the last `up`: `program`, which declares it otherwise now, or the `database`, which no
     * longer is as that `up` left it. Absent: not known.
     */
    readonly origin?: Origin;
}

export interface PlannedStatement {
    readonly name: string;
    readonly sql: string;
    readonly values?: readonly unknown[];
    /** `shared` with the neighbours that say so, or of its `own`. */
    readonly transaction: "shared" | "own";
    /** Runs once for each of these, such as `window of buckets`; `…` in `sql` stands for what differs. */
    readonly repeats?: string;
    /** The strongest on tables and views that stand before `up`; null: none. Absent: not known. */
    readonly lock?: PlannedLock | null;
}

export interface PlannedLock {
    /** As in `pg_locks`, such as `ShareRowExclusiveLock`. */
    readonly mode: Lock["mode"];
    /** Qualified names, quoted where PostgreSQL needs it; `buckets of public.x`: the materialization of an aggregate. */
    readonly on: readonly string[];
    /** Whether their chunks are locked as well. */
    readonly chunks: boolean;
    /** Who waits until the transaction ends; and before, while it waits for the lock: two seconds at most. */
    readonly blocks: readonly ("reads" | "writes")[];
}

export interface PlannedHazard {
    /** Never renamed; there may be more of them. */
    readonly name: Hazard["name"];
    /** For people, with its numbers. */
    readonly message: string;
    /** Null where it is not about rows. */
    readonly stake: {
        /** Null where the server has no statistics to estimate them from. */
        readonly rows: number | null;
        /** Times as the server prints them, in UTC. */
        readonly oldest: string | null;
        readonly newest: string | null;
        /** False: counted. True: rows by statistics, times by the edges of chunks. */
        readonly estimated: boolean;
    } | null;
}

export interface PlannedRefusal {
    readonly code: string;
    readonly message: string;
    readonly detail: string | null;
    readonly hint: string | null;
}

export interface Subject {
    readonly urn: string;
    readonly kind: string;
    readonly object: string;
}

export function planDocument(
    subject: Subject,
    plan: Plan,
    {
        exists,
        refusals = [],
        origin,
    }: {
        exists: boolean;
        refusals?: readonly TimescaleError[];
        origin?: (line: ChangeLine) => Origin;
    },
): PlanDocument {
    const all = [...refusals, ...plan.refusals];
    return {
        timescalePlan: 1,
        ...subject,
        result: isEmpty(plan) && refusals.length === 0 ? "same" : "differs",
        exists,
        changes: plan.lines.map((line) => ({
            ...plannedChange(line),
            ...(origin !== undefined && { origin: origin(line) }),
        })),
        statements: plannedStatements(plan),
        fill: plan.fill,
        hazards: (plan.hazards ?? []).map(({ name, message, stake }) => ({
            name,
            message,
            stake: stake === undefined ? null : { estimated: false, ...stake },
        })),
        refusals: all.map(plannedRefusal),
        notes: plan.notes,
    };
}

export function plannedRefusal({ code, message, detail, hint }: TimescaleError): PlannedRefusal {
    return { code: code ?? "refused", message, detail: detail ?? null, hint: hint ?? null };
}

function plannedChange({ code, property, was, will, columns }: ChangeLine): PlannedChange {
    const whole = `${was}${will}`.includes("\n");
    return {
        code,
        property,
        was: was ?? null,
        will: will ?? null,
        ...(columns !== undefined && { columns }),
        ...(whole && { diff: definitionDiff(was ?? "", will ?? "") }),
    };
}

function plannedStatements({ statements, filling = [], places }: Plan): PlannedStatement[] {
    const all = [...statements, ...filling];
    const locks = locksOf(all, places);
    return all.map((statement, at) => plannedStatement(statement, locks[at]));
}

function plannedStatement(
    { name, sql, values, outside }: Statement,
    lock: Lock | null | undefined,
): PlannedStatement {
    return {
        name,
        sql,
        ...(values !== undefined && { values }),
        transaction: outside === undefined ? "shared" : "own",
        ...(outside?.each !== undefined && { repeats: outside.each }),
        ...(lock !== undefined && { lock: lock && { ...lock, blocks: blocks(lock.mode) } }),
    };
}

/** Nothing stands in it; see newDatabase.ts. */
export const databaseToCome = { code: "new_database", message: "its database does not exist yet" };

export function notCompared(
    subject: Subject,
    reason: { readonly code: string; readonly message: string },
    rules: Judged = { refusals: [], notes: [] },
): PlanDocument {
    return {
        timescalePlan: 1,
        ...subject,
        result: "notCompared",
        reason,
        ...(reason.code === databaseToCome.code && { exists: false }),
        changes: [],
        statements: [],
        fill: false,
        hazards: [],
        refusals: rules.refusals.map(plannedRefusal),
        notes: rules.notes,
    };
}

/** Why, from an error that kept the database from being read. */
export function reasonOf(error: TimescaleError): { code: string; message: string } {
    return { code: error.code ?? "error", message: explain(error) };
}

/** Whether programs read the diagnostics, not people. */
export function asJson(environment: NodeJS.ProcessEnv): boolean {
    return environment["PULUMI_TIMESCALE_PLANS"] === "json";
}
