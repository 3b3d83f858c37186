/** Table privileges: what a program declares against what the catalog's access list says. */

/** One role's privileges on a table, view or aggregate. */
export interface Grant {
    /** Role name, or `public` for everyone. */
    readonly role: string;
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

export type Privilege = (typeof privileges)[number];

export interface GrantDifference {
    readonly role: string;
    /** Declared and not there. */
    readonly missing: readonly string[];
    /** There and not declared: revoked, because grants are whole. */
    readonly unexpected: readonly string[];
}

/** Differences by role, sorted; the owner's own privileges are not part of either side. */
export function grantDifferences(
    actual: readonly { readonly role: string; readonly privileges: readonly string[] }[],
    desired: readonly Grant[],
): GrantDifference[] {
    const has = byRole(actual);
    const wants = byRole(desired);
    const roles = [...new Set([...has.keys(), ...wants.keys()])].sort();
    return roles
        .map((role) => {
            const have = has.get(role) ?? new Set<string>();
            const want = wants.get(role) ?? new Set<string>();
            return {
                role,
                missing: [...want].filter((privilege) => !have.has(privilege)).sort(),
                unexpected: [...have].filter((privilege) => !want.has(privilege)).sort(),
            };
        })
        .filter(({ missing, unexpected }) => missing.length + unexpected.length > 0);
}

function byRole(
    grants: readonly { readonly role: string; readonly privileges: readonly string[] }[],
): Map<string, Set<string>> {
    const result = new Map<string, Set<string>>();
    for (const { role, privileges: list } of grants) {
        const set = result.get(role) ?? new Set();
        for (const privilege of list) set.add(privilege.toUpperCase());
        result.set(role, set);
    }
    return result;
}
