/** What ALTER DEFAULT PRIVILEGES gives to every new table is no grant that a program declares. */
import { aggregate, expectNoChange, hypertable } from "./declared";
import { onEveryServer } from "./onEveryServer";

onEveryServer((target) => {
    it("is revoked from a new hypertable and a new aggregate by the up that makes them", async () => {
        await target.byHand(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO observatory_writer",
        );
        const table = hypertable(target, {
            name: "private_rows",
            columns: [{ name: "ts", type: "timestamptz", nullable: false }],
            timeColumn: "ts",
        });
        await table.up();
        await expectNoChange(table);
        await target.byHand("INSERT INTO private_rows VALUES (now() - interval '1 day')");

        const hourly = aggregate(target, {
            name: "private_hours",
            query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM private_rows GROUP BY 1",
        });
        await hourly.up();
        await expectNoChange(hourly);
        expect(await target.byHand("SELECT sum(n)::int AS n FROM private_hours")).toEqual([
            { n: 1 },
        ]);
        await target.byHand(
            "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM observatory_writer",
        );
    });
});
