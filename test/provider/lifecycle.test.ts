/** The life of resources, in the real provider process and on real databases. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { providerText } from "../../components/timescale/resource";
import type { TestDatabase } from "../helpers/databases";
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine, withoutPlans } from "./fakeEngine";
import {
    InitFailed,
    type Properties,
    type ProviderProcess,
    startProvider,
} from "./providerProcess";
import { hourly, rawTable, resource, urnOf } from "./resources";

onEveryServer((target) => {
    let engine: FakeEngine;
    let provider: ProviderProcess;
    let connection: Connection;
    let aggregate: Properties;
    /** State of the aggregate, as the engine would keep it. */
    let outputs: Properties;
    const urn = urnOf("ContinuousAggregate", "hourly");
    const secrets: string[] = [];

    beforeAll(async () => {
        // The embedded server takes any password: one that would be noticed anywhere.
        const embedded = target.server.kind === "embedded";
        connection = {
            ...target.database.owner,
            ...(embedded && { password: `pass"w'ord-noticed` }),
        };
        secrets.push(connection.password);
        engine = await startFakeEngine();
        provider = await startProvider(engine.address);
        aggregate = resource("ContinuousAggregate", "hourly", { ...hourly, connection });
    }, 60_000);

    afterAll(async () => {
        await provider.stop();
        engine.kill();
    });

    const job = async (procedure: string): Promise<Properties> => {
        const [row] = await target.asAdmin(
            `SELECT id, scheduled, schedule_interval::text FROM _timescaledb_config.bgw_job
             WHERE proc_name = '${procedure}' AND id >= 1000`,
        );
        return row ?? {};
    };
    const refresh = "policy_refresh_continuous_aggregate";
    const catalog = async (): Promise<unknown> =>
        target.asAdmin(
            `SELECT a.*, (SELECT json_agg(j ORDER BY j.id) FROM _timescaledb_config.bgw_job j) AS jobs
             FROM _timescaledb_catalog.continuous_agg a`,
        );
    const uuid = async (): Promise<unknown> => {
        const [row] = await target.asAdmin(
            "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
        );
        return row?.["value"];
    };

    it("creates a hypertable", async () => {
        const table = resource("Hypertable", "raw", { ...rawTable, connection });
        expect(await provider.check(table)).toEqual({ inputs: table, failures: [] });

        const created = await provider.create(table);

        expect(created).toEqual({
            id: "public.requests",
            properties: {
                ...table,
                metDatabaseUuid: await uuid(),
                objectId: expect.any(Number) as number,
                columnNumbers: { ts: 1, model: 2, v: 3 },
            },
        });
        expect(await provider.diff(created.properties, table)).toEqual({
            changes: "none",
            replaces: [],
        });
        await target.byHand(
            `INSERT INTO requests SELECT t, 'a', 1
             FROM generate_series(now() - interval '5 days', now(), interval '1 hour') t`,
        );
    });

    it("reads of a hypertable what differs, and nothing else", async () => {
        const table = resource("Hypertable", "shown", {
            ...rawTable,
            name: "shown",
            indexes: [{ name: "kept", columns: ["v"] }, { columns: ["model", "ts DESC"] }],
            compressionPolicy: {
                compressAfter: "7 days",
                segmentBy: ["model"],
                orderBy: ["ts desc"],
            },
            retentionPolicy: { dropAfter: "12 weeks" },
            connection,
        });
        const { id, properties } = await provider.create(table);
        await target.byHand("DROP INDEX shown_model_ts_idx");
        await target.byHand("ALTER TABLE shown ALTER COLUMN model SET DEFAULT 'x'");
        await target.byHand(
            "ALTER TABLE shown SET (timescaledb.compress, timescaledb.compress_segmentby = '')",
        );
        await target.byHand("SELECT remove_retention_policy('shown')");
        engine.take();

        const read = await provider.read(id, properties);

        const { retentionPolicy: _, ...rest } = table;
        expect(read.inputs).toEqual({
            ...rest,
            columns: [
                { name: "ts", type: "timestamptz", nullable: false },
                { name: "model", type: "text", default: "'x'::text" },
                { name: "v", type: "int" },
            ],
            indexes: [{ name: "kept", columns: ["v"] }],
            compressionPolicy: { compressAfter: "7 days", segmentBy: [], orderBy: ["ts desc"] },
        });
        // A refresh says what it found; the inputs alone cannot tell of everything.
        expect(engine.take().map(({ message }) => message)).toEqual([
            [
                "~ columns.model.default: 'x'::text → none",
                "~ indexes.shown_model_ts_idx: none → btree (model, ts DESC)",
                '~ compression: segmentBy nothing orderBy "ts" DESC NULLS FIRST → segmentBy model orderBy "ts" DESC NULLS FIRST',
                "~ retentionPolicy: none → dropAfter 12 weeks, every 1 day",
            ].join("\n"),
        ]);
        const updated = await provider.update(properties, table);
        expect(await provider.diff(updated, table)).toMatchObject({ changes: "none" });
        await provider.delete(updated);
    });

    it("creates an aggregate, and shows on its row what it is doing", async () => {
        expect(await provider.check(aggregate)).toEqual({ inputs: aggregate, failures: [] });

        const created = await provider.create(aggregate);

        outputs = created.properties;
        expect(created.id).toBe("public.requests_hourly");
        expect(outputs).toEqual({
            ...aggregate,
            metDatabaseUuid: await uuid(),
            objectId: expect.any(Number) as number,
            fingerprint: {
                query: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
                definition: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
            },
        });
        expect(outputs["__provider"]).toBe(providerText);
        const [plan, ...more] = engine.take();
        expect(more).toEqual([]);
        expect(plan?.message).toMatch(
            /^plan:\n {2}in one transaction:\n {3}1\. create_continuous_aggregate {2}/,
        );
        const row = engine.said.filter((said) => said.urn === urn && said.ephemeral);
        expect(row.every(({ severity }) => severity === "info")).toBe(true);
        const texts = row.map(({ message }) => message);
        expect(texts[0]).toBe("creating the aggregate");
        expect(texts).toContainEqual(expect.stringMatching(/^filling: \S+ … \S+, 0 of [56] days$/));
        expect(texts.at(-1)).toMatch(/^filling: \S+ … \S+, ([56]) of \1 days, \d\.\d s a window$/);
    });

    it("sees no change, and says nothing", async () => {
        expect(await provider.diff(outputs, aggregate)).toEqual({ changes: "none", replaces: [] });
        expect(engine.take()).toEqual([]);
    });

    it("sees no change in another spelling", async () => {
        const news = {
            ...aggregate,
            query: `${hourly.query.toLowerCase().replace("'1 hour'", "'60 minutes'")} ; -- same`,
            refreshPolicy: {
                startOffset: "24 hours",
                endOffset: "60 min",
                scheduleInterval: "300 s",
            },
        };

        expect(await provider.check(news, aggregate)).toMatchObject({ failures: [] });
        expect(await provider.diff(outputs, news)).toEqual({ changes: "none", replaces: [] });
        expect(engine.take()).toEqual([]);
    });

    it("reads what is there", async () => {
        expect(await provider.read("public.requests_hourly", outputs)).toEqual({
            id: "public.requests_hourly",
            properties: outputs,
            inputs: aggregate,
        });
    });

    it("shows a policy changed by hand once, reads it, and puts it back with its job", async () => {
        const { id } = await job(refresh);
        await target.byHand(
            `SELECT alter_job(${String(id)}, scheduled => false, schedule_interval => interval '2 hours')`,
        );

        for (let i = 0; i < 2; i++) {
            expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "some" });
        }
        expect(withoutPlans(engine.take())).toEqual([
            {
                urn,
                severity: "info",
                ephemeral: false,
                message:
                    "~ refreshPolicy.scheduleInterval: 02:00:00 → 5 minutes\n~ refreshPolicy.paused: true → false",
            },
        ]);
        const read = await provider.read("public.requests_hourly", outputs);
        expect(read.id).toBe("public.requests_hourly");
        const refreshPolicy = {
            ...hourly.refreshPolicy,
            scheduleInterval: "02:00:00",
            paused: true,
        };
        expect(read.inputs).toEqual({ ...aggregate, refreshPolicy });
        expect(read.properties).toEqual({ ...outputs, refreshPolicy });

        outputs = await provider.update(outputs, aggregate);

        expect(await job(refresh)).toEqual({ id, scheduled: true, schedule_interval: "00:05:00" });
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
    });

    it("shows what up will refuse, and then refuses it and changes nothing", async () => {
        const news = {
            ...aggregate,
            query: hourly.query.replace("sum(v)", "max(v)"),
            comment: "x",
        };
        const before = await catalog();
        expect(await provider.check(news, aggregate)).toMatchObject({ failures: [] });

        expect(await provider.diff(outputs, news)).toMatchObject({ changes: "some", replaces: [] });

        const [plan, refusal, ...more] = engine.take();
        expect(more).toEqual([]);
        expect(plan).toMatchObject({
            severity: "info",
            message: '~ query: changed\n~ comment: "hourly" → "x"',
        });
        expect(refusal).toMatchObject({ urn, severity: "warning" });
        expect(refusal?.message).toMatch(
            /^up will refuse this: the query of continuous aggregate public\.requests_hourly has changed/,
        );
        expect(refusal?.message).toMatch(/\n-.*sum\(.*\n\+.*max\(/);
        const error = await failure(provider.update(outputs, news));
        expect(error).not.toBeInstanceOf(InitFailed);
        expect(error.message).toContain("has changed (query_changed)");
        expect(error.message).toContain("hint:");
        expect(await catalog()).toEqual(before);
    });

    it("renames in place", async () => {
        const news = { ...aggregate, name: "renamed" };
        const { id } = await job(refresh);

        expect(await provider.diff(outputs, news)).toEqual({ changes: "some", replaces: [] });
        const renamed = await provider.update(outputs, news);
        expect(await provider.diff(renamed, news)).toMatchObject({ changes: "none" });
        outputs = await provider.update(renamed, aggregate);

        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
        expect(await job(refresh)).toMatchObject({ id });
        engine.take();
    });

    it("sees an aggregate dropped by hand as gone, and makes it again", async () => {
        await target.byHand("DROP MATERIALIZED VIEW requests_hourly");

        expect(await provider.read("public.requests_hourly", outputs)).toMatchObject({ id: "" });
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "some" });
        expect(engine.take()[0]?.message).toMatch(/^~ create the continuous aggregate\n/);
        outputs = await provider.update(outputs, aggregate);

        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
        expect(await target.byHand("SELECT count(*) > 100 AS filled FROM requests_hourly")).toEqual(
            [{ filled: true }],
        );
    });

    it("compares the inputs alone when the server cannot be reached, and says why", async () => {
        const elsewhere = { ...connection, port: 1 };
        const news = { ...aggregate, connection: elsewhere };
        const olds = { ...outputs, connection: elsewhere };

        expect(await provider.diff(olds, news)).toMatchObject({ changes: "none" });
        const [warning, ...more] = engine.take();
        expect(more).toEqual([]);
        expect(warning).toMatchObject({ urn, severity: "warning", ephemeral: false });
        expect(warning?.message).toMatch(/^not compared with the live database: /);
        expect(warning?.message).toContain("connection_refused");
        expect(await provider.diff(olds, { ...news, comment: "x" })).toMatchObject({
            changes: "some",
        });
        expect(await provider.check(news, {})).toMatchObject({ failures: [] });
        expect(await provider.read("the id", olds)).toEqual({
            id: "the id",
            properties: olds,
            inputs: news,
        });
        expect(engine.take().map(({ message }) => message)).toEqual([
            expect.stringMatching(/^not read from the live database: /),
        ]);
        expect((await failure(provider.delete(olds))).message).toContain("connection_refused");
    });

    it("takes nothing for gone because a privilege is missing, and says which", async () => {
        const catalogs = "ALL TABLES IN SCHEMA _timescaledb_catalog";
        await target.asAdmin(`REVOKE SELECT ON ${catalogs} FROM PUBLIC`);
        try {
            expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
            expect(await provider.read("public.requests_hourly", outputs)).toMatchObject({
                id: "public.requests_hourly",
                properties: outputs,
            });
            const said = engine.take();
            expect(said.map(({ severity }) => severity)).toEqual(["warning", "warning"]);
            for (const { message } of said) {
                expect(message).toMatch(/^not (?:compared with|read from) the live database: /);
                expect(message).toContain("permission denied");
                expect(message).toContain("42501");
            }
        } finally {
            await target.asAdmin(`GRANT SELECT ON ${catalogs} TO PUBLIC`);
        }
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
        expect(engine.take()).toEqual([]);
    });

    it("compares the inputs alone while the connection is not known", async () => {
        const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
        for (const unknownConnection of [unknown, { ...connection, password: unknown }]) {
            expect(
                await provider.diff(outputs, { ...aggregate, connection: unknownConnection }),
            ).toMatchObject({ changes: "some" });
        }
        expect(engine.take().map(({ message }) => message)).toEqual([
            "not compared with the live database: its connection is not known before the update",
        ]);
    });

    it("takes a changed password as a change that only rewrites the outputs", async () => {
        // A login of its own: the others' passwords belong to other tests as well.
        const user = `rotating_${process.pid}_${target.server.kind}`;
        const passwords = ["before-and-noticed", "after-and-noticed"] as const;
        secrets.push(...passwords);
        const login = (password: string): Connection => ({ ...connection, user, password });
        const declared = (password: string): Properties =>
            resource("ContinuousAggregate", "rotating", {
                ...hourly,
                name: "rotating",
                connection: login(password),
            });
        await target.asAdmin(`CREATE ROLE ${user} LOGIN PASSWORD '${passwords[0]}'`);
        await target.asAdmin(`GRANT ALL ON SCHEMA public TO ${user}`);
        await target.asAdmin(`GRANT observatory_owner TO ${user}`);
        const { properties } = await provider.create(declared(passwords[0]));
        await target.asAdmin(`ALTER ROLE ${user} PASSWORD '${passwords[1]}'`);
        const before = await catalog();

        const news = declared(passwords[1]);
        expect(await provider.diff(properties, news)).toEqual({ changes: "some", replaces: [] });
        expect(engine.take()).toEqual([]);
        const rewritten = await provider.update(properties, news);

        expect(rewritten).toEqual({ ...properties, connection: login(passwords[1]) });
        expect(await catalog()).toEqual(before);
        expect(await provider.diff(rewritten, news)).toMatchObject({ changes: "none" });
        await provider.delete(rewritten);
        await target.asAdmin(`REVOKE ALL ON SCHEMA public FROM ${user}`);
        await target.asAdmin(`DROP ROLE ${user}`);
        engine.take();
    });

    it("takes a server that moved as a change that only rewrites the outputs", async () => {
        const before = await catalog();
        const news = { ...aggregate, connection: { ...connection, host: "localhost" } };

        expect(await provider.diff(outputs, news)).toEqual({ changes: "some", replaces: [] });
        expect(engine.take()).toEqual([]);
        const rewritten = await provider.update(outputs, news);

        expect(rewritten).toEqual({ ...outputs, connection: news.connection });
        expect(await catalog()).toEqual(before);
        expect(await provider.diff(rewritten, news)).toMatchObject({ changes: "none" });
    });

    describe("when another database answers", () => {
        let other: TestDatabase;
        let there: Connection;

        beforeAll(async () => {
            other = await target.server.createDatabase();
            there = { ...other.owner, password: connection.password };
        }, 60_000);

        afterAll(async () => {
            await other.drop();
        });

        it("refuses to work on it, and leaves it as it is", async () => {
            const news = { ...aggregate, connection: there };

            expect(await provider.diff(outputs, news)).toMatchObject({ changes: "some" });
            const warnings = engine.take().filter(({ severity }) => severity === "warning");
            expect(warnings.map(({ message }) => message)).toEqual([
                expect.stringMatching(/^up will refuse this: another database answers at /),
            ]);
            const error = await failure(provider.update(outputs, news));
            expect(error.message).toContain("(another_database)");
            expect(error.message).toContain(String(outputs["metDatabaseUuid"]));

            const moved = { ...outputs, connection: there };
            expect(await provider.read("public.requests_hourly", moved)).toEqual({
                id: "public.requests_hourly",
                properties: moved,
                inputs: news,
            });
            await provider.delete(moved);
            expect(engine.take().map(({ message }) => message)).toEqual([
                "another database answers: the state is left as it is",
                expect.stringMatching(/^another database answers, and nothing is deleted in it: /),
            ]);
        });

        it("works on it when databaseUuid allows it", async () => {
            const table = resource("Hypertable", "raw", { ...rawTable, connection: there });
            await provider.create(table);
            const news = { ...aggregate, connection: there, databaseUuid: "any" };

            const moved = await provider.update(outputs, news);

            expect(moved["metDatabaseUuid"]).not.toBe(outputs["metDatabaseUuid"]);
            expect(await provider.diff(moved, news)).toMatchObject({ changes: "none" });
            await provider.delete(moved);
        });
    });

    it("keeps a resource whose fill failed, and finishes it with the next update", async () => {
        await target.byHand("INSERT INTO requests VALUES (now() - interval '2 days', 'a', 50000)");
        const squares = resource("ContinuousAggregate", "squares", {
            ...hourly,
            name: "squares",
            query: hourly.query.replace("sum(v)", "sum(v * v)"),
            waive: [{ rule: "integer_product", reason: "the failure is what is tested" }],
            connection,
        });

        const error = await failure(provider.create(squares));

        if (!(error instanceof InitFailed)) throw error;
        const failed = error;
        expect(failed.id).toBe("public.squares");
        expect(failed.reasons).toHaveLength(1);
        expect(failed.reasons[0]).toMatch(
            /^integer out of range \(in refresh_continuous_aggregate, 22003\)\n.*hint: .*cast to a wider one/s,
        );
        expect(failed.properties).toMatchObject({
            ...squares,
            metDatabaseUuid: await uuid(),
            __provider: providerText,
        });

        await target.byHand("DELETE FROM requests WHERE v = 50000");
        expect(await provider.diff(failed.properties, squares)).toMatchObject({ changes: "some" });
        expect(withoutPlans(engine.take())).toMatchObject([
            { message: "~ fill it, oldest buckets first" },
            { message: expect.stringContaining("rule integer_product waived: the failure") },
        ]);
        const finished = await provider.update(failed.properties, squares);

        expect(await provider.diff(finished, squares)).toMatchObject({ changes: "none" });
        await provider.delete(finished);
    });

    it("leaves nothing behind when it cannot be created", async () => {
        const broken = resource("ContinuousAggregate", "broken", {
            ...hourly,
            name: "broken",
            grants: [{ role: "no such role", privileges: ["SELECT"] }],
            connection,
        });

        const error = await failure(provider.create(broken));

        expect(error).not.toBeInstanceOf(InitFailed);
        expect(error.message).toContain('role "no such role" does not exist (in grant, 42704)');
        expect(await target.byHand("SELECT to_regclass('broken') AS there")).toEqual([
            { there: null },
        ]);
    });

    it("says what is wrong with the login or the database", async () => {
        const nowhere = { ...connection, database: "no_such_database" };

        const error = await failure(
            provider.create({ ...aggregate, name: "nowhere", connection: nowhere }),
        );

        expect(error.message).toContain('database "no_such_database" does not exist');
        expect(error.message).toContain("(3D000)");
    });

    it("deletes, again, and where the database is gone", async () => {
        await provider.delete(outputs);
        expect(await target.byHand("SELECT to_regclass('requests_hourly') AS there")).toEqual([
            { there: null },
        ]);
        await provider.delete(outputs);
        await provider.delete({
            ...outputs,
            connection: { ...connection, database: "no_such_database" },
        });
        const table = { ...resource("Hypertable", "raw", { ...rawTable, connection }) };
        await provider.delete({ ...table, metDatabaseUuid: outputs["metDatabaseUuid"] });
        expect(await target.byHand("SELECT to_regclass('requests') AS there")).toEqual([
            { there: null },
        ]);
    });

    it("has told nobody a password", () => {
        const everything = [...provider.uttered, ...engine.said.map(({ message }) => message)];
        expect(everything.length).toBeGreaterThan(50);

        for (const secret of secrets) {
            const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
            expect(everything.filter((text) => forms.some((form) => text.includes(form)))).toEqual(
                [],
            );
        }
    });
});

async function failure(work: Promise<unknown>): Promise<Error> {
    return work.then(
        () => {
            throw new Error("nothing failed");
        },
        (error: unknown) => error as Error,
    );
}
