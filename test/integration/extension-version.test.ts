/** TimescaleDB's objects brought to the version of the server's library. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withSession } from "../../components/timescale/core/connection/session";
import { describePlan } from "../../components/timescale/core/plan/plan";
import { extensionVersionKind as kind } from "../../components/timescale/provider/extensionVersionKind";
import type { Properties } from "../../components/timescale/provider/resourceKind";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { onEveryServer, type Target } from "./onEveryServer";

const plan = async (inputs: Properties) => {
    const { connection } = inputs as { readonly connection: Connection };
    return withSession(connection, (session) => kind.plan(session, inputs, inputs));
};

const up = async (inputs: Properties, statuses: string[]): Promise<Properties> => {
    const { connection } = inputs as { readonly connection: Connection };
    return withSession(connection, (session) =>
        kind.converge(session, inputs, undefined, {
            onStatus: (text) => statuses.push(text),
            onApplied: () => undefined,
            checkDatabase: () => undefined,
        }),
    );
};

onEveryServer((target) => {
    it("is no change where it is that of the server", async () => {
        const { plan: found } = await plan({ connection: target.database.owner });

        expect(found.lines).toEqual([]);
        expect(found.refusals).toEqual([]);
    });

    it("is not taken back to an older one", async () => {
        const { plan: found } = await plan({
            connection: target.database.owner,
            version: "2.0.1",
        });

        expect(found.refusals).toMatchObject([
            { code: "extension_not_offered", message: "the server has no TimescaleDB 2.0.1" },
        ]);
        await expect(
            up({ connection: target.database.owner, version: "2.0.1" }, []),
        ).rejects.toMatchObject({ code: "extension_not_offered" });
    });

    it("is updated below aggregates and their jobs, which go on", async () => {
        const old = await olderVersion(target);
        if (old === undefined) {
            recordEnvironment(
                `not run on ${target.server.name}: updating the extension: it has no library of an older version beside its own`,
            );
            return;
        }
        const { admin } = target.database;
        const database = `${target.database.owner.database}_old`;
        await target.asAdmin(`CREATE DATABASE ${database} TEMPLATE template0`);
        const connection = { ...admin, database };
        try {
            await withClient(connection, async (client) => {
                await client.query(`CREATE EXTENSION timescaledb VERSION '${old}'`);
            });
            await withClient(connection, async (client) => {
                await client.query("CREATE TABLE raw (ts timestamptz NOT NULL, v int)");
                await client.query("SELECT create_hypertable('raw', 'ts')");
                await client.query(
                    "INSERT INTO raw SELECT now() - n * interval '1 minute', n FROM generate_series(1, 500) n",
                );
                await client.query(
                    "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM raw GROUP BY 1 WITH NO DATA",
                );
                await client.query(
                    "SELECT add_continuous_aggregate_policy('hourly', '2 days', '1 hour', '1 second')",
                );
            });
            const inputs = { connection };

            const { plan: found } = await plan(inputs);
            const statuses: string[] = [];
            await up(inputs, statuses);

            expect(describePlan(found)).toEqual([
                `extension timescaledb in database ${database}: ${old} → ${target.server.version}, by ALTER EXTENSION UPDATE with jobs stopped`,
            ]);
            expect(statuses[0]).toBe(
                `updating TimescaleDB in database ${database}: ${old} → ${target.server.version}`,
            );
            expect((await plan(inputs)).plan.lines).toEqual([]);
            await withClient(connection, async (client) => {
                const runs = async (): Promise<number> => {
                    const { rows } = await client.query<{ runs: string }>(
                        "SELECT coalesce(sum(total_successes), 0) AS runs FROM timescaledb_information.job_stats WHERE hypertable_name IS NOT NULL",
                    );
                    return Number(rows[0]?.runs);
                };
                const before = await runs();
                const deadline = Date.now() + 60_000;
                while ((await runs()) === before && Date.now() < deadline) {
                    await new Promise((resolve) => setTimeout(resolve, 500));
                }
                expect(await runs()).toBeGreaterThan(before);
                const { rows } = await client.query("SELECT count(*)::int AS n FROM hourly");
                expect((rows[0] as { n: number }).n).toBeGreaterThan(5);
            });
        } finally {
            await target.asAdmin(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        }
    });
});

/** One that can be created here and updated to the server's own. */
async function olderVersion(target: Target): Promise<string | undefined> {
    if (target.server.kind === "embedded") return undefined;
    const [row] = await target.asAdmin(
        `SELECT v.version FROM pg_available_extension_versions v
         JOIN pg_available_extensions a ON a.name = v.name AND a.default_version <> v.version
         JOIN pg_extension_update_paths('timescaledb') p ON p.source = v.version AND p.target = a.default_version AND p.path IS NOT NULL
         WHERE v.name = 'timescaledb' ORDER BY 1 DESC LIMIT 1`,
    );
    return row?.["version"] as string | undefined;
}
