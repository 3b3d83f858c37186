import { withClient } from "../helpers/clients";
import { type TestDatabase, testServers } from "../helpers/databases";

describe.each(testServers().map((server) => [server.name, server] as const))("%s", (_, server) => {
    const databases: TestDatabase[] = [];

    beforeAll(async () => {
        for (let i = 0; i < 2; i++) databases.push(await server.createDatabase());
    }, 60_000);

    afterAll(async () => {
        await Promise.all(databases.map((database) => database.drop()));
    }, 60_000);

    it("gives every database TimescaleDB and an identity of its own", async () => {
        const identities = await Promise.all(
            databases.map(({ owner }) =>
                withClient(owner, async (client) => {
                    const { rows } = await client.query<{ readonly value: string }>(
                        "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
                    );
                    return rows[0]?.value;
                }),
            ),
        );

        expect(new Set(identities).size).toBe(2);
        expect(identities).not.toContain(undefined);
    });

    it("lets the owner build and the others do only what they are granted", async () => {
        const { owner, writer, reader } = databases[0] as TestDatabase;
        await withClient(owner, async (client) => {
            await client.query("CREATE TABLE raw (ts timestamptz NOT NULL, v int)");
            await client.query("SELECT create_hypertable('raw', 'ts')");
            await client.query(`
                CREATE MATERIALIZED VIEW m WITH (timescaledb.continuous) AS
                SELECT time_bucket('1 hour', ts) AS bucket, sum(v) FROM raw GROUP BY 1 WITH NO DATA`);
            await client.query("GRANT INSERT ON raw TO observatory_writer");
            await client.query("GRANT SELECT ON m TO observatory_reader");
        });

        await withClient(writer, (client) => client.query("INSERT INTO raw VALUES (now(), 1)"));
        await withClient(reader, async (client) => {
            await client.query("SELECT * FROM m");
            await expect(client.query("SELECT * FROM raw")).rejects.toMatchObject({
                code: "42501",
            });
            await expect(client.query("CREATE TABLE mine (a int)")).rejects.toMatchObject({
                code: "42501",
            });
        });
    });

    it("keeps the databases apart", async () => {
        const { owner } = databases[1] as TestDatabase;
        const found = await withClient(owner, async (client) => {
            const { rows } = await client.query<{ readonly raw: string | null }>(
                "SELECT to_regclass('raw') AS raw",
            );
            return rows[0]?.raw;
        });

        expect(found).toBeNull();
    });

    it("gives a superuser in each database", async () => {
        const { admin } = databases[0] as TestDatabase;

        const { rows } = await withClient(admin, (client) =>
            client.query("SELECT current_setting('is_superuser') AS superuser"),
        );

        expect(rows).toEqual([{ superuser: "on" }]);
    });

    if (server.backgroundWorkers) {
        it("runs the jobs of policies", async () => {
            const { owner } = databases[0] as TestDatabase;
            const runs = await withClient(owner, async (client) => {
                const { rows } = await client.query<{ readonly id: number }>(
                    "SELECT add_retention_policy('raw', interval '1 day') AS id",
                );
                for (let i = 0; i < 100; i++) {
                    const stats = await client.query<{ readonly status: string }>(
                        `SELECT last_run_status AS status FROM timescaledb_information.job_stats
                         WHERE job_id = $1 AND total_runs > 0 AND last_run_status IS NOT NULL`,
                        [rows[0]?.id],
                    );
                    if (stats.rows.length > 0) return stats.rows;
                    await new Promise((resolve) => setTimeout(resolve, 100));
                }
                return [];
            });

            expect(runs).toEqual([{ status: "Success" }]);
        }, 30_000);
    }
});
