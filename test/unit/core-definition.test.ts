import {
    bucketColumn,
    bucketOver,
    parseDefinition,
    readInstead,
} from "../../components/timescale/core/query/definition";

/** As PostgreSQL 15 prints it. */
const definition = [
    " SELECT time_bucket('01:00:00'::interval, requests.ts, 'Europe/Berlin'::text) AS \"Bucket, x\",",
    "    requests.model,",
    "    sum(GREATEST(requests.ms, 0)) AS total,",
    "    count(*) FILTER (WHERE (requests.status = 'OK, FROM here'::text)) AS ok",
    "   FROM requests",
    "  WHERE (requests.ms IS NOT NULL)",
    "  GROUP BY (time_bucket('01:00:00'::interval, requests.ts, 'Europe/Berlin'::text)), requests.model;",
].join("\n");
const names = ["Bucket, x", "model", "total", "ok"];

describe("a query in the server's words", () => {
    it("is read column by column, whatever stands in quotes and parentheses", () => {
        const parsed = parseDefinition(definition, names);

        expect(parsed.columns).toEqual([
            {
                name: "Bucket, x",
                expression: "time_bucket('01:00:00'::interval, requests.ts, 'Europe/Berlin'::text)",
            },
            { name: "model", expression: "requests.model" },
            { name: "total", expression: "sum(GREATEST(requests.ms, 0))" },
            {
                name: "ok",
                expression: "count(*) FILTER (WHERE (requests.status = 'OK, FROM here'::text))",
            },
        ]);
        expect(parsed.source).toBe("FROM requests WHERE (requests.ms IS NOT NULL)");
        expect(parsed.grouping).toBe(
            "GROUP BY (time_bucket('01:00:00'::interval, requests.ts, 'Europe/Berlin'::text)), requests.model",
        );
        expect(bucketColumn(parsed)?.name).toBe("Bucket, x");
    });

    it("gives its bucket over another column", () => {
        const call = "public.time_bucket('1 day'::interval, requests.ts, 'Europe/Berlin'::text)";

        expect(bucketOver(call, '"bucket"')).toBe(
            "public.time_bucket('1 day'::interval, \"bucket\", 'Europe/Berlin'::text)",
        );
    });
});

describe("a query that reads another relation instead", () => {
    const hourly = { schema: "public", name: "hourly" };
    const other = { schema: "else where", name: "hourly_building" };

    it.each([
        [
            " SELECT hourly.bucket, sum(hourly.hourly) AS hourly\n   FROM hourly\n  GROUP BY hourly.bucket;",
            ' SELECT "hourly_building".bucket, sum("hourly_building".hourly) AS hourly\n   FROM "else where"."hourly_building"\n  GROUP BY "hourly_building".bucket;',
        ],
        [
            " SELECT bucket, hourly FROM public.hourly",
            ' SELECT bucket, hourly FROM "else where"."hourly_building"',
        ],
        [
            " SELECT h.bucket FROM (hourly h JOIN models ON ((models.name = h.model)))",
            ' SELECT h.bucket FROM ("else where"."hourly_building" h JOIN models ON ((models.name = h.model)))',
        ],
        [" SELECT 'FROM hourly' AS x FROM hourly2", " SELECT 'FROM hourly' AS x FROM hourly2"],
    ])("takes its name wherever the other stood: %s", (was, will) => {
        expect(readInstead(was, hourly, other)).toBe(will);
    });
});
