/** The names that columns bear while they are backed up, before they are dropped. */
import { leavingAs, leavingName } from "../../components/timescale/core/hypertable/leaving";

describe("a column that leaves", () => {
    it("is found by its name, and by the one that an interrupted attempt has left", () => {
        expect(leavingAs({ name: "old", number: 3 }, ["other", "old"])).toEqual({
            name: "old",
            standing: "old",
        });
        expect(leavingAs({ name: "old_leaving_3", number: 3 }, ["old"])).toEqual({
            name: "old",
            standing: "old_leaving_3",
        });
    });

    it("is no column of another number that has such a name", () => {
        expect(leavingAs({ name: "old_leaving_3", number: 4 }, ["old"])).toBeUndefined();
        expect(leavingAs({ name: "kept", number: 3 }, ["old"])).toBeUndefined();
    });

    it("has a name that PostgreSQL takes whole", () => {
        const long = "ü".repeat(31);

        expect(Buffer.byteLength(leavingName(long, 12))).toBeLessThanOrEqual(63);
        expect(leavingName(long, 12)).toMatch(/^ü+_leaving_12$/);
    });
});
