/** What a preview says of a login whose password the server refuses. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { planRefused } from "../../components/timescale/core/login/plan";
import { describePlan } from "../../components/timescale/core/plan/plan";

const connection: Connection = {
    host: "db.example.com",
    port: 5432,
    database: "postgres",
    user: "deployer",
    password: "declared-pw",
    sslMode: "verify-full",
};

describe("the plan of a password that nobody knows", () => {
    it("is to set it inside the server's container", () => {
        const plan = planRefused(connection, true, "observatory-dev");

        expect(plan.refusals).toEqual([]);
        expect(describePlan(plan)).toEqual([
            "password: another → as declared, by ALTER ROLE with its verifier, through the local socket in container observatory-dev",
        ]);
    });

    it.each([
        [true, "and the one that was in use at the last up"],
        [false, "there is no other from an earlier up"],
    ])("is refused where there is no container; an up before it: %s", (hadPrevious, known) => {
        const { refusals } = planRefused(connection, hadPrevious, undefined);

        expect(refusals).toEqual([expect.objectContaining({ code: "password_refused" })]);
        expect(refusals[0]?.detail).toContain(known);
        expect(JSON.stringify(refusals)).not.toContain("declared-pw");
    });
});
