import * as pulumi from "@pulumi/pulumi";

import { Hypertable, SqlFunction, View } from "../../components/timescale";
import { connection, one, record } from "./recording";

it("registers functions after the views that they read, and those after their tables", async () => {
    const registered = await record("test");
    const definition = `CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(n) FROM latest $$`;
    new SqlFunction("counted", { connection, definition });
    new View("latest", { connection, name: "latest", query: "SELECT count(*) AS n FROM m" });
    new Hypertable("m", {
        connection,
        name: "m",
        columns: [{ name: "ts", type: "timestamptz", nullable: false }],
        timeColumn: "ts",
    });
    await pulumi.runtime.disconnect();

    expect(registered.map(({ type, name }) => [type, name])).toEqual([
        ["pulumi-nodejs:dynamic/timescale:Hypertable", "m"],
        ["pulumi-nodejs:dynamic/timescale:View", "latest"],
        ["pulumi-nodejs:dynamic/timescale:SqlFunction", "counted"],
    ]);
    expect(one(registered, "counted").inputs).toMatchObject({
        definition,
        connection: { secret: connection },
    });
    expect(one(registered, "counted").inputs).not.toHaveProperty("signature");
});
