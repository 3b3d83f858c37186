import fc from "fast-check";

import { grantDifferences, privileges } from "../../components/timescale/core/relation/grants";

describe("grantDifferences", () => {
    it("is empty for the same grants in another order", () => {
        const actual = [
            { role: "reader", privileges: ["SELECT"] },
            { role: "writer", privileges: ["INSERT", "SELECT"] },
        ];
        const desired = [
            { role: "writer", privileges: ["SELECT", "INSERT"] as const },
            { role: "reader", privileges: ["SELECT"] as const },
        ];
        expect(grantDifferences(actual, desired)).toEqual([]);
    });

    it("grants what is missing", () => {
        expect(grantDifferences([], [{ role: "reader", privileges: ["SELECT"] }])).toEqual([
            { role: "reader", missing: ["SELECT"], unexpected: [] },
        ]);
    });

    it("revokes what nobody declared, because grants are whole, in an order that stays the same", () => {
        const actual = [
            { role: "reader", privileges: ["UPDATE", "SELECT", "DELETE"] },
            { role: "public", privileges: ["SELECT"] },
        ];
        expect(grantDifferences(actual, [{ role: "reader", privileges: ["SELECT"] }])).toEqual([
            { role: "public", missing: [], unexpected: ["SELECT"] },
            { role: "reader", missing: [], unexpected: ["DELETE", "UPDATE"] },
        ]);
    });

    it("tells roles apart by case, as PostgreSQL does", () => {
        const actual = [{ role: "Reader", privileges: ["SELECT"] }];
        expect(
            grantDifferences(actual, [{ role: "reader", privileges: ["SELECT"] }]).map(
                ({ role }) => role,
            ),
        ).toEqual(["Reader", "reader"]);
    });

    it("leads from any grants to any others", () => {
        const grants = fc.uniqueArray(
            fc.record({
                role: fc.constantFrom<string>("reader", "writer", "public", 'we"ird'),
                privileges: fc.uniqueArray(fc.constantFrom(...privileges)),
            }),
            { selector: ({ role }) => role },
        );
        fc.assert(
            fc.property(grants, grants, (actual, desired) => {
                const after = new Map(
                    actual.map(({ role, privileges: list }) => [role, new Set<string>(list)]),
                );
                for (const { role, missing, unexpected } of grantDifferences(actual, desired)) {
                    const set = after.get(role) ?? new Set();
                    after.set(role, set);
                    for (const privilege of unexpected) expect(set.delete(privilege)).toBe(true);
                    for (const privilege of missing) expect(set.has(privilege)).toBe(false);
                    for (const privilege of missing) set.add(privilege);
                }
                const result = [...after].map(([role, set]) => ({ role, privileges: [...set] }));
                expect(grantDifferences(result, desired)).toEqual([]);
            }),
        );
    });
});
