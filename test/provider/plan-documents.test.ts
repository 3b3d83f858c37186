/** Plans as JSON, one a resource: what a program reads from the diagnostics of `pulumi preview --json`. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { hourly, rawTable, resource, urnOf } from "./resources";

onEveryServer((target) => {
    let engine: FakeEngine;
    let provider: ProviderProcess;
    let connection: Connection;
    let table: Properties;
    let aggregate: Properties;
    let outputs: Properties;
    const urn = urnOf("ContinuousAggregate", "hourly");
    const subject = { timescalePlan: 1, urn, kind: "ContinuousAggregate", object: "public.requests_hourly" }; // prettier-ignore
    const nothing = {
        changes: [],
        statements: [],
        fill: false,
        hazards: [],
        refusals: [],
        notes: [],
    };

    beforeAll(async () => {
        connection = target.database.owner;
        engine = await startFakeEngine();
        provider = await startProvider(engine.address, undefined, {
            PULUMI_TIMESCALE_PLANS: "json",
        });
        table = resource("Hypertable", "raw", { ...rawTable, connection });
        aggregate = resource("ContinuousAggregate", "hourly", { ...hourly, connection });
        await provider.create(table);
    }, 60_000);

    afterAll(async () => {
        await provider.stop();
        engine.kill();
    });

    /** What was said since the last time, which has to be one document a message. */
    function documents(): PlanDocument[] {
        return engine.take().map(({ message, severity }) => {
            expect(severity).toBe("info");
            expect(message).not.toContain("\n");
            return JSON.parse(message) as PlanDocument;
        });
    }

    it("says that nothing stands in a database that the update makes", async () => {
        const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
        const toCome = { ...aggregate, connection: unknown };

        const { inputs } = await provider.check({ ...toCome, __newDatabase: true });
        await provider.check(toCome);

        expect(inputs).not.toHaveProperty("__newDatabase");
        expect(documents()).toEqual([
            {
                ...{ ...subject, ...nothing, result: "notCompared", exists: false },
                reason: { code: "new_database", message: "its database does not exist yet" },
            },
            {
                ...{ ...subject, ...nothing, result: "notCompared" },
                reason: {
                    code: "unknown_connection",
                    message: "its connection is not known before the update",
                },
            },
        ]);
    });

    it("says so of a connection that is known, and not of what the server has beside it", async () => {
        const reasons = async (news: Properties): Promise<unknown[]> => {
            await provider.check({ ...news, __newDatabase: true });
            return documents().map(({ reason }) => reason?.code);
        };
        const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

        expect(await reasons(resource("LoginPassword", "login", { connection: unknown }))).toEqual([
            "unknown_connection",
        ]);
        // The embedded server has one database, whatever it is called.
        if (target.server.kind === "embedded") return;
        // What was said of a resource once is not said again, so each is another one.
        const at = (name: string, place: Partial<Connection>): Properties => {
            const there = { ...connection, database: name, ...place };
            return resource("ContinuousAggregate", name, { ...hourly, connection: there });
        };
        expect(await reasons(at("no-database", {}))).toEqual(["new_database"]);
        expect(await reasons(at("no-owner", { user: "nobody" }))).toEqual(["new_database"]);
        expect(await reasons(at("no-server", { port: 1 }))).toEqual(["connection_refused"]);
    });

    it("has all that a new aggregate needs, in order", async () => {
        expect(await provider.check(aggregate)).toMatchObject({ failures: [] });

        const [document, ...more] = documents();
        expect(more).toEqual([]);
        expect(document).toMatchObject({
            ...subject,
            result: "differs",
            exists: false,
            fill: true,
            refusals: [],
            notes: [],
        });
        expect(document?.changes.map(({ code, property }) => [code, property])).toEqual([
            ["create", "create the continuous aggregate"],
            ["policy_missing", "refreshPolicy"],
            ["policy_missing", "retentionPolicy"],
            ["comment", "comment"],
            ["grant_missing", "grants.observatory_reader"],
            ["fill", "fill it, oldest buckets first"],
        ]);
        const [first, ...others] = document?.statements ?? [];
        expect(first).toEqual({
            name: "create_continuous_aggregate",
            sql: expect.stringContaining(hourly.query.trim()) as string,
            transaction: "shared",
            lock: {
                mode: "ShareRowExclusiveLock",
                on: ["public.requests"],
                chunks: true,
                blocks: ["writes"],
            },
        });
        expect(
            others.map(({ name, transaction, lock }) => [name, transaction, lock?.mode]),
        ).toEqual([
            ["mark_first_fill", "shared", undefined],
            ["add_refresh_policy", "shared", undefined],
            ["add_retention_policy", "shared", undefined],
            ["comment", "shared", undefined],
            ["grant", "shared", undefined],
            ["refresh_continuous_aggregate", "own", "ExclusiveLock"],
            ["mark_first_fill", "shared", "ShareUpdateExclusiveLock"],
            ["alter_refresh_policy", "shared", undefined],
        ]);
        expect(others[5]).toMatchObject({
            sql: `CALL refresh_continuous_aggregate('"public"."requests_hourly"'::regclass, …, …)`,
            repeats: expect.stringMatching(
                /^window of buckets, oldest first; public\.requests (?:begins \d{4}-|holds nothing yet)/,
            ) as string,
        });
        expect(document?.hazards).toEqual([]);
        outputs = (await provider.create(aggregate)).properties;
    });

    it("says of what is the same that it is", async () => {
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });

        expect(documents()).toEqual([{ ...subject, result: "same", exists: true, ...nothing }]);
    });

    it("has what was, what will be, and the statement in between", async () => {
        await target.byHand("COMMENT ON VIEW requests_hourly IS 'mine'");

        await provider.diff(outputs, aggregate);

        expect(documents()).toEqual([
            {
                ...subject,
                ...nothing,
                result: "differs",
                exists: true,
                changes: [
                    {
                        ...{
                            code: "comment",
                            property: "comment",
                            was: '"mine"',
                            will: '"hourly"',
                        },
                        origin: "database",
                    },
                ],
                statements: [
                    {
                        name: "comment",
                        sql: `COMMENT ON VIEW "public"."requests_hourly" IS 'hourly'`,
                        transaction: "shared",
                        lock: {
                            mode: "ShareUpdateExclusiveLock",
                            on: ["public.requests_hourly"],
                            chunks: false,
                            blocks: [],
                        },
                    },
                ],
            },
        ]);
        outputs = await provider.update(outputs, aggregate);
    });

    it("has both definitions, their difference and the columns of a changed query, and why up refuses it", async () => {
        const query = hourly.query.replace("sum(v)", "avg(v)");

        await provider.diff(outputs, { ...aggregate, query });

        const [document] = documents();
        expect(document).toMatchObject({
            result: "differs",
            changes: [
                {
                    code: "query",
                    property: "query",
                    origin: "program",
                    was: expect.stringContaining("sum(") as string,
                    will: expect.stringContaining("avg(") as string,
                    columns: [{ name: "total", was: "bigint", will: "numeric" }],
                    diff: expect.stringMatching(/^-.*sum\([^]*^\+.*avg\(/m) as string,
                },
            ],
            statements: [],
            refusals: [
                {
                    code: "query_changed",
                    message: "the query of continuous aggregate public.requests_hourly has changed",
                    hint: expect.stringContaining("put the query back") as string,
                },
            ],
        });
    });

    it("says of what cannot be compared that it was not, and why", async () => {
        const elsewhere = { ...connection, port: 1 };
        const unreachable = { ...aggregate, connection: elsewhere };

        await provider.diff({ ...outputs, connection: elsewhere }, unreachable);
        await provider.diff(outputs, { ...aggregate, databaseUuid: "another" });

        expect(documents()).toEqual([
            {
                ...subject,
                ...nothing,
                result: "notCompared",
                reason: {
                    code: "connection_refused",
                    message: expect.stringContaining("hint:") as string,
                },
            },
            expect.objectContaining({
                result: "differs",
                refusals: [expect.objectContaining({ code: "another_database" }) as object],
            }),
        ]);
    });

    it("never holds the password", () => {
        for (const text of [...engine.said.map(({ message }) => message), ...provider.uttered]) {
            expect(text).not.toContain(connection.password || "no password");
        }
    });
});
