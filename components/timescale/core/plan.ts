/**
 * What a plan is made of. A plan is a value: it is made without a connection, printed by preview
 * and run by apply.
 */
import type { TimescaleError } from "./errors";

/** One line of a preview: a property, what it is in the database and what it will be. */
export interface ChangeLine {
    /** As the program writes it, such as `refreshPolicy.startOffset`. */
    readonly property: string;
    readonly was?: string | undefined;
    readonly will?: string | undefined;
}

/** One SQL statement of a plan. All statements of a plan run in one transaction, in their order. */
export interface Statement {
    /** Verb first, such as `add_refresh_policy`; errors carry it. */
    readonly name: string;
    readonly sql: string;
    readonly values?: readonly unknown[];
}

export interface Plan {
    readonly lines: readonly ChangeLine[];
    readonly statements: readonly Statement[];
    /** Whether buckets are still to be filled after the statements. */
    readonly fill: boolean;
    /** Decisions that a person has to take first: preview shows them, `up` stops on them. */
    readonly refusals: readonly TimescaleError[];
    /** Worth knowing, and no reason to change anything. */
    readonly notes: readonly string[];
}

/** Whether the database already is as declared. */
export function isEmpty(plan: Plan): boolean {
    return plan.statements.length === 0 && plan.refusals.length === 0 && !plan.fill;
}

/** The plan as a person reads it: one line a change. */
export function describePlan(plan: Plan): string[] {
    return plan.lines.map(({ property, was, will }) => {
        if (was === undefined && will === undefined) return property;
        if (was === undefined) return `${property}: ${will}`;
        if (will === undefined) return `${property}: ${was} → removed`;
        return `${property}: ${was} → ${will}`;
    });
}
