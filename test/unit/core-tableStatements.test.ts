import fc from "fast-check";

import {
    chunkIntervalStatement,
    commentStatement,
    compressionStatement,
    grantStatements,
    orderByTerm,
    parseOrderTerm,
    renameStatements,
} from "../../components/timescale/core/relation/tableStatements";

const relation = { schema: 'Odd "Schema"', name: "Robert'; --" };
const quoted = `"Odd ""Schema"""."Robert'; --"`;

describe("grantStatements", () => {
    it("revokes what is unexpected before it grants what is missing", () => {
        const difference = {
            role: 'we"ird',
            missing: ["INSERT", "SELECT"],
            unexpected: ["DELETE"],
        };
        expect(grantStatements(relation, difference)).toEqual([
            { name: "revoke", sql: `REVOKE DELETE ON ${quoted} FROM "we""ird"` },
            { name: "grant", sql: `GRANT INSERT, SELECT ON ${quoted} TO "we""ird"` },
        ]);
    });

    it("knows public for everyone, and Public for a role", () => {
        const of = (role: string): string[] =>
            grantStatements(relation, { role, missing: ["SELECT"], unexpected: [] }).map(
                ({ sql }) => sql,
            );
        expect(of("public")).toEqual([`GRANT SELECT ON ${quoted} TO PUBLIC`]);
        expect(of("Public")).toEqual([`GRANT SELECT ON ${quoted} TO "Public"`]);
    });
});

describe("commentStatement", () => {
    it.each([
        ["plain", "buckets of an hour", "'buckets of an hour'"],
        ["with a quote", "it's", "'it''s'"],
        ["with a backslash", "a\\b", " E'a\\\\b'"],
        ["that looks like SQL", "'; DROP TABLE m; --", "'''; DROP TABLE m; --'"],
        ["gone", null, "NULL"],
    ])("sets a comment that is %s", (_what, comment, literal) => {
        expect(commentStatement("VIEW", relation, comment)).toEqual({
            name: "comment",
            sql: `COMMENT ON VIEW ${quoted} IS ${literal}`,
        });
    });
});

describe("chunkIntervalStatement", () => {
    it("binds both the relation and the interval", () => {
        expect(chunkIntervalStatement(relation, "1 day")).toEqual({
            name: "set_chunk_time_interval",
            sql: "SELECT set_chunk_time_interval($1::regclass, $2::interval)",
            values: [quoted, "1 day"],
        });
    });
});

describe("compressionStatement", () => {
    it("leaves to the server what is left out", () => {
        expect(compressionStatement("MATERIALIZED VIEW", relation, {})).toEqual({
            name: "enable_compression",
            sql: `ALTER MATERIALIZED VIEW ${quoted} SET (timescaledb.compress = true)`,
        });
    });

    it("quotes columns twice: as names, and those in a literal", () => {
        const settings = { segmentBy: ["model", "it's"], orderBy: ['"T""s" DESC', "n"] };
        expect(compressionStatement("TABLE", relation, settings).sql).toBe(
            `ALTER TABLE ${quoted} SET (timescaledb.compress = true, ` +
                `timescaledb.compress_segmentby = '"model", "it''s"', ` +
                `timescaledb.compress_orderby = '"T""s" DESC NULLS FIRST, "n" ASC NULLS LAST')`,
        );
    });

    it("segments by nothing where that is declared", () => {
        expect(compressionStatement("TABLE", relation, { segmentBy: [] }).sql).toContain(
            "timescaledb.compress_segmentby = ''",
        );
    });

    it("turns compression off", () => {
        expect(compressionStatement("TABLE", relation, null)).toEqual({
            name: "disable_compression",
            sql: `ALTER TABLE ${quoted} SET (timescaledb.compress = false)`,
        });
    });
});

describe("renameStatements", () => {
    it("moves to the schema first, and renames there", () => {
        expect(
            renameStatements("MATERIALIZED VIEW", relation, { schema: "s", name: 'we"ird' }),
        ).toEqual([
            { name: "set_schema", sql: `ALTER MATERIALIZED VIEW ${quoted} SET SCHEMA "s"` },
            {
                name: "rename",
                sql: `ALTER MATERIALIZED VIEW "s"."Robert'; --" RENAME TO "we""ird"`,
            },
        ]);
    });

    it("does only what differs", () => {
        const names = (will: typeof relation): string[] =>
            renameStatements("TABLE", relation, will).map(({ name }) => name);
        expect(names(relation)).toEqual([]);
        expect(names({ ...relation, name: "n" })).toEqual(["rename"]);
        expect(names({ ...relation, schema: "s" })).toEqual(["set_schema"]);
    });
});

describe("an order term", () => {
    it.each([
        ["ts", '"ts" ASC NULLS LAST'],
        ["ts ASC", '"ts" ASC NULLS LAST'],
        ["ts desc", '"ts" DESC NULLS FIRST'],
        ["ts DESC NULLS LAST", '"ts" DESC NULLS LAST'],
        ["ts nulls first", '"ts" ASC NULLS FIRST'],
        ["  ts   DESC ", '"ts" DESC NULLS FIRST'],
        ['"Ts" DESC', '"Ts" DESC NULLS FIRST'],
        ['"a desc"', '"a desc" ASC NULLS LAST'],
        ['"a""b" NULLS FIRST', '"a""b" ASC NULLS FIRST'],
        ["desc", '"desc" ASC NULLS LAST'],
        ["ts; DROP TABLE m", '"ts; DROP TABLE m" ASC NULLS LAST'],
    ])("%s becomes %s", (term, whole) => {
        expect(orderByTerm(term)).toBe(whole);
    });

    it("reads back what it wrote, whatever the column's name", () => {
        const name = fc.string({ minLength: 1, unit: "grapheme" });
        fc.assert(
            fc.property(name, fc.boolean(), fc.boolean(), (column, descending, nullsFirst) => {
                const term = [
                    `"${column.replace(/"/g, '""')}"`,
                    descending ? "DESC" : "ASC",
                    `NULLS ${nullsFirst ? "FIRST" : "LAST"}`,
                ].join(" ");
                expect(parseOrderTerm(term)).toEqual({ column, descending, nullsFirst });
                expect(orderByTerm(term)).toBe(term);
            }),
        );
    });
});
