/** How statements are run: on a client that answers as it is told, for what needs no real server. */
import { fill } from "../../components/timescale/core/aggregate/fill";
import { applyStatements } from "../../components/timescale/core/apply";
import { inTransaction, withObjectLock } from "../../components/timescale/core/session";
import { hourly, standing } from "../helpers/builders";
import { databaseError, type Row, scriptedSession } from "../helpers/scriptedSession";

function failing(
    at: string,
    error: Error,
    times = Number.MAX_SAFE_INTEGER,
): (sql: string) => undefined {
    let left = times;
    return (sql) => {
        if (!sql.startsWith(at) || left === 0) return undefined;
        left -= 1;
        throw error;
    };
}

const begin =
    'BEGIN; SET LOCAL search_path TO "app", "public"; SET LOCAL lock_timeout TO 2000; ' +
    "SET LOCAL TimeZone TO 'UTC'; SET LOCAL DateStyle TO 'ISO, MDY'; SET LOCAL IntervalStyle TO 'postgres'; " +
    "SET LOCAL extra_float_digits TO '1'; SET LOCAL quote_all_identifiers TO 'off'; " +
    "SET LOCAL standard_conforming_strings TO 'on'";

const statements = [
    { name: "create_table", sql: "CREATE TABLE t ()" },
    { name: "add_retention_policy", sql: "SELECT add_retention_policy($1)", values: ["t"] },
];
const options = { object: "app.t", searchPath: ["app", "public"] };

describe("applyStatements", () => {
    it("runs everything in one transaction, with settings that hold for it alone", async () => {
        const { session, sent } = scriptedSession();
        await applyStatements(session, statements, options);
        expect(sent).toEqual([
            begin,
            "CREATE TABLE t ()",
            'SELECT add_retention_policy($1) ["t"]',
            "COMMIT",
        ]);
    });

    it("keeps the order: neighbours in one transaction, and each that is outside by itself", async () => {
        const { session, sent } = scriptedSession();
        const refresh = { name: "refresh", sql: "CALL refresh()", outside: {} };
        await applyStatements(
            session,
            [...statements, refresh, { name: "comment", sql: "COMMENT" }],
            options,
        );
        const settings = (sql: string): boolean => /^(?:BEGIN|SET|RESET)/.test(sql);
        expect(sent.map((sql) => (settings(sql) ? sql.split(/[ ;]/)[0] : sql))).toEqual([
            "BEGIN",
            "CREATE TABLE t ()",
            'SELECT add_retention_policy($1) ["t"]',
            "COMMIT",
            "SET",
            "CALL refresh()",
            "RESET",
            "BEGIN",
            "COMMENT",
            "COMMIT",
        ]);
    });

    it("has nothing to undo where a statement outside leaves nothing behind", async () => {
        const refusal = databaseError("22023", "refresh window too small");
        const { session, sent } = scriptedSession(failing("CALL", refusal));
        const refresh = { name: "refresh", sql: "CALL refresh()", outside: {} };
        await expect(applyStatements(session, [refresh], options)).rejects.toMatchObject({
            statement: "refresh",
            code: "22023",
        });
        expect(sent.filter((sql) => !/^(?:SET|RESET)/.test(sql))).toEqual(["CALL refresh()"]);
    });

    it("opens no transaction for nothing", async () => {
        const { session, sent } = scriptedSession();
        await applyStatements(session, [], options);
        expect(sent).toEqual([]);
    });

    it("rolls back, and tells the statement that failed in the server's words", async () => {
        const refusal = databaseError("42501", "permission denied for schema app");
        const { session, sent } = scriptedSession(failing("SELECT add", refusal));
        await expect(applyStatements(session, statements, options)).rejects.toMatchObject({
            message: "permission denied for schema app",
            code: "42501",
            statement: "add_retention_policy",
            object: "app.t",
            hint: "grant the missing privilege to the login in the message, or connect as the owner",
            cause: refusal,
        });
        expect(sent.at(-1)).toBe("ROLLBACK");
        expect(sent).not.toContain("COMMIT");
    });

    it("tells the first error where the roll-back fails as well", async () => {
        const { session } = scriptedSession((sql) => {
            if (sql.startsWith("CREATE")) throw databaseError("57P01", "terminating connection");
            if (sql === "ROLLBACK") throw new Error("Connection terminated");
            return undefined;
        });
        await expect(applyStatements(session, statements, options)).rejects.toMatchObject({
            message: "terminating connection",
            statement: "create_table",
        });
    });

    it("starts from the beginning after losing a race for a lock, and says so", async () => {
        const busy = databaseError("55P03", "canceling statement due to lock timeout");
        const { session, sent } = scriptedSession(failing("SELECT add", busy, 1));
        const retries: string[] = [];
        await applyStatements(session, statements, {
            ...options,
            onRetry: (text) => retries.push(text),
        });
        expect(retries).toEqual([
            "add_retention_policy waits its turn, attempt 2: canceling statement due to lock timeout",
        ]);
        expect(sent.filter((sql) => sql === begin)).toHaveLength(2);
        expect(sent.filter((sql) => sql === "ROLLBACK")).toHaveLength(1);
        expect(sent.at(-1)).toBe("COMMIT");
    });
});

describe("inTransaction", () => {
    it("reads only, and rolls back, where it is told to", async () => {
        const { session, sent } = scriptedSession();
        const result = await inTransaction(
            session,
            { readOnly: true, rollback: true, lockTimeout: 50, searchPath: ['Odd "Schema"'] },
            () => Promise.resolve("seen"),
        );
        expect(result).toBe("seen");
        expect(sent).toEqual([
            expect.stringMatching(
                /^BEGIN READ ONLY; SET LOCAL search_path TO "Odd ""Schema"""; SET LOCAL lock_timeout TO 50;/,
            ),
            "ROLLBACK",
        ]);
    });
});

describe("withObjectLock", () => {
    const lock = `pg_try_advisory_lock(hashtextextended('pulumi-timescale public."it''s"', 0))`;
    const object = `public."it's"`;
    const waits: string[] = [];
    const onWait = (text: string): void => void waits.push(text);
    beforeEach(() => void waits.splice(0));

    it("holds the lock while the work runs, and gives it back even when the work fails", async () => {
        const { session, sent } = scriptedSession(() => [{ locked: true }]);
        const work = (): Promise<never> => {
            sent.push("work");
            return Promise.reject(new Error("no luck"));
        };
        await expect(withObjectLock(session, object, onWait, work)).rejects.toThrow("no luck");
        expect(sent).toEqual([
            `SELECT ${lock} AS locked`,
            "work",
            `SELECT ${lock.replace("pg_try_advisory_lock", "pg_advisory_unlock")} AS unlocked`,
        ]);
        expect(waits).toEqual([]);
    });

    it("waits for another deployment, and says so once", async () => {
        let asked = 0;
        const { session } = scriptedSession(() => [{ locked: (asked += 1) === 3 }]);
        await expect(
            withObjectLock(session, object, onWait, () => Promise.resolve("done")),
        ).resolves.toBe("done");
        expect(waits).toEqual(["waiting for another deployment of this object"]);
    });

    it("gives up after its patience, without having touched the object", async () => {
        const { session, sent } = scriptedSession(() => [{ locked: false }]);
        const work = jest.fn();
        await expect(withObjectLock(session, object, onWait, work, -1)).rejects.toMatchObject({
            code: "lock_held",
            object,
        });
        expect(work).not.toHaveBeenCalled();
        expect(sent).toHaveLength(1);
    });
});

describe("fill", () => {
    const times = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-02T05:00:00Z"];
    const edges = times.map((edge) => ({ edge }));
    const name = { schema: 'Odd "Schema"', name: "it's" };
    const settings = (progress: string[] = []): Parameters<typeof fill>[1] => ({
        name,
        aggregate: standing(hourly(name)),
        retention: "37 days",
        searchPath: ['Odd "Schema"', "public", "timescale"],
        extensionSchema: "timescale",
        onProgress: (done, total) => progress.push(`${done}/${total}`),
    });
    const answering =
        (windows: readonly Row[], then: (sql: string) => undefined = () => undefined) =>
        (sql: string): readonly Row[] | undefined => {
            if (sql.includes("AS started")) return [{ started: false }];
            if (sql.startsWith("--")) return windows;
            then(sql);
            return undefined;
        };
    const calls = (sent: readonly string[]): string[] =>
        sent.filter((sql) => sql.startsWith("CALL"));

    it("refreshes window after window, oldest first, each in a statement of its own", async () => {
        const { session, sent } = scriptedSession(answering(edges));
        const progress: string[] = [];
        await expect(fill(session, settings(progress))).resolves.toBe(2);
        const call = `CALL "timescale"."refresh_continuous_aggregate"('"Odd ""Schema"""."it''s"'::regclass, `;
        expect(calls(sent)).toEqual([
            `${call}'2026-01-01T00:00:00Z'::timestamptz, '2026-01-02T00:00:00Z'::timestamptz)`,
            `${call}'2026-01-02T00:00:00Z'::timestamptz, '2026-01-02T05:00:00Z'::timestamptz)`,
        ]);
        // Not inside a transaction: the procedure commits by itself.
        expect(sent.indexOf("COMMIT")).toBeLessThan(sent.indexOf(calls(sent)[0] ?? ""));
        expect(progress).toEqual(["0/2", "1/2", "2/2"]);
    });

    it("takes more windows at once while that is quick, without a gap or an overlap", async () => {
        const days = Array.from({ length: 31 }, (_, day) => ({
            edge: `2026-01-${String(day + 1).padStart(2, "0")}T00:00:00Z`,
        }));
        const { session, sent } = scriptedSession(answering(days));
        const progress: string[] = [];
        await expect(fill(session, settings(progress))).resolves.toBe(30);
        const bounds = calls(sent).map((call) => call.match(/2026-01-\d\d/g)?.join(" to "));
        expect(bounds).toEqual([
            "2026-01-01 to 2026-01-02",
            "2026-01-02 to 2026-01-04",
            "2026-01-04 to 2026-01-08",
            "2026-01-08 to 2026-01-16",
            "2026-01-16 to 2026-01-26",
            "2026-01-26 to 2026-01-31",
        ]);
        expect(progress).toEqual(["0/30", "1/30", "3/30", "7/30", "15/30", "25/30", "30/30"]);
    });

    it("finds nothing to do where there is no raw data", async () => {
        const { session, sent } = scriptedSession(answering([]));
        await expect(fill(session, settings())).resolves.toBe(0);
        expect(calls(sent)).toEqual([]);
    });

    it("reads a window of a time without zone in that type", async () => {
        const { session, sent } = scriptedSession(answering(edges));
        const { aggregate, ...others } = settings();
        await fill(session, {
            ...others,
            aggregate: { ...aggregate, timeType: "timestamp without time zone" },
        });
        expect(calls(sent)[0]).toContain("'2026-01-01T00:00:00Z'::timestamp without time zone,");
    });

    it("tries a window again that lost a race with retention", async () => {
        const gone = databaseError(
            "42P01",
            'relation "_timescaledb_internal._hyper_1_2_chunk" does not exist',
        );
        const { session, sent } = scriptedSession(answering(edges, failing("CALL", gone, 1)));
        await expect(fill(session, settings())).resolves.toBe(2);
        expect(calls(sent)).toHaveLength(3);
    });

    it("stops at a window that cannot be refreshed, in the server's words", async () => {
        const overflow = databaseError("22003", "integer out of range");
        const { session, sent } = scriptedSession(answering(edges, failing("CALL", overflow)));
        await expect(fill(session, settings())).rejects.toMatchObject({
            message: "integer out of range",
            code: "22003",
            statement: "refresh_continuous_aggregate",
        });
        expect(calls(sent)).toHaveLength(1);
    });
});
