/** Checks 2 to 4: what stands against what is declared, by the same comparison that preview makes. */
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import type { Session } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import { displayName } from "../../components/timescale/core/identifier";
import type { ChangeCode, ChangeLine } from "../../components/timescale/core/plan/plan";
import { readSql } from "../../components/timescale/core/sqlFile";
import { nameOf } from "../../components/timescale/provider/resourceKind";
import { isAggregate, isHypertable, type VerifiedObject } from "./objects";
import { counted, type Finding } from "./result";

export interface Standing {
    readonly object: VerifiedObject;
    /** Such as `public.llm_metrics_1min`. */
    readonly title: string;
    readonly exists: boolean;
    readonly lines: readonly ChangeLine[];
    /** What a deploy would not do by itself. */
    readonly refusals: readonly TimescaleError[];
    /** What the server said when it was compared. */
    readonly error: TimescaleError | undefined;
}

/** Reads only, but for temporary views that are rolled back, as every preview does. */
export async function readStanding(
    session: Session,
    objects: readonly VerifiedObject[],
    between: () => void,
): Promise<readonly Standing[]> {
    const roles = await existingRoles(session);
    const all: Standing[] = [];
    for (const object of objects) {
        between();
        const title = displayName(nameOf({ ...object.inputs, name: object.name }));
        // Nobody can be granted anything who is not there.
        const grants = object.inputs["grants"] as readonly { readonly role: string }[] | undefined;
        const inputs = {
            ...object.inputs,
            ...(grants !== undefined && { grants: grants.filter(({ role }) => roles.has(role)) }),
            connection: session.connection,
        };
        try {
            const { plan, exists } = await object.kind.plan(session, inputs, undefined);
            all.push({
                object,
                title,
                exists,
                lines: plan.lines,
                refusals: plan.refusals,
                error: undefined,
            });
        } catch (error) {
            if (!(error instanceof TimescaleError)) throw error;
            // What it reads is missing, so that nothing can be said of it; that is told where it is.
            all.push({ object, title, exists: false, lines: [], refusals: [], error });
        }
    }
    return all;
}

async function existingRoles({ client }: Session): Promise<ReadonlySet<string>> {
    const { rows } = await client.query<{ name: string }>("SELECT rolname AS name FROM pg_roles");
    return new Set([...rows.map(({ name }) => name), "public"]);
}

/** Check 2. Where nobody knows whether the stack has helpers, it is whole without; with some of them it is not. */
export function existence(all: readonly Standing[]): Finding {
    const helpers = all.filter(({ object }) => object.helper);
    const without = helpers.length > 0 && helpers.every(({ exists }) => !exists);
    const wanted = without ? all.filter(({ object }) => !object.helper) : all;
    const missing = wanted.filter(({ exists }) => !exists);
    const standing = wanted.length - missing.length;
    return {
        summary: `${standing} of ${counted(wanted.length, "declared object")} stand${standing === 1 ? "s" : ""}`,
        problems: missing.map(({ title, object, error }) =>
            error === undefined
                ? `${words(object)} ${title} does not stand`
                : `${words(object)} ${title} cannot stand: ${error.message}`,
        ),
        notes: without ? ["none of the helper views and functions stand: not asked for here"] : [],
    };
}

function words({ kind }: VerifiedObject): string {
    return {
        Hypertable: "hypertable",
        ContinuousAggregate: "continuous aggregate",
        View: "view",
        SqlFunction: "function",
    }[kind.name as "Hypertable"];
}

const policyCodes: ReadonlySet<ChangeCode> = new Set([
    "policy_missing",
    "policy_setting",
    "policy_duplicated",
    "policy_stale",
    "policy_owner",
    "compression",
]);

const columnCodes: ReadonlySet<ChangeCode> = new Set([
    "name",
    "view_replaced",
    "view_renamed",
    "view_missing",
    "query",
    "rebuild",
    "keep_history",
    "history_column",
    "column_renamed",
    "column_missing",
    "column_dropped",
    "column_default",
    "column_nullable",
    "primary_key",
    "materialized_only",
    "definition",
    "signature",
]);

interface Job extends Record<string, unknown> {
    readonly id: number;
    readonly relation: string;
    readonly policy: string;
    readonly failures: number;
    readonly error: string | null;
    readonly lastFinish: string | null;
}

/** Check 3: every declared policy is there as declared, none is paused, and none failed when it last ran. */
export async function policies(session: Session, all: readonly Standing[]): Promise<Finding> {
    const owners = all.filter(
        ({ exists, object }) => exists && (isAggregate(object) || isHypertable(object)),
    );
    const titles = new Set(owners.map(({ title }) => title));
    const { rows } = await session.client
        .query<Job>(readSql("verify/jobs.sql"))
        .then(undefined, (error: unknown) => {
            throw serverError(error, { statement: "jobs", object: "the policies' jobs" });
        });
    const jobs = rows.filter(({ relation }) => titles.has(relation));
    const failing = jobs.filter(({ failures }) => failures > 0);
    return {
        summary: `${counted(jobs.length, "job")} of ${counted(owners.length, "table")} and aggregates`,
        problems: [
            ...owners.flatMap((owner) => differences(owner, policyCodes)),
            ...failing.map(
                ({ id, relation, policy, failures, error, lastFinish }) =>
                    `${relation}: the ${policy} job ${id} failed ${counted(failures, "time")} in a row, last at ${lastFinish ?? "an unknown time"}: ${error ?? "the server kept no text; see its log"}`,
            ),
        ],
        notes: owners.flatMap((owner) => differences(owner, new Set(["policy_undeclared"]))),
    };
}

/** Check 4: queries, columns and their types, so that what dashboards ask for is there under its name. */
export function columns(all: readonly Standing[]): Finding {
    const standing = all.filter(({ exists }) => exists);
    return {
        summary: `${counted(standing.length, "definition")} compared`,
        problems: standing.flatMap((one) => differences(one, columnCodes)),
    };
}

function differences({ title, lines }: Standing, codes: ReadonlySet<ChangeCode>): string[] {
    return lines.filter(({ code }) => codes.has(code)).map((line) => `${title}: ${inWords(line)}`);
}

export function inWords({ property, was, will, columns: changed = [] }: ChangeLine): string {
    // Two definitions in full are for a preview, which shows them as a diff.
    if (property === "query" || property === "definition") {
        const words = changed.map(({ name, was: is, will: should }) =>
            is === null
                ? `${name} is missing`
                : should === null
                  ? `${name} is not declared`
                  : `${name} is ${is} and should be ${should}`,
        );
        return `${property} is another than the declared one${words.length === 0 ? "" : `: ${words.join(", ")}`}`;
    }
    if (was === undefined && will === undefined) return property;
    return `${property} is ${was ?? "missing"} and should be ${will ?? "absent"}`;
}
