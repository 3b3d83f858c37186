/**
 * What a plan is made of. A plan is a value: it is made without a connection, printed by preview
 * and run by apply.
 */
import type { TimescaleError } from "../errors";
import type { RuleCode } from "../rules/codes";
import type { Lock, Places } from "./lock";

/**
 * What kind of difference a line is, for programs that read plans. Codes are never renamed; a new
 * kind of difference gets a new code.
 */
export type ChangeCode =
    | "create"
    | "take_back"
    | "fill"
    | "name"
    | "owner"
    | "view_replaced"
    | "view_renamed"
    | "view_missing"
    | "query"
    | "rebuild"
    | "keep_history"
    | "version_back"
    | "history_column"
    | "repointed"
    | "replaced_version"
    | "drop_version"
    | "column_renamed"
    | "column_missing"
    | "column_dropped"
    | "column_default"
    | "column_nullable"
    | "column_comment"
    | "primary_key"
    | "index_missing"
    | "index_differs"
    | "index_invalid"
    | "index_undeclared"
    | "index_renamed"
    | "materialized_only"
    | "chunk_time_interval"
    | "compression"
    | "policy_missing"
    | "policy_setting"
    | "policy_undeclared"
    | "policy_duplicated"
    | "policy_stale"
    | "policy_owner"
    | "comment"
    | "grant_missing"
    | "grant_unexpected"
    | "option"
    | "definition"
    | "signature"
    | "extension_version"
    | "password";

/** One line of a preview: a property, what it is in the database and what it will be. */
export interface ChangeLine {
    readonly code: ChangeCode;
    /** As the program writes it, such as `refreshPolicy.startOffset`. */
    readonly property: string;
    readonly was?: string | undefined;
    readonly will?: string | undefined;
    /** More to read below the line, such as the two definitions as a line diff. */
    readonly details?: readonly string[];
    /** Columns that appear, vanish or change type, where a query differs. */
    readonly columns?: readonly ColumnDifference[];
}

export function commentLine(was: string | null, will: string | null): ChangeLine {
    const quoted = (text: string | null): string => (text === null ? "none" : JSON.stringify(text));
    return { code: "comment", property: "comment", was: quoted(was), will: quoted(will) };
}

/** A column of a query's output; `was` null: it appears, `will` null: it vanishes. */
export interface ColumnDifference {
    readonly name: string;
    /** Types as the server prints them. */
    readonly was: string | null;
    readonly will: string | null;
}

/**
 * One SQL statement of a plan. Statements run in their order: neighbours in one transaction, each that
 * is outside by itself.
 */
export interface Statement {
    /** Verb first, such as `add_refresh_policy`; errors carry it, and core/plan/locks.ts its lock. */
    readonly name: string;
    readonly sql: string;
    readonly values?: readonly unknown[];
    /** Runs by itself: a server procedure that commits in the middle. */
    readonly outside?: {
        /** Removes what an attempt that failed leaves behind. Default: it leaves nothing. */
        readonly undo?: string;
        /** What it runs once for, such as `window of buckets`; `sql` then has `…` for what differs. */
        readonly each?: string;
    };
    /** Where core/plan/locks.ts has no rule for the name; null: none. Default: by the rule. */
    readonly lock?: Lock | null;
}

/** In the order in which they run, where those outside come after the transaction. */
export function transactionFirst(statements: readonly Statement[]): Statement[] {
    return [
        ...statements.filter(({ outside }) => outside === undefined),
        ...statements.filter(({ outside }) => outside !== undefined),
    ];
}

/**
 * What a plan may do to those who use the database while it runs, or to what they keep there. Names
 * are never renamed; a new kind of hazard gets a new name.
 */
export type HazardName =
    | "LOSES_HISTORY"
    | "LOSES_DATA"
    | "REBUILDS"
    | "BLOCKS_WRITES"
    | "BLOCKS_READS"
    | "DROPS_DEPENDANT"
    | "REPOINTS_DEPENDANT"
    | "RESTARTS_JOB";

export interface Hazard {
    readonly name: HazardName;
    /** In one sentence, with its numbers. */
    readonly message: string;
    readonly stake?: Stake;
}

/** What is at stake, where it is rows. Times as the server prints them. */
export interface Stake {
    /** Null where the server has no statistics to estimate them from. */
    readonly rows: number | null;
    readonly oldest: string | null;
    readonly newest: string | null;
    /** Rows by the statistics of the server, and times by the edges of chunks. Default false: counted. */
    readonly estimated?: boolean;
}

/** Worth knowing, and no reason to change anything. */
export interface Note {
    readonly code: NoteCode;
    /** Which rule it is about, of `rule` and `waived`. */
    readonly rule?: RuleCode;
    readonly message: string;
}

export type NoteCode =
    | "kept_policy"
    | "kept_compression"
    | "kept_index"
    | "kept_column"
    | "gone"
    | "taken_over"
    | "rule"
    | "waived"
    | "replaced_version";

export interface Plan {
    readonly lines: readonly ChangeLine[];
    readonly statements: readonly Statement[];
    /** Whether buckets are still to be filled after the statements. */
    readonly fill: boolean;
    /** What runs after them to fill it, as preview shows it. Default: nothing. */
    readonly filling?: readonly Statement[];
    /** Where statements take their locks. Default: unknown, and none are told. */
    readonly places?: Places;
    /** Decisions that a person has to take first: preview shows them, `up` stops on them. */
    readonly refusals: readonly TimescaleError[];
    readonly notes: readonly Note[];
    /** Default: none. */
    readonly hazards?: readonly Hazard[];
}

/** Whether the database already is as declared. */
export function isEmpty(plan: Plan): boolean {
    return plan.statements.length === 0 && plan.refusals.length === 0 && !plan.fill;
}

/** The plan as a person reads it: one line a change, and below it what the line cannot hold. */
export function describePlan(plan: Pick<Plan, "lines">): string[] {
    return plan.lines.map((line) => [describeLine(line), ...(line.details ?? [])].join("\n"));
}

function describeLine({ property, was, will }: ChangeLine): string {
    // Whole texts are shown as a line diff, and no line holds them.
    if (`${was}${will}`.includes("\n")) return `${property}: changed`;
    if (was === undefined && will === undefined) return property;
    if (was === undefined) return `${property}: ${will}`;
    if (will === undefined) return `${property}: ${was} → removed`;
    return `${property}: ${was} → ${will}`;
}
