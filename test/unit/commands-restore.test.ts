/** The command line of `npm run restore`. */
import { parseRestoreOptions } from "../../commands/restore/options";

const server = ["--db-host", "db.example.com", "--db-name", "d", "--db-user", "u"];
const parse = (...args: string[]) => parseRestoreOptions([...server, ...args], {});

describe("npm run restore", () => {
    it("takes a folder, and puts its rows back where they were", () => {
        expect(parse("backups/public.x-20261125T161031Z")).toMatchObject({
            folder: "backups/public.x-20261125T161031Z",
            into: undefined,
            dryRun: false,
            server: { host: "db.example.com", database: "d", user: "u" },
        });
        expect(parse("b", "--dry-run").dryRun).toBe(true);
    });

    it.each([
        ["restored", { schema: "public", name: "restored" }],
        ["Archive.Restored", { schema: "archive", name: "restored" }],
        ['"Archive"."my ""table"', { schema: "Archive", name: 'my "table' }],
        ['"a.b".c', { schema: "a.b", name: "c" }],
    ])("reads --into %s as PostgreSQL does", (text, into) => {
        expect(parse("b", "--into", text).into).toEqual(into);
    });

    it.each(["", "a.b.c", "a b", '"a', "a."])("refuses --into %j", (text) => {
        expect(() => parse("b", "--into", text)).toThrow(
            expect.objectContaining({ code: "invalid_option" }),
        );
    });

    it("takes the server from the environment, as psql does", () => {
        const environment = { PGHOST: "other", PGDATABASE: "e", PGUSER: "v", PGPORT: "6000" };

        expect(parseRestoreOptions(["b"], environment).server).toMatchObject({
            ...{ host: "other", database: "e", user: "v", port: 6000 },
        });
    });
});
