import { describeEvent, isNotable, type JobEvent } from "../../commands/embedded/jobs/events";
import { startScheduler } from "../../commands/embedded/jobs/scheduler";
import { PreparedStatements } from "../../commands/embedded/prepared";
import type { OwnSession } from "../../commands/embedded/turns";
import { message, simpleQuery, statementText } from "../../commands/embedded/wire";

const job = { id: 1000, procedure: "policy_refresh_continuous_aggregate", object: "public.m" };

describe("the log of jobs", () => {
    const next = new Date(2026, 10, 25, 12, 30, 5).toISOString();
    const done = { kind: "succeeded", job, milliseconds: 120, next } as const;
    const plain = { ...done, failuresBefore: 0, overran: undefined };
    const failed = { ...done, kind: "failed", code: "P0001", message: "no way" } as const;

    it.each<[string, JobEvent, string, boolean]>([
        [
            "a success",
            plain,
            "job 1000, refresh policy of public.m: done in 120 ms, next at 2026-11-25 12:30:05",
            false,
        ],
        [
            "a success after failures",
            { ...plain, failuresBefore: 2, milliseconds: 4200 },
            "job 1000, refresh policy of public.m: done in 4.2 s, after 2 times without success, next at 2026-11-25 12:30:05",
            true,
        ],
        [
            "one that took too long",
            { ...plain, overran: 100, next: undefined },
            "job 1000, refresh policy of public.m: done in 120 ms, longer than its max_runtime of 100 ms, which cannot end it here, and it is gone",
            true,
        ],
        [
            "a failure",
            { ...failed, failures: 1, exhausted: false },
            "job 1000, refresh policy of public.m: failed, once in a row: no way (P0001), next at 2026-11-25 12:30:05",
            true,
        ],
        [
            "the last failure",
            { ...failed, failures: 3, exhausted: true },
            "job 1000, refresh policy of public.m: failed, 3 times in a row: no way (P0001), that is its max_retries, and it is switched off",
            true,
        ],
        [
            "a client in the way",
            { kind: "waiting", seconds: 60, client: "a client as observatory_owner (psql)" },
            "jobs have waited for 60 s: a client as observatory_owner (psql) has a transaction open",
            true,
        ],
    ])("says %s in one line", (_, event, text, notable) => {
        expect(describeEvent(event)).toBe(text);
        expect(isNotable(event)).toBe(notable);
    });
});

describe("the scheduler", () => {
    const session: OwnSession = {
        query: () => Promise.resolve([]),
        become: () => Promise.resolve(),
    };

    it("says who keeps jobs waiting, again and again, and can be stopped meanwhile", async () => {
        const events: JobEvent[] = [];
        let asked = 0;
        const scheduler = startScheduler(
            {
                own: () => {
                    asked++;
                    return new Promise(() => undefined);
                },
                holder: () => ({ user: "bob", settings: { application_name: "psql" } }),
            },
            (event) => events.push(event),
            20,
        );
        await new Promise((resolve) => setTimeout(resolve, 100));
        await scheduler.stop();

        expect(asked).toBe(1);
        expect(events.length).toBeGreaterThan(1);
        expect(events[0]).toMatchObject({ kind: "waiting", client: "a client as bob (psql)" });
    });

    it("does nothing with a turn that it gets after it was stopped", async () => {
        let give: (session: OwnSession) => Promise<void> = () => Promise.resolve();
        const scheduler = startScheduler(
            {
                own: (work) => {
                    give = work;
                    return Promise.resolve();
                },
                holder: () => undefined,
            },
            () => undefined,
        );
        await scheduler.stop();
        const query = jest.fn(session.query);
        await give({ ...session, query });

        expect(query).not.toHaveBeenCalled();
    });

    it("reports the same trouble once, and goes on", async () => {
        const events: JobEvent[] = [];
        let turns = 0;
        const scheduler = startScheduler(
            {
                own: () => {
                    turns++;
                    return Promise.reject(new Error("no such table"));
                },
                holder: () => undefined,
            },
            (event) => events.push(event),
        );
        await new Promise((resolve) => setTimeout(resolve, 1300));
        await scheduler.stop();

        expect(turns).toBeGreaterThan(1);
        expect(events).toEqual([{ kind: "trouble", message: "no such table" }]);
    });
});

describe("prepared statements of one client among several", () => {
    const parse = (name: string, text: string) => message("P", `${name}\0${text}\0\0\0`);
    const bind = (name: string) => message("B", `\0${name}\0\0\0\0\0\0\0`);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

    it("get names of their own, also in Bind, Describe, Close and DEALLOCATE", () => {
        const mine = new PreparedStatements(7);

        expect(text(mine.translate(parse("s1", "SELECT 1")))).toBe(
            text(parse("client_7_1", "SELECT 1")),
        );
        expect(text(mine.translate(bind("s1")))).toBe(text(bind("client_7_1")));
        expect(text(mine.translate(message("D", "Ss1\0")))).toBe(
            text(message("D", "Sclient_7_1\0")),
        );
        expect(text(mine.translate(message("D", "Ps1\0")))).toBe(text(message("D", "Ps1\0")));
        expect(text(mine.translate(bind("made_by_prepare")))).toBe(text(bind("made_by_prepare")));
        expect(statementText(mine.translate(simpleQuery("DEALLOCATE s1;")))).toBe(
            "DEALLOCATE client_7_1",
        );
        mine.translate(parse("s1", "SELECT 2"));
        expect(text(mine.closeAll())).toBe(text(message("C", "Sclient_7_2\0")));
        expect(mine.closeAll()).toHaveLength(0);
    });

    it("that have no name are sent again only where they were not in the same piece", () => {
        const mine = new PreparedStatements(1);
        mine.translate(parse("", "SELECT 1"));
        mine.translate(bind(""));
        expect(mine.endPiece()).toBeUndefined();

        mine.translate(bind(""));
        expect(text(mine.endPiece() ?? Buffer.alloc(0))).toBe(text(parse("", "SELECT 1")));

        mine.translate(message("C", "S\0"));
        mine.translate(bind(""));
        expect(mine.endPiece()).toBeUndefined();
    });
});
