/** The connections that the provider keeps between operations. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale/core/connection/connection";
import {
    inTransaction,
    type Session,
    withObjectLock,
} from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withPooledSession } from "../../components/timescale/provider/pool";
import { openLink, whyNoLink } from "../engine/link";
import { onEveryServer, onServersWithSessions, type Target } from "./onEveryServer";

/** Which of the server's sessions it is. */
async function pidOf({ client }: Session): Promise<number> {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return rows[0]?.pid ?? 0;
}

/** Process ids of the server's sessions that are the provider's. */
async function open(target: Target): Promise<number[]> {
    const rows = await target.asAdmin(
        `SELECT pid FROM pg_stat_activity
         WHERE application_name = 'pulumi-timescale' AND datname = current_database()
             AND pid NOT IN (pg_backend_pid(), ${await own(target)})`,
    );
    return rows.map(({ pid }) => Number(pid));
}

/** The session with which the test itself asks as the owner. */
async function own(target: Target): Promise<number> {
    const [row] = await target.byHand("SELECT pg_backend_pid() AS pid");
    return Number(row?.["pid"]);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
        if (await condition()) return;
        await sleep(50);
    }
    throw new Error("it never came");
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
        open = resolve;
    });
    return { opened, open: () => open() };
}

onEveryServer((target) => {
    const pooled = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
        withPooledSession(target.database.owner, work);
    const answer = async ({ client }: Session): Promise<unknown> => {
        const { rows } = await client.query<{ answer: number }>("SELECT 42 AS answer");
        return rows[0]?.answer;
    };

    it("serve more operations at once than there are connections, each in its transaction", async () => {
        const searchPath = ["public"];
        const one = (session: Session): Promise<unknown> =>
            inTransaction(session, { searchPath }, () => answer(session));

        const answers = await Promise.all(Array.from({ length: 30 }, () => pooled(one)));

        expect(answers).toEqual(Array.from({ length: 30 }, () => 42));
    });

    it("serve on after an operation that failed", async () => {
        await expect(pooled(({ client }) => client.query("SELECT 1 / 0"))).rejects.toMatchObject({
            code: "22012",
        });
        await expect(pooled(() => Promise.reject(new Error("no")))).rejects.toThrow("no");

        expect(await pooled(answer)).toBe(42);
    });

    it("leave the transaction of an operation that forgot it behind", async () => {
        await pooled(({ client }) => client.query("BEGIN; CREATE TABLE forgotten ()"));

        expect(await pooled(answer)).toBe(42);
        await until(async () => {
            const [row] = await target.byHand("SELECT to_regclass('forgotten') AS there");
            return row?.["there"] === null;
        });
    });
});

onServersWithSessions("the provider's connections", (target) => {
    const owner = (): Connection => target.database.owner;
    const pid = (connection = owner()): Promise<number> => withPooledSession(connection, pidOf);
    const allClosed = (): Promise<void> => until(async () => (await open(target)).length === 0);

    afterEach(allClosed);

    it("are used again, and closed when nobody has used them for a while", async () => {
        const first = await pid();

        expect(await pid()).toBe(first);
        expect(await open(target)).toEqual([first]);
        await allClosed();
        expect(await pid()).not.toBe(first);
    });

    it("are eight at most, and who finds them in use waits in line", async () => {
        const { opened, open: letGo } = gate();
        const started: number[] = [];
        const all = Array.from({ length: 20 }, (_, number) =>
            withPooledSession(owner(), async (session) => {
                started.push(number);
                await opened;
                return pidOf(session);
            }),
        );
        try {
            await until(async () => (await open(target)).length === 8);
            await sleep(100);
            // They connect at the same time.
            expect(started.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
            expect(await open(target)).toHaveLength(8);
        } finally {
            letGo();
        }

        expect(new Set(await Promise.all(all)).size).toBe(8);
        expect(started).toEqual(Array.from({ length: 20 }, (_, number) => number));
    });

    it("are eight at most on one server, whoever logs in", async () => {
        const { owner: one, writer: two, reader: three } = target.database;
        let most = 0;
        let over = false;
        const watching = (async () => {
            while (!over) most = Math.max(most, (await open(target)).length);
        })();

        const work = Array.from({ length: 120 }, (_, number) =>
            withPooledSession([one, two, three][number % 3] ?? one, async ({ client }) => {
                const { rows } = await client.query<{ name: string }>(
                    "SELECT current_user AS name, pg_sleep(0.01)",
                );
                return rows[0]?.name;
            }),
        );
        const names = await Promise.all(work);
        over = true;
        await watching;

        expect(names.slice(0, 3)).toEqual([one.user, two.user, three.user]);
        expect(most).toBeGreaterThan(3);
        // One that was just closed may still be on its way out.
        expect(most).toBeLessThanOrEqual(8 + 3);
        expect((await open(target)).length).toBeLessThanOrEqual(8);
    });

    it("are a new one when the server has ended the old one", async () => {
        const first = await pid();

        await target.asAdmin(`SELECT pg_terminate_backend(${first})`);

        expect(await pid()).not.toBe(first);
    });

    it("are a new one when the server restarted under all that were kept", async () => {
        const { opened, open: letGo } = gate();
        const work = Array.from({ length: 8 }, () =>
            withPooledSession(owner(), async (session) => {
                const own = await pidOf(session);
                await opened;
                return own;
            }),
        );
        await until(async () => (await open(target)).length === 8);
        letGo();
        const pids = await Promise.all(work);

        await target.asAdmin(`SELECT pg_terminate_backend(unnest(ARRAY[${pids.join(", ")}]))`);

        const again = await Promise.all(Array.from({ length: 8 }, () => pid()));
        expect(again.filter((one) => pids.includes(one))).toEqual([]);
    });

    it("are harmless when their database is dropped, and what is gone is said", async () => {
        const other = await target.server.createDatabase();
        expect(await pid(other.owner)).toBeGreaterThan(0);

        await other.drop();

        await expect(pid(other.owner)).rejects.toMatchObject({
            code: "3D000",
            message: expect.stringContaining("does not exist") as string,
        });
    });

    it("are not used by who has another password", async () => {
        await pid();

        const wrong = pid({ ...owner(), password: "wrong" });

        await expect(wrong).rejects.toMatchObject({ code: "28P01" });
        await expect(wrong).rejects.toBeInstanceOf(TimescaleError);
    });

    it("are not used again after a failure, also one that the operation got over", async () => {
        const first = await pid();

        const failed = await withPooledSession(owner(), async (session) => {
            const own = await pidOf(session);
            await inTransaction(session, { searchPath: ["public"] }, (client) =>
                client.query("SELECT 1 / 0"),
            ).then(undefined, () => undefined);
            return own;
        });

        expect(failed).toBe(first);
        expect(await pid()).not.toBe(first);
    });

    it("keep neither settings nor locks of an operation", async () => {
        const first = await withPooledSession(owner(), (session) =>
            withObjectLock(
                session,
                "public.kept",
                () => undefined,
                () =>
                    inTransaction(session, { searchPath: ["pg_catalog"], lockTimeout: 5 }, () =>
                        pidOf(session),
                    ),
            ),
        );

        const found = await withPooledSession(owner(), async (session) => {
            const { rows } = await session.client.query<Record<string, unknown>>(
                `SELECT pg_backend_pid() AS pid,
                     (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
                     (SELECT array_agg(name::text) FROM pg_settings WHERE source = 'session') AS settings`,
            );
            return rows[0];
        });

        expect(found).toEqual({ pid: first, locks: 0, settings: null });
    });

    it("are closed with a lock that could not be given back", async () => {
        const first = await withPooledSession(owner(), (session) =>
            withObjectLock(
                session,
                "public.given_back",
                () => undefined,
                async () => {
                    await session.client.query("SELECT pg_advisory_unlock_all()");
                    return pidOf(session);
                },
            ),
        );

        expect(await pid()).not.toBe(first);
    });

    it("wait for a server that is not there yet, and say so", async () => {
        if (whyNoLink(owner()) !== undefined) return;
        const link = await openLink(owner());
        const through = link.through(owner());
        await link.cut();
        await expect(pid(through)).rejects.toMatchObject({ code: "connection_refused" });
        const reasons: string[] = [];

        const waiting = withPooledSession(through, pidOf, {
            patience: 20_000,
            onWait: (reason) => reasons.push(reason),
        });
        await until(() => Promise.resolve(reasons.length > 0));
        await link.restore();

        expect(await waiting).toBeGreaterThan(0);
        expect(reasons).toEqual([`no server listens at 127.0.0.1:${through.port}`]);
        await link.close();
    });

    it("begin an operation anew whose first statement finds the connection dead", async () => {
        if (whyNoLink(owner()) !== undefined) return;
        const link = await openLink(owner());
        const through = link.through(owner());
        await pid(through);
        let begun = 0;

        // Nothing tells the provider that the line is dead until it speaks.
        const { opened: ended, open: end } = gate();
        const reached = link.hold(/pg_backend_pid/, 1, ended);
        const again = withPooledSession(
            through,
            (session) => {
                begun++;
                return pidOf(session);
            },
            { patience: 20_000 },
        );
        await reached;
        await link.cut();
        await link.restore();

        expect(await again).toBeGreaterThan(0);
        expect(begun).toBe(2);
        end();
        await link.close();
    });

    it("do not begin an operation anew that the server has answered", async () => {
        if (whyNoLink(owner()) !== undefined) return;
        const link = await openLink(owner());
        const through = link.through(owner());
        await pid(through);
        let begun = 0;

        const failed = withPooledSession(through, async (session) => {
            begun++;
            await pidOf(session);
            await link.cut();
            return pidOf(session);
        });

        await expect(failed).rejects.toThrow();
        expect(begun).toBe(1);
        await link.close();
    });
});
