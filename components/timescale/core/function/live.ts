/** The plan for one function against the live database: reads only, but for functions that are rolled back. */
import { DatabaseError } from "pg";

import type { Queryable, Session } from "../connection/session";
import { displayName } from "../identifier";
import { isRemembered, type ObjectMemory } from "../memory/memory";
import { type Inspected, inspecting, trying } from "../plan/converging";
import type { Plan } from "../plan/plan";
import { inspectDependants } from "../relation/dependants";
import { readDesired, sameBody, whyNotReplaced } from "./compare";
import {
    type Comparison,
    diffFunction,
    type FunctionDiffInput,
    type InspectedFunction,
} from "./diff";
import { findFunction, type Found, type FunctionMemory } from "./find";
import { planFunction } from "./plan";
import { type ActualFunction, definitionUnder, displayFunction, functionKind } from "./routine";
import { type DesiredFunction, functionIdentity } from "./spec";

export interface FunctionPlan {
    readonly plan: Plan;
    /** Undefined while it does not stand. */
    readonly standing: ActualFunction | undefined;
    readonly searchPath: readonly string[];
    readonly databaseUuid: string;
}

type Compared = Pick<FunctionDiffInput, "actual" | "comparison" | "dependants" | "stale"> & {
    readonly declared: ActualFunction | undefined;
};

/** Compares the live database with the declaration. Takes no lock that anybody could notice. */
export async function planLiveFunction(
    session: Session,
    desired: DesiredFunction,
    memory: FunctionMemory,
): Promise<FunctionPlan> {
    const login = session.connection.user;
    const owner = desired.owner ?? login;
    const { found, searchPath } = await lookUp(session, desired, owner, memory);
    const compared =
        sameAsLastTime(desired, found, memory) ??
        (await trying(session, desired, searchPath, "compare_function", (client) =>
            compare(client, desired, owner, found),
        ));
    const { actual, comparison, dependants, stale, declared } = compared;
    const { managed } = memory;
    const changes = diffFunction({
        actual,
        desired,
        comparison,
        dependants,
        stale,
        owner,
        managed,
    });
    const standing = actual.kind === "function" ? actual.standing : undefined;
    const read = declared ?? standing;
    const plan = planFunction(changes, desired, {
        login,
        managed,
        identityArguments: read?.identityArguments,
        object:
            read === undefined
                ? (functionIdentity({ ...desired }) ?? displayName(desired))
                : displayFunction({ ...read, schema: desired.schema, name: desired.name }),
    });
    return { plan, standing, searchPath, databaseUuid: found.databaseUuid };
}

/** What is there, by name and by memory. */
export function lookUp(
    session: Session,
    desired: DesiredFunction,
    owner: string,
    memory: FunctionMemory,
): Promise<Inspected<Found>> {
    return inspecting(session, desired, (client) => findFunction(client, desired, owner, memory));
}

/** Where text and definition are those of the last apply, there is nothing to compare. */
function sameAsLastTime(
    desired: DesiredFunction,
    { known }: Found,
    memory: ObjectMemory,
): Compared | undefined {
    if (known?.schema !== desired.schema || known.name !== desired.name) return undefined;
    if (!isRemembered(memory, desired.definition, known.definition)) return undefined;
    const actual = { kind: "function", standing: known } as const;
    return { actual, comparison: null, dependants: [], stale: null, declared: undefined };
}

async function compare(
    client: Queryable,
    desired: DesiredFunction,
    owner: string,
    found: Found,
): Promise<Compared> {
    const declared = await readDesired(client, desired, owner).then(undefined, (error: unknown) => {
        // It may name a table or type that the same deployment makes first.
        if (isMissing(error) && found.named.length === 0 && found.known === undefined)
            return undefined;
        throw error;
    });
    const { actual, stale } = identify(declared, found);
    const old = stale === undefined ? null : await withDependants(client, stale);
    if (actual.kind !== "function" || declared === undefined) {
        return { actual, comparison: null, dependants: [], stale: old, declared };
    }
    const { dependants } = await withDependants(client, actual.standing);
    const comparison = await comparisonOf(client, desired, actual.standing, declared, found);
    return { actual, comparison, dependants, stale: old, declared };
}

async function withDependants(client: Queryable, standing: ActualFunction) {
    return { standing, dependants: await inspectDependants(client, "pg_proc", standing.oid) };
}

async function comparisonOf(
    client: Queryable,
    desired: DesiredFunction,
    standing: ActualFunction,
    declared: ActualFunction,
    { schemas }: Found,
): Promise<Comparison> {
    const alike = definitionUnder(standing, desired) === definitionUnder(declared, desired);
    const shape = ({ arguments: list, result, kind }: ActualFunction): string =>
        JSON.stringify([list, result, kind]);
    return {
        declared,
        sameBody: alike || (await sameBody(client, standing, declared, schemas)),
        irreplaceable:
            shape(standing) === shape(declared)
                ? null
                : await whyNotReplaced(client, standing, desired),
    };
}

/** Which function the declaration is about, and which one it was about before. */
function identify(
    declared: ActualFunction | undefined,
    { named: all, known }: Found,
): { readonly actual: InspectedFunction; readonly stale?: ActualFunction } {
    const alike = (one: ActualFunction): boolean => one.argumentTypes === declared?.argumentTypes;
    const under = all.find(alike);
    const moved = known !== undefined && known.oid !== under?.oid && alike(known);
    if (under !== undefined && (under.kind !== "f" || under.extension !== null || moved)) {
        const actual = { kind: "other", routine: functionKind(under), owner: under.owner } as const;
        return { actual: moved ? { ...actual, movedTo: known } : actual };
    }
    const standing = under ?? (moved ? known : undefined);
    const actual: InspectedFunction =
        standing === undefined ? { kind: "absent" } : { kind: "function", standing };
    return known === undefined || alike(known) ? { actual } : { actual, stale: known };
}

function isMissing(error: unknown): boolean {
    const codes = ["42P01", "42703", "42883", "42704", "3F000"];
    return error instanceof DatabaseError && codes.includes(error.code ?? "");
}
