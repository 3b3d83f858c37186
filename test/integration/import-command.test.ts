/** `npm run import` as a person runs it, and the program that it writes as Node runs it. */
import { spawn } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { aggregate, hypertable } from "./declared";
import { hourly, plainNames, rawTable } from "./names";
import { onEveryServer, onServersWithSessions, type Target } from "./onEveryServer";

const root = dirname(dirname(__dirname));

interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

async function run(
    args: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>>,
): Promise<Ended> {
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ["--import", "tsx", ...args], {
        cwd,
        env: { PATH, HOME, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (stdout += String(text)));
    child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
}

/** Says what the program registers, in place of an engine. */
const withMocks = `
    const pulumi = require("@pulumi/pulumi");
    pulumi.runtime.setMocks({
        newResource: ({ type, name, inputs }) => {
            console.log(type.split(":").at(-1), name, Object.keys(inputs).length);
            return { id: name, state: inputs };
        },
        call: ({ inputs }) => inputs,
    }, "imported-test", "prod");
    pulumi.runtime.setAllConfig(JSON.parse(process.env.CONFIG), ["imported-test:password"]);
    require("./index.ts");
`;

interface Workshop {
    /** Where the program goes. */
    readonly out: () => string;
    readonly file: (name: string) => string;
    readonly runImport: (
        more?: readonly string[],
        environment?: Readonly<Record<string, string>>,
    ) => Promise<Ended>;
}

/** A database with a hypertable and an aggregate, and a folder for the program inside this checkout. */
function workshop(target: Target): Workshop {
    let folder: string;
    const file = (name: string): string => join(folder, name);

    beforeAll(async () => {
        mkdirSync(join(root, ".observatory"), { recursive: true });
        folder = mkdtempSync(join(root, ".observatory", "test-import-"));
        await hypertable(target, rawTable(plainNames)).up();
        await aggregate(target, hourly(plainNames)).up();
    }, 60_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    return {
        file,
        out: () => file("program"),
        runImport: (more = [], environment = { PGPASSWORD: target.database.owner.password }) => {
            const { host, port, database, user, sslMode }: Connection = target.database.owner;
            return run(
                [
                    join(root, "commands/import.ts"),
                    ...["--db-host", host, "--db-port", String(port), "--db-name", database],
                    ...[
                        "--db-user",
                        user,
                        "--ssl-mode",
                        sslMode,
                        "--out",
                        file("program"),
                        ...more,
                    ],
                ],
                root,
                { PGPASSFILE: file("none"), ...environment },
            );
        },
    };
}

onEveryServer((target) => {
    const { out, runImport } = workshop(target);

    it("writes a program, says what comes next, and exits with 0", async () => {
        const { code, stdout, stderr } = await runImport();

        expect({ code, stderr }).toEqual({
            code: 0,
            stderr: expect.stringMatching(/^reading the database\n(.*\n)*read .*: 2 objects\n$/),
        });
        expect(stdout).toContain("pulumi config set --secret password");
        expect(stdout).toContain("pulumi stack select --create prod");
        expect(readdirSync(out(), { recursive: true }).sort()).toEqual(
            [
                ...["Pulumi.prod.yaml", "Pulumi.yaml", "declare.ts", "index.ts", "sql"],
                ...["sql/public", "sql/public/requests_hourly.sql", "tsconfig.json"],
            ].sort(),
        );
        const stack = readFileSync(join(out(), "Pulumi.prod.yaml"), "utf8");
        expect(stack).toMatch(/^ {2}imported-[\w-]+:user: "observatory_owner"$/m);
        expect(stack).not.toContain("password");
    });

    it("writes what Node runs as it lies, inside this checkout", async () => {
        const project = /^name: (.*)$/m.exec(readFileSync(join(out(), "Pulumi.yaml"), "utf8"))?.[1];
        const config = Object.fromEntries(
            Object.entries({ ...target.database.owner, port: "5432" }).map(([key, value]) => [
                `${project}:${key}`,
                value,
            ]),
        );
        const { code, stdout, stderr } = await run(
            ["-e", withMocks.replaceAll("imported-test", project ?? "")],
            out(),
            { CONFIG: JSON.stringify(config) },
        );

        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout.match(/^\w+ [\w-]+/gm)).toEqual(
            expect.arrayContaining(["Hypertable requests", "ContinuousAggregate requests-hourly"]),
        );
    });

    it("overwrites nothing unless it is told to, and then only its own", async () => {
        writeFileSync(join(out(), "declare.ts"), "// mine\n");

        const forced = await runImport(["--force"]);

        expect(forced.code).toBe(1);
        expect(forced.stderr).toMatch(/did not write.*\n.*declare\.ts/);
        expect(readFileSync(join(out(), "declare.ts"), "utf8")).toBe("// mine\n");
        rmSync(join(out(), "declare.ts"));
        expect((await runImport()).stderr).toMatch(/holds an earlier import/);
        expect((await runImport(["--force"])).code).toBe(0);
        expect(existsSync(join(out(), "declare.ts"))).toBe(true);
    });

    it("exits with 2 where something is not declared, and lists it", async () => {
        await target.byHand("CREATE TABLE plain (a int)");

        const text = await runImport(["--force"]);
        const json = await runImport(["--force", "--json"]);

        expect(text.code).toBe(2);
        expect(text.stdout).toMatch(/public\.plain .*plain table .*no resource/);
        expect(json.code).toBe(2);
        expect(JSON.parse(json.stdout)).toMatchObject({
            declared: [
                { resource: "requests", kind: "Hypertable", object: "public.requests" },
                { resource: "requests-hourly", kind: "ContinuousAggregate" },
            ],
            undeclared: [
                {
                    object: "public.plain",
                    what: "plain table",
                    why: "there is no resource for it; it is kept",
                },
            ],
        });
        expect(json.stdout).not.toContain(target.database.owner.password);
        expect(readFileSync(join(out(), "declare.ts"), "utf8")).toContain(
            "// - public.plain: plain table: ",
        );
    });

    it("says what is wrong, and writes nothing", async () => {
        const nowhere = await runImport(["--force", "--schema", "nowhere"]);
        const options = await runImport(["--ssl-mode", "maybe"]);

        expect(nowhere.code).toBe(1);
        expect(nowhere.stderr).toContain('schema "nowhere" does not exist');
        expect(options.code).toBe(1);
        expect(options.stderr).toContain("verify-full");
    });
});

onServersWithSessions("passwords, which the embedded server does not check", (target) => {
    const { file, runImport } = workshop(target);

    it("takes the password from a pgpass file, and asks for none without a terminal", async () => {
        const { host, port, database, user, password } = target.database.owner;
        writeFileSync(file("pgpass"), `${host}:${port}:${database}:${user}:${password}\n`, {
            mode: 0o600,
        });

        const found = await runImport(["--force"], { PGPASSFILE: file("pgpass") });
        const none = await runImport(["--force"], {});

        expect(found.code).toBe(0);
        expect(none.code).toBe(1);
        expect(none.stderr).toMatch(/hint: +set PGPASSWORD, or add a line/);
        expect(none.stderr).toContain("no terminal to ask on");
    });
});
