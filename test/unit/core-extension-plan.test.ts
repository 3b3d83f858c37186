/** The version of TimescaleDB: what is shown, done and refused. */
import {
    type ActualExtension,
    planExtension,
} from "../../components/timescale/core/extension/plan";
import { validateExtension } from "../../components/timescale/core/extension/spec";
import { describePlan, isEmpty } from "../../components/timescale/core/plan/plan";
import { connection } from "../helpers/builders";

const metrics: ActualExtension = {
    database: "metrics",
    installed: "2.14.1",
    wanted: "2.14.2",
    offered: true,
    reachable: true,
    superuser: true,
};

describe("the version of TimescaleDB", () => {
    it("is no change where it is installed, or where the extension is not", () => {
        expect(isEmpty(planExtension([{ ...metrics, installed: "2.14.2" }]))).toBe(true);
        expect(isEmpty(planExtension([{ ...metrics, installed: null }]))).toBe(true);
    });

    it("is updated in each database that has another one, as preview says", () => {
        const plan = planExtension([
            metrics,
            { ...metrics, database: "postgres", installed: "2.14.2" },
            { ...metrics, database: "template1", superuser: false },
        ]);

        expect(describePlan(plan)).toEqual([
            "extension timescaledb in database metrics: 2.14.1 → 2.14.2, by ALTER EXTENSION UPDATE with jobs stopped",
            "extension timescaledb in database template1: 2.14.1 → 2.14.2, by ALTER EXTENSION UPDATE",
        ]);
        expect(plan.statements).toMatchObject([
            {
                name: "alter_extension",
                sql: "ALTER EXTENSION timescaledb UPDATE TO '2.14.2' -- in database metrics",
                outside: {},
            },
            {
                name: "alter_extension",
                sql: "ALTER EXTENSION timescaledb UPDATE TO '2.14.2' -- in database template1",
                outside: {},
            },
        ]);
        expect(plan.refusals).toEqual([]);
    });

    it("never goes back, and is never one that the server does not have", () => {
        const [back] = planExtension([
            { ...metrics, installed: "2.15.0", reachable: false },
        ]).refusals;
        const [absent] = planExtension([{ ...metrics, wanted: "3.0", offered: false }]).refusals;

        expect(back).toMatchObject({
            code: "extension_version",
            message: "TimescaleDB 2.15.0 cannot be updated to 2.14.2",
        });
        expect(absent).toMatchObject({
            code: "extension_not_offered",
            message: "the server has no TimescaleDB 3.0",
        });
    });

    it.each([["2.14"], ["2.14.2"], ["2.23.0-dev"]])("may be %s", (version) => {
        expect(validateExtension({ connection, version }, () => false)).toEqual([]);
    });

    it("is refused when it is none", () => {
        const problems = validateExtension({ connection, version: "latest" }, () => false);
        expect(problems).toEqual([
            { property: "version", reason: expect.stringContaining("no version") as string },
        ]);
    });
});
