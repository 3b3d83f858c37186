/** The flags, variables and stacks of `npm run deploy`. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseOptions } from "../../commands/deploy/options";
import { placeOf, stackNameOf, withCopy } from "../../commands/deploy/place";
import { isRefusal } from "../../commands/start/refusal";
import { workspaceIn } from "../../commands/start/workspace";
import { grantsOf } from "../../components/server/standingAccess";
import type { Connection } from "../../components/timescale/core/connection/connection";

describe("the options", () => {
    it("are the original's, with its defaults", () => {
        expect(parseOptions(["--db-host", "db", "--test"], {})).toEqual({
            server: { host: "db", port: 5432, database: "llm_observatory", user: "postgres", sslMode: "verify-full" }, // prettier-ignore
            stack: undefined,
            test: true,
            dryRun: false,
            rollback: false,
            yes: false,
            json: false,
        });
    });

    it("come before the variables, which count without any", () => {
        const environment = {
            PGHOST: "env",
            PGPORT: "6000",
            PGDATABASE: "envdb",
            PGUSER: "envuser",
            PGSSLMODE: "require",
        };

        expect(parseOptions([], environment).server).toEqual({
            host: "env",
            port: 6000,
            database: "envdb",
            user: "envuser",
            sslMode: "require",
        });
        expect(
            parseOptions(["--db-host", "flag", "--db-name", "flagdb", "--ssl-mode", "disable"], environment).server, // prettier-ignore
        ).toMatchObject({ host: "flag", port: 6000, database: "flagdb", sslMode: "disable" });
    });

    it("without any, or with --stack, mean a stack", () => {
        expect(parseOptions([], { PGSSLMODE: "require", PGPASSWORD: "x" }).server).toBeUndefined();
        expect(parseOptions(["--stack", "docker"], { PGHOST: "env" })).toMatchObject({
            server: undefined,
            stack: "docker",
        });
    });

    it.each([
        [
            ["--stack", "docker", "--db-host", "x"],
            "--stack and the --db options name two databases",
        ],
        [["--dry-run", "--test"], "--dry-run and --test exclude each other"],
        [["--rollback", "--test"], "--rollback and --test exclude each other"],
    ])("%j contradict each other", (args, message) => {
        expect(() => parseOptions(args, {})).toThrow(message);
    });

    it("have none for a password", () => {
        const exit = jest.spyOn(process, "exit").mockImplementation(() => {
            throw new Error("ended");
        });
        const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);

        expect(() => parseOptions(["--db-password", "x"], {})).toThrow("ended");

        exit.mockRestore();
        said.mockRestore();
    });
});

const connection: Connection = {
    host: "db.example.com",
    port: 5432,
    database: "metrics",
    user: "app",
    password: "secret",
    sslMode: "disable",
};

describe("the stack", () => {
    let root: string;

    beforeEach(() => (root = mkdtempSync(join(tmpdir(), "observatory-place-"))));

    afterEach(() => rmSync(root, { recursive: true, force: true }));

    it("of a database tells it from every other, whoever logs in", () => {
        const name = stackNameOf(connection);

        expect(name).toMatch(/^deploy-db\.example\.com-5432-metrics-[0-9a-f]{6}$/);
        expect(stackNameOf({ ...connection, user: "other", password: "y" })).toBe(name);
        const others = [
            { ...connection, database: "metrics2" },
            { ...connection, port: 5433 },
            { ...connection, host: "db" },
            { ...connection, database: "a/b" },
            { ...connection, database: "a-b" },
        ].map((one) => stackNameOf(one));
        expect(new Set([name, ...others]).size).toBe(6);
    });

    it("has to be here", () => {
        const workspace = workspaceIn(root);

        expect(() => placeOf(workspace, undefined, "docker")).toThrow("there is no stack docker");
        expect(() => placeOf(workspace, undefined, undefined)).toThrow("no database was named");
    });

    it("is copied for a preview, which leaves nothing behind", async () => {
        const workspace = workspaceIn(root);
        const place = placeOf(workspace, connection, undefined);
        mkdirSync(join(workspace.folder, place.name), { recursive: true });
        writeFileSync(
            join(workspace.folder, place.name, `Pulumi.${place.name}.yaml`),
            "config: {}",
        );
        writeFileSync(workspace.passphraseFile, "phrase");
        mkdirSync(join(workspace.folder, "preview-999999999"));
        const before = readdirSync(workspace.folder, { recursive: true }).filter((name) => !String(name).startsWith("preview-")); // prettier-ignore

        await withCopy(workspace, place, (copy) => {
            expect(copy.folder).not.toBe(workspace.folder);
            expect(readFileSync(copy.passphraseFile, "utf8")).toBe("phrase");
            writeFileSync(join(copy.folder, place.name, `Pulumi.${place.name}.yaml`), "changed");
            return Promise.resolve();
        });

        expect(readdirSync(workspace.folder, { recursive: true })).toEqual(before);
        expect(
            readFileSync(join(workspace.folder, place.name, `Pulumi.${place.name}.yaml`), "utf8"),
        ).toBe("config: {}");
    });
});

describe("a refusal", () => {
    it.each([
        ["error", "x holds history that raw data lost (loses_history)\n  detail: y", true],
        ["error", "retention cuts into refreshes (refresh_beyond_source_retention)", true],
        ["warning", "llm-logs: up will refuse this: x (dependants)", true],
        ["warning", "x (loses_history)", false],
        ["error", "the connection broke (in apply, connection_lost)", false],
    ])("%s %s: %s", (severity, message, expected) => {
        expect(isRefusal(severity, message)).toBe(expected);
    });
});

describe("grants in somebody else's database", () => {
    const declared = [{ role: "observatory_reader", privileges: ["SELECT"] }];

    it("are declared as they are elsewhere", () => {
        expect(grantsOf(undefined, "x", declared)).toEqual({ grants: declared });
        expect(grantsOf(undefined, "x", undefined)).toEqual({});
    });

    it("keep what others have, and leave out roles that do not exist", () => {
        const grants = { x: [{ role: "ingest", privileges: ["INSERT"] }] };

        expect(grantsOf({ roles: [], grants }, "x", declared)).toEqual({ grants: grants.x });
        expect(grantsOf({ roles: ["observatory_reader"], grants }, "x", declared)).toEqual({
            grants: [...declared, ...grants.x],
        });
        expect(grantsOf({ roles: ["observatory_reader"], grants: { x: [{ role: "observatory_reader", privileges: ["INSERT"] }] } }, "x", declared)).toEqual({ grants: [{ role: "observatory_reader", privileges: ["SELECT", "INSERT"] }] }); // prettier-ignore
    });
});
