import {
    inServersWords,
    mayBeSpelling,
} from "../../components/timescale/core/hypertable/normalise";
import type { DesiredHypertable } from "../../components/timescale/core/hypertable/spec";
import { isEmpty } from "../../components/timescale/core/plan/plan";
import {
    diffOfTable,
    type Inputs,
    metrics,
    planOfTable,
    type StandingTable,
    standingTable,
} from "../helpers/builders";
import { databaseError, type Row, scriptedSession } from "../helpers/scriptedSession";

const ts = { name: "ts", type: "timestamptz", nullable: false };
const level = { name: "level", type: "mood", default: "upper('Low')" };
const indexes = [{ columns: ["level"], where: "level <> 'low'" }];

/** What stands, in the server's words for a type, a default and a condition. */
function stands(): StandingTable {
    return standingTable(
        metrics({
            columns: [ts, { ...level, type: "app.mood", default: "upper('Low'::text)" }],
            indexes: [{ columns: ["level"], where: "level <> 'low'::app.mood" }],
        }),
    );
}

/** What the server says of the declared columns and conditions. */
function words(type: string, fallback: string | null, condition: string): Row {
    return {
        columns: [
            { name: "ts", type: "timestamp with time zone", default: null },
            { name: "level", type, default: fallback },
        ],
        predicates: { metrics_level_idx: condition },
    };
}

async function settled(desired: DesiredHypertable, row: Row): Promise<DesiredHypertable> {
    const { session } = scriptedSession((sql) => (sql.startsWith("--") ? [row] : undefined));
    return inServersWords(session, desired, stands(), ["public"]);
}

describe("a difference", () => {
    const maybe = (was: Inputs, will: Inputs): boolean =>
        mayBeSpelling(
            diffOfTable(standingTable(metrics(was)), metrics(will), { before: metrics(was) }),
        );
    const value = { name: "value", type: "double precision" };

    it.each<[string, Inputs, Inputs]>([
        ["a type", {}, { columns: [ts, { ...value, type: "mood" }] }],
        ["a default", {}, { columns: [ts, { ...value, default: "1e3" }] }],
        [
            "an index's condition",
            { indexes: [{ columns: ["ts"], where: "value > 0" }] },
            { indexes: [{ columns: ["ts"], where: "0 < value" }] },
        ],
    ])("of %s may be one of spelling", (_what, was, will) => {
        expect(maybe(was, will)).toBe(true);
    });

    it.each<[string, Inputs, Inputs]>([
        ["nothing", {}, {}],
        ["words", { comment: "x" }, { comment: "y" }],
        ["a column more", {}, { columns: [ts, value, level] }],
        ["the chunk interval", {}, { chunkTimeInterval: "1 day" }],
        ["the key", {}, { primaryKey: ["ts"] }],
    ])("of %s is none: the server is not asked", (_what, was, will) => {
        expect(maybe(was, will)).toBe(false);
    });
});

describe("a declaration in the server's words", () => {
    const desired = metrics({ columns: [ts, level], indexes });

    it("differs in nothing where the words are the same", async () => {
        expect(isEmpty(planOfTable(stands(), desired))).toBe(false);
        const row = words("app.mood", "upper('Low'::text)", "(level <> 'low'::app.mood)");
        expect(isEmpty(planOfTable(stands(), await settled(desired, row)))).toBe(true);
    });

    it("keeps the program's own where they are not, so that the difference stays", async () => {
        const row = words("other.mood", "upper('High'::text)", "(level <> 'high'::app.mood)");
        const { columns, indexes: kept } = await settled(desired, row);
        expect(columns[1]).toEqual(level);
        expect(kept).toEqual(desired.indexes);
    });

    it("takes the words only of what is the same", async () => {
        const row = words("app.mood", "upper('High'::text)", "(level <> 'high'::app.mood)");
        const result = await settled(desired, row);
        expect(result.columns).toEqual([
            { ...ts, type: "timestamp with time zone" },
            { ...level, type: "app.mood" },
        ]);
        expect(result.indexes).toEqual(desired.indexes);
    });

    it("is asked for with a table that does not outlive its transaction", async () => {
        const { session, sent } = scriptedSession();
        await inServersWords(session, desired, stands(), ["public"]);
        expect(sent.slice(1)).toEqual([
            `CREATE TEMPORARY TABLE pulumi_timescale_desired (\n"ts" timestamptz,\n"level" mood DEFAULT (upper('Low'))\n)`,
            `CREATE INDEX "metrics_level_idx" ON pg_temp.pulumi_timescale_desired ((1)) WHERE level <> 'low'`,
            expect.stringContaining('["pg_temp.pulumi_timescale_desired"]'),
            "ROLLBACK",
        ]);
    });

    it("stays as it is where the server does not take it: applying it says why", async () => {
        const { session, sent } = scriptedSession((sql) => {
            if (sql.startsWith("CREATE"))
                throw databaseError("42704", 'type "mood" does not exist');
            return undefined;
        });
        await expect(inServersWords(session, desired, stands(), ["public"])).resolves.toBe(desired);
        expect(sent.at(-1)).toBe("ROLLBACK");
    });

    it.each([
        ["only reads", "25006", "cannot execute CREATE TABLE in a read-only transaction"],
        ["gives no temporary tables", "42501", "permission denied to create temporary tables"],
    ])("is not made up when the server %s", async (_what, code, message) => {
        const { session } = scriptedSession((sql) => {
            if (sql.startsWith("CREATE")) throw databaseError(code, message);
            return undefined;
        });
        await expect(inServersWords(session, desired, stands(), ["public"])).rejects.toMatchObject({
            code,
            message,
        });
    });

    it("is not made up when the connection broke", async () => {
        const { session } = scriptedSession((sql) => {
            if (sql.startsWith("CREATE")) throw new Error("Connection terminated");
            return undefined;
        });
        await expect(inServersWords(session, desired, stands(), ["public"])).rejects.toMatchObject({
            code: "connection_lost",
            detail: "Connection terminated",
        });
    });
});
