/** How statements are run: on a client that answers as it is told, for what needs no real server. */
import { inTransaction, withObjectLock } from "../../components/timescale/core/connection/session";
import { applyStatements } from "../../components/timescale/core/plan/apply";
import { databaseError, scriptedSession } from "../helpers/scriptedSession";

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

/** What the session had before, read and given back. */
function aboutSettings(sql: string): boolean {
    return /^SELECT (?:ARRAY\[current_setting|set_config)/.test(sql);
}

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
        const settings = (sql: string): boolean => /^(?:BEGIN|SET)/.test(sql);
        const texts = sent.filter((sql) => !aboutSettings(sql));
        expect(texts.map((sql) => (settings(sql) ? sql.split(/[ ;]/)[0] : sql))).toEqual([
            "BEGIN",
            "CREATE TABLE t ()",
            'SELECT add_retention_policy($1) ["t"]',
            "COMMIT",
            "SET",
            "CALL refresh()",
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
        expect(sent.filter((sql) => !aboutSettings(sql) && !sql.startsWith("SET"))).toEqual([
            "CALL refresh()",
        ]);
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
