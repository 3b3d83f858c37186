import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";

import { Client } from "pg";

import {
    embeddedConnection,
    type EmbeddedServer,
    openEmbedded,
} from "../../commands/embedded/server";
import { clientConfig, withClient } from "../helpers/clients";
import { connect, embeddedFolders, silent, sleep, until } from "./embeddedFolders";

const { workspace, open, fresh } = embeddedFolders();

let server: EmbeddedServer;
let owner: Client;

beforeAll(async () => {
    server = await open(fresh("shared"));
    owner = await connect(server);
}, 60_000);

afterAll(async () => {
    await owner.end();
});

describe("a new data folder", () => {
    it("holds TimescaleDB and the three roles in one database", async () => {
        const { rows } = await owner.query(`
            SELECT current_database() AS database, rolname AS role
            FROM pg_roles, pg_extension
            WHERE rolname LIKE 'observatory%' AND rolcanlogin AND extname = 'timescaledb'
            ORDER BY 2`);

        expect(rows).toEqual([
            { database: "llm_observatory", role: "observatory_owner" },
            { database: "llm_observatory", role: "observatory_reader" },
            { database: "llm_observatory", role: "observatory_writer" },
        ]);
    });

    it("starts a session as PostgreSQL does", async () => {
        const { rows } = await owner.query(`
            SELECT current_setting('search_path') AS path, current_setting('enable_seqscan') AS scan,
                   current_setting('allow_system_table_mods') AS mods`);

        expect(rows).toEqual([{ path: '"$user", public', scan: "on", mods: "off" }]);
    });

    it("leaves nothing half made when it is killed in the middle", async () => {
        const directory = path.join(workspace, "killed");
        const child = startInProcess(directory);
        await until(() => fs.existsSync(`${directory}.creating/PG_VERSION`), "the first files");
        child.kill("SIGKILL");

        const survivor = await open(directory);

        const user = await connect(survivor, "observatory_owner");
        expect((await user.query("SELECT count(*)::int AS n FROM pg_extension")).rows).toEqual([
            { n: 2 },
        ]);
        await user.end();
        await survivor.close();
        expect(fs.existsSync(`${directory}.creating`)).toBe(false);
    }, 60_000);
});

describe("clients", () => {
    it("are who they say they are, with that role's rights", async () => {
        await owner.query("CREATE TABLE secrets (a int)");
        const reader = await connect(server, "observatory_reader");

        await expect(reader.query("SELECT * FROM secrets")).rejects.toMatchObject({
            code: "42501",
        });
        await expect(reader.query("CREATE TABLE mine (a int)")).rejects.toMatchObject({
            code: "42501",
        });
        const { rows } = await owner.query(
            "SELECT tableowner FROM pg_tables WHERE tablename = 'secrets'",
        );
        expect(rows).toEqual([{ tableowner: "observatory_owner" }]);
        await reader.end();
    });

    it.each([
        ["an unknown role", { user: "nobody" }, "28000", 'role "nobody" does not exist'],
        ["another database", { database: "other" }, "3D000", 'database "other" does not exist'],
        ["a setting that does not exist", { options: "-c no_such=1" }, "42704", /no_such/],
    ])("with %s are refused", async (_, change, code, message) => {
        const config = clientConfig(embeddedConnection(server, "observatory_owner"));

        await expect(new Client({ ...config, ...change }).connect()).rejects.toMatchObject({
            code,
            message: expect.stringMatching(message) as string,
        });
    });

    it("keep the settings that they connected with, each its own", async () => {
        const [a, b] = await Promise.all(
            ["1s", "2s"].map(async (timeout) => {
                const client = new Client({
                    ...clientConfig(embeddedConnection(server, "observatory_owner")),
                    options: `-c lock_timeout=${timeout} -c search_path=pg_catalog,public`,
                });
                await client.connect();
                return client;
            }),
        );

        for (const client of [a, owner, b, owner, a, b]) await client?.query("SELECT 1");

        expect((await a?.query("SHOW lock_timeout"))?.rows).toEqual([{ lock_timeout: "1s" }]);
        expect((await b?.query("SHOW lock_timeout"))?.rows).toEqual([{ lock_timeout: "2s" }]);
        expect((await owner.query("SHOW lock_timeout")).rows).toEqual([{ lock_timeout: "0" }]);
        expect((await owner.query("SHOW search_path")).rows).toEqual([
            { search_path: '"$user", public' },
        ]);
        await Promise.all([a?.end(), b?.end()]);
    });

    it("find their tables after a refresh has failed, with the search path that they had set", async () => {
        await owner.query("CREATE TABLE heights (ts timestamptz NOT NULL, v int)");
        await owner.query("SELECT create_hypertable('heights', 'ts')");
        await owner.query(
            "CREATE MATERIALIZED VIEW squares WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', ts) AS bucket, sum(v * v) AS s FROM heights GROUP BY 1 WITH NO DATA",
        );
        await owner.query("INSERT INTO heights VALUES (now() - interval '1 day', 100000)");
        const other = await connect(server, "observatory_owner");
        const refresh = "CALL refresh_continuous_aggregate('public.squares', NULL, now())";
        const seen = async (client: Client): Promise<unknown> =>
            (await client.query("SELECT current_setting('search_path') AS path, to_regclass('heights') IS NOT NULL AS found")).rows[0]; // prettier-ignore

        // By the simple protocol and by the extended one.
        for (const client of [owner, other]) {
            await expect(client.query(refresh)).rejects.toThrow("integer out of range");
            expect(await seen(other)).toEqual({ path: '"$user", public', found: true });
            await client.query("SET search_path = public, pg_temp");
            await expect(
                client.query({ text: refresh, name: "refresh", values: [] }),
            ).rejects.toThrow("integer out of range");
            expect(await seen(owner)).toEqual({ path: "public, pg_temp", found: true });
            // In a transaction the server undoes it, and a statement that succeeds keeps what it set.
            await client.query("BEGIN");
            await client.query("SET search_path = pg_catalog");
            await expect(client.query("SELECT 1 / 0")).rejects.toThrow("division by zero");
            await client.query("ROLLBACK");
            expect(await seen(owner)).toEqual({ path: "public, pg_temp", found: true });
            await client.query("RESET search_path");
            await client.query(`SET search_path = "$user", public`);
        }
        await other.end();
        await owner.query("DROP MATERIALIZED VIEW squares");
        await owner.query("DROP TABLE heights");
    });

    it("get their own answers when four of them send parameterised queries at once", async () => {
        const clients = await Promise.all(
            Array.from({ length: 4 }, () => connect(server, "observatory_owner")),
        );

        const answers = await Promise.all(
            clients.map(async (client, who) => {
                const sums: number[] = [];
                for (let i = 0; i < 200; i++) {
                    // Large parameters come in several pieces of TCP, between which others arrive.
                    const text = String(who).repeat(i % 10 === 0 ? 300_000 : 10);
                    const { rows } = await client.query<{
                        readonly sum: number;
                        readonly text: string;
                    }>(`SELECT $1::int + ${who} * 1000 AS sum, $2 AS text`, [i, text]);
                    sums.push(rows[0]?.text === text ? rows[0].sum : -1);
                }
                return sums;
            }),
        );

        answers.forEach((sums, who) =>
            expect(sums).toEqual(Array.from({ length: 200 }, (_, i) => i + who * 1000)),
        );
        await Promise.all(clients.map((client) => client.end()));
    }, 30_000);

    it("wait while another is in a transaction, also after ROLLBACK TO SAVEPOINT", async () => {
        await owner.query("CREATE TABLE turns (who text)");
        const other = await connect(server);
        const order: string[] = [];

        await owner.query("START TRANSACTION");
        await owner.query("SAVEPOINT a");
        await expect(owner.query("SELECT no_such")).rejects.toMatchObject({ code: "42703" });
        await owner.query("ROLLBACK TO SAVEPOINT a");
        const waiting = other
            .query("INSERT INTO turns VALUES ('other')")
            .then(() => order.push("other"));
        await sleep(100);
        await owner.query("INSERT INTO turns VALUES ('owner')");
        order.push("owner");
        await owner.query("ROLLBACK");
        await waiting;

        expect(order).toEqual(["owner", "other"]);
        expect((await owner.query("SELECT who FROM turns")).rows).toEqual([{ who: "other" }]);
        await other.end();
    });

    it("are let in while another is busy for long, and wait with their first statement", async () => {
        const busy = owner.query("SELECT pg_sleep(4)");
        const started = Date.now();
        const other = await connect(server, "observatory_reader");

        expect(Date.now() - started).toBeLessThan(3500);
        expect((await other.query("SELECT current_user AS me")).rows).toEqual([
            { me: "observatory_reader" },
        ]);
        await busy;
        expect(Date.now() - started).toBeGreaterThan(3500);
        await other.end();
    }, 30_000);

    it("that vanish inside a transaction have it rolled back, and the next one goes on", async () => {
        await owner.query("CREATE TABLE abandoned (a int)");
        const lost = await connect(server);
        await lost.query("BEGIN");
        await lost.query("INSERT INTO abandoned VALUES (1)");
        const waiting = owner.query("SELECT count(*)::int AS n FROM abandoned");

        (lost as unknown as { connection: { stream: net.Socket } }).connection.stream.destroy();

        expect((await waiting).rows).toEqual([{ n: 0 }]);
    });

    it("that vanish between Parse and Sync do not keep the turn", async () => {
        const socket = net.connect(server.port, server.host);
        const startup = "user\0observatory_owner\0database\0llm_observatory\0\0";
        const head = Buffer.alloc(8);
        head.writeInt32BE(8 + startup.length, 0);
        head.writeInt32BE(3 << 16, 4);
        socket.write(Buffer.concat([head, Buffer.from(startup)]));
        await new Promise((resolve) => socket.once("data", resolve));
        const parse = Buffer.from("P\0\0\0\x10\0SELECT 1\0\0\0", "latin1");
        parse.writeInt32BE(parse.length - 1, 1);
        socket.write(Buffer.concat([parse, Buffer.from("H\0\0\0\x04", "latin1")]));
        await new Promise((resolve) => socket.once("data", resolve));
        const waiting = owner.query("SELECT 2 AS n");

        socket.destroy();

        expect((await waiting).rows).toEqual([{ n: 2 }]);
    });

    it("go on after an error in a simple and in an extended query", async () => {
        await expect(owner.query("SELECT no_such")).rejects.toMatchObject({ code: "42703" });
        await expect(owner.query("SELECT $1::int", ["x"])).rejects.toMatchObject({ code: "22P02" });
        expect((await owner.query("SELECT $1::int AS n", [1])).rows).toEqual([{ n: 1 }]);
    });

    it("may give their prepared statements the same names, as drivers do", async () => {
        const other = await connect(server, "observatory_reader");
        const mine = { name: "statement_1", text: "SELECT current_user::text AS me, $1::int AS n" };
        const theirs = { name: "statement_1", text: "SELECT $1::text AS t" };

        for (let i = 0; i < 3; i++) {
            expect((await owner.query(mine, [i])).rows).toEqual([
                { me: "observatory_owner", n: i },
            ]);
            expect((await other.query(theirs, [`t${i}`])).rows).toEqual([{ t: `t${i}` }]);
        }
        await other.query('DEALLOCATE "statement_1"');
        expect((await owner.query(mine, [7])).rows).toMatchObject([{ n: 7 }]);
        await other.end();
        await until(
            async () =>
                (await owner.query("SELECT FROM pg_prepared_statements WHERE statement ~ 'AS t$'"))
                    .rows.length === 0,
            "the other's statements to be forgotten",
        );
        await owner.query("DEALLOCATE statement_1");
    });

    it("may prepare a statement without a name in one turn and run it in a later one", async () => {
        const other = await connect(server, "observatory_reader");
        await submit(owner, (connection) => {
            connection.parse({ name: "", text: "SELECT $1::text || current_user", types: [] });
            connection.sync();
        });
        await other.query("SELECT $1::int", [1]);

        const rows = await submit(owner, (connection) => {
            connection.bind({ portal: "", statement: "", values: ["I am "] });
            connection.execute({ portal: "", rows: 0 });
            connection.sync();
        });

        expect(rows).toEqual([["I am observatory_owner"]]);
        await other.end();
    });

    it("get notices", async () => {
        const notices: (string | undefined)[] = [];
        const listen = (notice: { readonly message?: string | undefined }) =>
            notices.push(notice.message);
        owner.on("notice", listen);
        await owner.query("DROP TABLE IF EXISTS no_such_table");
        owner.off("notice", listen);

        expect(notices).toEqual(['table "no_such_table" does not exist, skipping']);
    });

    it("get large results whole", async () => {
        const { rows } = await owner.query<{ readonly g: number; readonly t: string }>(
            "SELECT g, repeat('x', 1000) AS t FROM generate_series(1, 20000) AS g",
        );

        expect(rows).toHaveLength(20_000);
        expect(rows.every(({ g, t }, i) => g === i + 1 && t.length === 1000)).toBe(true);
    }, 30_000);

    it("send large parameters whole", async () => {
        const text = "y".repeat(5_000_000);

        const { rows } = await owner.query("SELECT length($1) AS n", [text]);

        expect(rows).toEqual([{ n: 5_000_000 }]);
    }, 30_000);

    it("are told that COPY FROM STDIN does not work, which would end this build", async () => {
        await owner.query("CREATE TABLE copied (a int)");

        await expect(owner.query("SELECT 1; COPY copied FROM STDIN")).rejects.toMatchObject({
            code: "0A000",
        });
        await expect(owner.query("COPY copied FROM STDIN WITH (FORMAT csv)")).rejects.toMatchObject(
            {
                code: "0A000",
                message: "the embedded database does not support COPY FROM STDIN",
            },
        );
        expect((await owner.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
    });

    it("may ask for encryption, are told no, and go on in clear text", async () => {
        const socket = net.connect(server.port, server.host);
        socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
        const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
        socket.destroy();

        expect(answer.toString()).toBe("N");
    });

    it("may send a cancel request, which changes nothing", async () => {
        const socket = net.connect(server.port, server.host);
        const ended = new Promise((resolve) => socket.once("close", resolve));
        socket.resume();
        socket.write(Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 0]));
        await ended;

        expect((await owner.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
    });
});

interface ProtocolConnection {
    parse(message: { name: string; text: string; types: readonly number[] }): void;
    bind(message: { portal: string; statement: string; values: readonly unknown[] }): void;
    execute(message: { portal: string; rows: number }): void;
    sync(): void;
}

/** Sends messages of the protocol, and gives the rows up to ReadyForQuery. */
function submit(
    client: Client,
    send: (connection: ProtocolConnection) => void,
): Promise<readonly (readonly string[])[]> {
    return new Promise((resolve, reject) => {
        const rows: string[][] = [];
        client.query({
            submit: (connection: unknown) => send(connection as ProtocolConnection),
            handleDataRow: ({ fields }: { readonly fields: readonly unknown[] }) =>
                rows.push(fields.map(String)),
            handleCommandComplete: silent,
            handleReadyForQuery: () => resolve(rows),
            handleError: reject,
        } as never);
    });
}

describe("continuous aggregates", () => {
    it("are created, refreshed outside a transaction and read as the reader", async () => {
        await owner.query("CREATE TABLE raw (ts timestamptz NOT NULL, v int)");
        await owner.query("SELECT create_hypertable('raw', 'ts')");
        await owner.query(
            "INSERT INTO raw SELECT now() - interval '1 minute' * g, g FROM generate_series(1, 500) g",
        );
        await owner.query(`
            CREATE MATERIALIZED VIEW per_hour WITH (timescaledb.continuous) AS
            SELECT time_bucket('1 hour', ts) AS bucket, count(*)::int AS n FROM raw GROUP BY 1
            WITH NO DATA`);
        await owner.query("GRANT SELECT ON per_hour TO observatory_reader");
        await owner.query(
            "CALL refresh_continuous_aggregate($1::regclass, $2::timestamptz, date_trunc('hour', now()))",
            ["per_hour", null],
        );

        const connection = embeddedConnection(server, "observatory_reader");
        const { rows } = await withClient(connection, (reader) =>
            reader.query<{ readonly n: number }>("SELECT sum(n)::int AS n FROM per_hour"),
        );

        expect(rows[0]?.n).toBeGreaterThan(400);
    }, 30_000);
});

describe("a data folder, served twice", () => {
    let directory: string;
    let first: EmbeddedServer;

    beforeAll(async () => {
        directory = fresh("twice");
        first = await open(directory);
    }, 30_000);

    it("gives a fresh session when all earlier clients have gone", async () => {
        const earlier = await connect(first, "observatory_owner");
        await earlier.query("SET work_mem = '7MB'");
        await earlier.query("CREATE TEMPORARY TABLE left_over (a int)");
        await earlier.query({ name: "left_over", text: "SELECT 1" });
        await earlier.end();

        const later = await connect(first, "observatory_owner");
        const { rows } = await later.query(`
            SELECT current_setting('work_mem') AS work_mem, to_regclass('left_over') AS temporary,
                   (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
                   current_setting('search_path') AS path, current_user AS role`);

        expect(rows).toEqual([
            {
                work_mem: "4MB",
                temporary: null,
                prepared: 0,
                path: '"$user", public',
                role: "observatory_owner",
            },
        ]);
        await later.end();
    });

    it("is closed whole on SIGTERM", async () => {
        const client = await connect(first, "observatory_owner");
        await client.query("CREATE TABLE raw (ts timestamptz NOT NULL)");
        await client.query("SELECT create_hypertable('raw', 'ts')");
        process.kill(first.pid, "SIGTERM");
        await first.ended;

        expect(fs.existsSync(`${directory}.lock`)).toBe(false);
        expect(fs.existsSync(`${directory}.json`)).toBe(false);
    }, 30_000);

    it("can do all that TimescaleDB can when it is opened again", async () => {
        const second = await open(directory);
        const client = await connect(second, "observatory_owner");
        await client.query("INSERT INTO raw VALUES (now())");
        await client.query(`
            CREATE MATERIALIZED VIEW m WITH (timescaledb.continuous) AS
            SELECT time_bucket('1 day', ts) AS bucket, count(*) FROM raw GROUP BY 1 WITH NO DATA`);
        const { rows } = await client.query(
            "SELECT view_name FROM timescaledb_information.continuous_aggregates",
        );

        expect(rows).toEqual([{ view_name: "m" }]);
        process.kill(second.pid, "SIGINT");
        await second.ended;
        expect(fs.existsSync(`${directory}.lock`)).toBe(false);
    }, 30_000);
});

/** `openEmbedded` in a process of its own, printing the server as JSON. */
function startInProcess(directory: string): ChildProcess {
    const module = path.resolve(__dirname, "../../commands/embedded/server.ts");
    const program = `
        const { openEmbedded } = require(${JSON.stringify(module)});
        openEmbedded({ directory: ${JSON.stringify(directory)}, port: 0, report: () => {} })
            .then(({ port, pid, owned }) => console.log(JSON.stringify({ port, pid, owned })));`;
    return spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), "-e", program], {
        stdio: ["ignore", "pipe", "inherit"],
    });
}

function firstLine(
    child: ChildProcess,
): Promise<{ readonly pid: number; readonly owned: boolean }> {
    return new Promise((resolve) =>
        child.stdout?.once("data", (bytes: Buffer) => resolve(JSON.parse(String(bytes)) as never)),
    );
}

function isRunning(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch {
        return false;
    }
}

describe("one data folder", () => {
    it("has one owner among processes that start together", async () => {
        const directory = fresh("race");
        const children = Array.from({ length: 3 }, () => startInProcess(directory));

        const servers = await Promise.all(children.map(firstLine));

        expect(servers.filter(({ owned }) => owned)).toHaveLength(1);
        expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
        children.forEach((child) => child.kill("SIGKILL"));
        const pid = servers[0]?.pid ?? 0;
        await until(() => !isRunning(pid), "the server to end with its parent");
    }, 60_000);

    it("is not opened beside an owner that is stopped, however old its lock", async () => {
        const directory = fresh("stopped");
        const stopped = await open(directory);
        process.kill(stopped.pid, "SIGSTOP");
        try {
            const longAgo = new Date(Date.now() - 60_000);
            fs.utimesSync(`${directory}.lock`, longAgo, longAgo);
            await expect(open(directory)).rejects.toMatchObject({
                code: "data_folder_in_use",
                detail: expect.stringContaining("does not answer") as string,
            });
        } finally {
            process.kill(stopped.pid, "SIGCONT");
        }
    }, 60_000);

    it("keeps what was committed when its owner is killed, and nothing else", async () => {
        const directory = fresh("durable");
        const killed = await open(directory);
        const client = await connect(killed, "observatory_owner");
        await client.query("CREATE TABLE kept (ts timestamptz NOT NULL, a int)");
        await client.query("SELECT create_hypertable('kept', 'ts')");
        await client.query("INSERT INTO kept SELECT now(), g FROM generate_series(1, 1000) g");
        await client.query("BEGIN");
        await client.query("INSERT INTO kept VALUES (now(), -1)");
        process.kill(killed.pid, "SIGKILL");
        expect((await killed.ended)?.code).toBe("embedded_crashed");

        const next = await open(directory);

        const reader = await connect(next, "observatory_owner");
        const { rows } = await reader.query("SELECT count(*)::int AS n, min(a) AS least FROM kept");
        expect(rows).toEqual([{ n: 1000, least: 1 }]);
        await reader.end();
        await next.close();
    }, 60_000);
});

describe("refusals", () => {
    it("names a port that another program has", async () => {
        const blocker = net.createServer().listen(0, "127.0.0.1");
        await new Promise((resolve) => blocker.once("listening", resolve));
        const { port } = blocker.address() as net.AddressInfo;

        await expect(open(fresh("port"), { port })).rejects.toMatchObject({
            code: "port_unavailable",
            detail: `another program listens on 127.0.0.1:${port}`,
            hint: expect.stringContaining("choose another port") as string,
        });
        blocker.close();
    }, 30_000);

    it("does not touch a folder that holds something else", async () => {
        const directory = path.join(workspace, "something");
        fs.mkdirSync(directory);
        fs.writeFileSync(path.join(directory, "letter.txt"), "dear");

        await expect(open(directory)).rejects.toMatchObject({ code: "invalid_data_folder" });
        expect(fs.readdirSync(directory)).toEqual(["letter.txt"]);
    });

    it("does not open a folder for a database that it was not made for", async () => {
        const directory = fresh("database");

        await expect(
            openEmbedded({ directory, port: 0, report: silent, database: "other" }),
        ).rejects.toMatchObject({
            code: "invalid_data_folder",
            detail: 'the folder was made for the database "llm_observatory"',
        });
    });
});

describe("in memory", () => {
    it("serves the same database and leaves no file", async () => {
        const memory = await open(undefined);
        const client = await connect(memory, "observatory_owner");

        const { rows } = await client.query(
            "SELECT current_database() AS database, time_bucket('1 day', 'epoch'::date)::text AS day",
        );

        expect(rows).toEqual([{ database: "llm_observatory", day: "1970-01-01" }]);
        await client.end();
        await memory.close();
    }, 60_000);
});
