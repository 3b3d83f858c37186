/** What is read of a database's health: by its owner, and by logins with fewer rights. */
import { withSession } from "../../components/timescale/core/connection/session";
import type { Health } from "../../components/timescale/core/health/health";
import { inspectHealth } from "../../components/timescale/core/health/inspect";
import { aggregate, hypertable } from "./declared";
import { hourly, plainNames, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

const at = (date: string): string => `${date}.000000Z`;

onEveryServer((target) => {
    beforeAll(async () => {
        await hypertable(target, {
            ...rawTable(plainNames),
            retentionPolicy: { dropAfter: "36500 days" },
            compressionPolicy: { compressAfter: "36500 days" },
        }).up();
        await target.byHand(
            `INSERT INTO requests (ts, id, ms) SELECT t, 'a', 1
             FROM generate_series('2026-01-05 00:00Z', '2026-01-12 05:59Z'::timestamptz, interval '10 minutes') t`,
        );
        await aggregate(target, {
            ...hourly(plainNames),
            refreshPolicy: {
                ...{ startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
                paused: true,
            },
            retentionPolicy: { dropAfter: "36500 days" },
            compressionPolicy: { compressAfter: "7 days", paused: true },
        }).up();
        // Late by days, twice in one bucket.
        await target.byHand(
            "INSERT INTO requests (ts, id) VALUES ('2026-01-07 04:10Z', 'b'), ('2026-01-07 04:20Z', 'c')",
        );
    }, 60_000);

    const healthAs = (user: "owner" | "reader" | "admin" | "nothing"): Promise<Health> =>
        withSession(
            user === "nothing"
                ? { ...target.database.admin, user: "nothing", password: "nothing" }
                : target.database[user],
            inspectHealth,
        );

    it("is everything that the catalog knows, for the owner", async () => {
        const health = await healthAs("owner");

        expect(health.server).toMatchObject({
            timescaleVersion: target.server.version,
            license: "timescale",
            login: "observatory_owner",
            superuser: false,
            embedded: target.server.kind === "embedded",
            dataDirectory: null,
        });
        expect(Math.abs(health.server.clockAhead)).toBeLessThan(1);
        expect(health.server.databaseBytes).toBeGreaterThan(1_000_000);
        const [found] = health.aggregates;
        expect(found).toMatchObject({
            ...{ schema: "public", name: "requests_hourly", view: "intact" },
            source: { schema: "public", name: "requests", aggregate: false },
            ...{ bucketWidth: "01:00:00", materializedOnly: true, readable: true },
            oldestBucket: at("2026-01-05T00:00:00"),
            newestBucket: at("2026-01-12T05:00:00"),
            floor: at("2026-01-05T00:00:00"),
            cut: null,
            rows: { rows: 174, exact: true },
            windows: [{ scheduled: false }],
            marker: { filling: false },
        });
        const late = found?.pending.filter(({ begins }) => begins > at("2026-01-05T00:00:00"));
        expect(late).toEqual([
            { begins: at("2026-01-07T04:10:00"), ends: "2026-01-07T04:20:00.000001Z" },
        ]);
        // Up to now, whatever there is of rows.
        expect((found?.refreshedTo ?? "") > at("2026-01-12T06:00:00")).toBe(true);
        expect(found?.storage.bytes).toBeGreaterThan(found?.storage.indexBytes ?? Infinity);
        expect(found?.jobs.map(({ procedure, scheduled }) => [procedure, scheduled])).toEqual(
            expect.arrayContaining([
                ["policy_refresh_continuous_aggregate", false],
                ["policy_compression", false],
                ["policy_retention", true],
            ]),
        );
        expect(health.hypertables).toMatchObject([
            {
                ...{ schema: "public", name: "requests", readable: true },
                rows: { rows: 1046, exact: true },
                newestRow: at("2026-01-12T05:50:00"),
                storage: {
                    ...{ chunks: 8, compressedChunks: 0, chunksToDrop: 0, compression: true },
                    ...{ dropAfter: "36500 days", chunkTimeInterval: "24:00:00" },
                    oldestChunk: at("2026-01-05T00:00:00"),
                    newestChunkEnd: at("2026-01-13T00:00:00"),
                },
            },
        ]);
        expect(health).toMatchObject({ versions: [], orphans: [] });
    });

    it.each(["reader", "nothing"] as const)("is told to %s but for contents", async (user) => {
        const all = await healthAs("owner");
        if (user === "nothing")
            await target.asAdmin("CREATE ROLE nothing LOGIN PASSWORD 'nothing'");
        const health = await healthAs(user).finally(() =>
            target.asAdmin("DROP ROLE IF EXISTS nothing"),
        );
        const [known, found] = [all.aggregates[0], health.aggregates[0]];

        expect(found).toMatchObject({
            pending: known?.pending,
            newestBucket: known?.newestBucket,
            refreshedTo: known?.refreshedTo,
            storage: known?.storage,
            readable: user === "reader",
            oldestBucket: user === "reader" ? known?.oldestBucket : null,
        });
        expect(health.hypertables[0]).toMatchObject({ readable: false, newestRow: null });
        expect(health.jobs.map(({ id, ownedByMember }) => [id, ownedByMember])).toEqual(
            all.jobs.map(({ id }) => [id, false]),
        );
    });

    it("begins for an aggregate over another with the other's first bucket, not with its chunk", async () => {
        await target.byHand(
            "CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', bucket) AS day, count(*) AS hours FROM requests_hourly GROUP BY 1 WITH NO DATA",
        );
        const { aggregates } = await healthAs("owner").finally(() =>
            target.byHand("DROP MATERIALIZED VIEW daily"),
        );

        const [parent, child] = ["requests_hourly", "daily"].map((name) =>
            aggregates.find((one) => one.name === name),
        );
        expect((parent?.storage.oldestChunk ?? "") < at("2026-01-05T00:00:00")).toBe(true);
        expect(child?.floor).toBe(at("2026-01-05T00:00:00"));
    });
});
