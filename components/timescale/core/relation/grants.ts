/** Privileges: what a program declares against what the catalog's access list says. */
import type { ChangeLine } from "../plan/plan";

/** One role's privileges on a table, view or aggregate, such as `{ role: "dashboards", privileges: ["SELECT"] }`. */
export interface Grant {
    /** Role name, or `public` for everyone. */
    readonly role: string;
    /** All that it may do; what is not listed is revoked by `up`. */
    readonly privileges: readonly Privilege[];
}

export const privileges = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
] as const;

/** What PostgreSQL lets a role do with a table, view or aggregate. */
export type Privilege = (typeof privileges)[number];

/** One role's right to call a function, such as `{ role: "dashboards", privileges: ["EXECUTE"] }`. */
export interface FunctionGrant {
    /** Role name, or `public` for everyone. */
    readonly role: string;
    /** All that it may do; what is not listed is revoked by `up`. */
    readonly privileges: readonly FunctionPrivilege[];
}

export const functionPrivileges = ["EXECUTE"] as const;

/** What PostgreSQL lets a role do with a function. */
export type FunctionPrivilege = (typeof functionPrivileges)[number];

type AnyGrant = Grant | FunctionGrant;

/** Declared grants without those to the owner, who has every right by itself. */
export function grantsToOthers<G extends AnyGrant>(
    grants: readonly G[] | undefined,
    inputs: Readonly<Record<string, unknown>>,
): readonly G[] {
    const { owner, connection } = inputs as {
        readonly owner?: string;
        readonly connection?: { readonly user: string };
    };
    return (grants ?? []).filter(({ role }) => role !== (owner ?? connection?.user));
}

/** What the catalog has for one role; for the owner, only what somebody took from it. */
export interface ActualGrant {
    readonly role: string;
    /** On the whole, given by the owner. */
    readonly privileges: readonly string[];
    /** Those of them that the role may pass on. */
    readonly grantOptions?: readonly string[];
    /** Given on single columns. */
    readonly columns?: readonly { readonly column: string; readonly privilege: string }[];
    /** The owner's own privileges that were revoked; without them its jobs fail. */
    readonly revoked?: readonly string[];
}

export interface GrantDifference {
    readonly role: string;
    /** Declared and not there. */
    readonly missing: readonly string[];
    /** There and not declared: revoked, because grants are whole. */
    readonly unexpected: readonly string[];
    /** Rights to pass a privilege on: never declared, so revoked, with what was passed on. */
    readonly grantOptions?: readonly string[];
    /** Privileges on single columns: never declared, so revoked. */
    readonly columns?: readonly { readonly column: string; readonly privilege: string }[];
}

/** Differences by role, sorted; what the owner has by itself is not part of either side. */
export function grantDifferences(
    actual: readonly ActualGrant[],
    desired: readonly AnyGrant[],
): GrantDifference[] {
    const has = new Map(actual.map((grant) => [grant.role, grant]));
    const wants = byRole(desired);
    const roles = [...new Set([...has.keys(), ...wants.keys()])].sort();
    return roles.flatMap((role) => {
        const grant = has.get(role);
        const have = new Set(grant?.privileges.map((privilege) => privilege.toUpperCase()));
        const want = wants.get(role) ?? new Set<string>();
        const missing = [...want].filter((privilege) => !have.has(privilege));
        const unexpected = [...have].filter((privilege) => !want.has(privilege)).sort();
        // A right to pass on goes with the privilege itself; it is named where that one stays.
        const options = [...(grant?.grantOptions ?? [])].sort();
        const columns = grant?.columns ?? [];
        missing.push(...(grant?.revoked ?? []).filter((privilege) => !missing.includes(privilege)));
        if (missing.length + unexpected.length + options.length + columns.length === 0) return [];
        return [
            {
                role,
                missing: missing.sort(),
                unexpected,
                ...(options.length > 0 && { grantOptions: options }),
                ...(columns.length > 0 && { columns }),
            },
        ];
    });
}

/** What a program could declare of it: grant options, single columns and revoked rights it cannot. */
export function declarableGrants(
    actual: readonly ActualGrant[],
): { readonly role: string; readonly privileges: readonly string[] }[] {
    return actual
        .filter(({ privileges }) => privileges.length > 0)
        .map(({ role, privileges }) => ({ role, privileges }));
}

function byRole(grants: readonly AnyGrant[]): Map<string, Set<string>> {
    const result = new Map<string, Set<string>>();
    for (const { role, privileges: list } of grants) {
        const set = result.get(role) ?? new Set();
        for (const privilege of list) set.add(privilege.toUpperCase());
        result.set(role, set);
    }
    return result;
}

/** One line a privilege. */
export function grantLines(difference: GrantDifference): ChangeLine[] {
    const { role, missing, unexpected, grantOptions = [], columns = [] } = difference;
    const property = `grants.${role}`;
    return [
        ...missing.map((will): ChangeLine => ({
            code: "grant_missing",
            property,
            was: "none",
            will,
        })),
        ...unexpected.map((was): ChangeLine => ({
            code: "grant_unexpected",
            property,
            was: grantOptions.includes(was)
                ? `${was} with grant option, and what was granted with it`
                : was,
        })),
        ...grantOptions
            .filter((privilege) => !unexpected.includes(privilege))
            .map((privilege): ChangeLine => ({
                code: "grant_unexpected",
                property,
                was: `${privilege} with grant option, and what was granted with it`,
                will: privilege,
            })),
        ...columns.map(({ column, privilege }): ChangeLine => ({
            code: "grant_unexpected",
            property,
            was: `${privilege} (${column})`,
        })),
    ];
}
