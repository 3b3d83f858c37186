import type { automation } from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    Hypertable,
    SqlFunction,
    View,
} from "../../components/timescale";
import type { TestDatabase } from "../helpers/databases";
import { changes, said, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { byHour, query, readingsColumns } from "./readings";

const reader = [{ role: "observatory_reader", privileges: ["SELECT"] as const }];

/** Everything that is read is declared after what reads it. */
function program(
    connection: Connection,
    { share = "n::numeric / 10", columns = "" }: { share?: string; columns?: string } = {},
): automation.PulumiFn {
    return () => {
        new View("shares", {
            connection,
            name: "shares",
            query: `SELECT bucket, sensor, share_of(n) AS share${columns} FROM by_hour`,
            comment: "share of ten",
            grants: reader,
        });
        new SqlFunction("share-of", {
            connection,
            definition: `CREATE FUNCTION share_of(n bigint) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT ${share} $$`,
            grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
        });
        new ContinuousAggregate("by-hour", { connection, name: "by_hour", query: byHour });
        new Hypertable("readings", {
            connection,
            name: "readings",
            columns: readingsColumns,
            timeColumn: "ts",
        });
        return Promise.resolve({});
    };
}

describeOnServers("views and functions", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("are created after what they read and call, in whatever order they are declared", async () => {
        const run = succeeded(await stack.up(program(database.owner)));

        expect(changes(run)).toEqual({
            readings: "create",
            "by-hour": "create",
            "share-of": "create",
            shares: "create",
        });
        const dependencies = resourcesOf(await stack.state()).get("shares")?.dependencies ?? [];
        expect(dependencies.map((urn) => urn.split("::").at(-1)).sort()).toEqual([
            "by-hour",
            "share-of",
        ]);
        succeeded(await stack.preview(program(database.owner), { expectNoChanges: true }));
    });

    it("are changed in place, and found unchanged after it", async () => {
        const changed = program(database.owner, { share: "n::numeric / 100", columns: ", n" });

        const preview = succeeded(await stack.preview(changed));
        const run = succeeded(await stack.up(changed));

        for (const one of [preview, run]) {
            expect(changes(one)).toEqual({ "share-of": "update", shares: "update" });
        }
        expect(said(preview, "share-of")).toMatch(/^~ definition: changed\n[^]*\+.* \/ 100/);
        expect(said(preview, "shares")).toMatch(/^~ query: changed\n[^]*\+.*\bn\b/);
        succeeded(await stack.preview(changed, { expectNoChanges: true }));
        succeeded(await stack.up(program(database.owner, { columns: ", n" })));
    });

    it("show what someone changed by hand, and are put back", async () => {
        const declared = program(database.owner, { columns: ", n" });
        await query(
            database.owner,
            "CREATE OR REPLACE VIEW shares AS SELECT bucket, sensor, 0::numeric AS share, 0::bigint AS n FROM by_hour",
        );
        await query(database.owner, "GRANT EXECUTE ON FUNCTION share_of TO PUBLIC");
        await query(database.owner, "ALTER FUNCTION share_of VOLATILE");

        const preview = succeeded(await stack.preview(declared));
        const refresh = succeeded(await stack.refresh());
        const run = succeeded(await stack.up(declared));

        for (const one of [preview, refresh]) {
            expect(said(one, "shares")).toContain("~ query: changed");
            expect(said(one, "share-of")).toContain("~ grants.public: EXECUTE → removed");
            expect(said(one, "share-of")).toContain("~ volatility: volatile → immutable");
        }
        expect(changes(run)).toEqual({ "share-of": "update", shares: "update" });
        succeeded(await stack.preview(declared, { expectNoChanges: true }));
    });

    it("are deleted before what they read", async () => {
        const run = succeeded(await stack.destroy());

        expect(changes(run)).toMatchObject({ shares: "delete", readings: "delete" });
        expect(
            await query(
                database.owner,
                "SELECT to_regclass('shares') AS a, to_regclass('readings') AS b, to_regproc('share_of') AS c",
            ),
        ).toEqual([{ a: null, b: null, c: null }]);
    });
});
