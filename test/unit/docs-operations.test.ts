/** The pages for operators: every message and code in them is one of the program, every flag one of a command. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { DatabaseError } from "pg";

import { parseOptions as parseBackfill } from "../../commands/backfill/options";
import { parseOptions as parseDeploy } from "../../commands/deploy/options";
import { parseOptions as parseDoctor } from "../../commands/doctor/options";
import { parseOptions as parseReport } from "../../commands/report/options";
import { parseRestoreOptions } from "../../commands/restore/options";
import { parseOptions as parseReview } from "../../commands/review/options";
import { parseOptions as parseStart } from "../../commands/start/options";
import { parseOptions as parseStatus } from "../../commands/status/options";
import { parseOptions as parseVerify } from "../../commands/verify/options";
import { checkNames } from "../../commands/verify/result";
import { keyNames } from "../../components/config/keys";
import { connectError } from "../../components/timescale/core/connection/connectErrors";
import type { Connection } from "../../components/timescale/core/connection/connection";
import {
    blocks,
    codeIn,
    commandsOf,
    inlineCommands,
    operationsPages,
    page,
    type ShellCommand,
    tableBelow,
} from "../helpers/documents";
import { recordEnvironment } from "../helpers/environment";

const root = path.resolve(__dirname, "../..");
const troubleshooting = "docs/operations/troubleshooting.md";
const original = "docs/operations/original.md";

const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
};

/** The source, with `…` for what is put into its texts. */
const source = sourceIn("components") + sourceIn("commands");

function sourceIn(folder: string): string {
    return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => readFileSync(path.join(root, folder, name), "utf8"))
        .join("\n")
        .replace(/\$\{[^{}]*\}/g, "…");
}

/** Arguments after `npm run … --` go through the command's own parser; what it refuses ends the process. */
const parsers: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
    backfill: (args) => parseBackfill(args, {}, Date.parse("2026-11-25T12:00Z")),
    deploy: (args) => parseDeploy(args, {}),
    doctor: (args) => parseDoctor(args, {}),
    report: (args) => parseReport(args, {}),
    restore: (args) => parseRestoreOptions(args, {}),
    review: (args) => parseReview(args),
    start: (args) => parseStart(args),
    status: (args) => parseStatus(args, {}),
    verify: (args) => parseVerify(args, {}),
};

/** What commander says on its way out; undefined: it takes the arguments. */
function refusal(
    parse: (args: readonly string[]) => unknown,
    args: readonly string[],
): string | undefined {
    const said: string[] = [];
    const exit = jest.spyOn(process, "exit").mockImplementation(() => {
        throw new Error(said.join(""));
    });
    const streams = [process.stdout, process.stderr].map((stream) =>
        jest.spyOn(stream, "write").mockImplementation((text) => {
            said.push(String(text));
            return true;
        }),
    );
    try {
        parse(args);
        return undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    } finally {
        for (const spy of [exit, ...streams]) spy.mockRestore();
    }
}

/** `npm run serve` parses where it runs, so its help is asked. */
function serveHelp(): string {
    const { stdout } = spawnSync(process.execPath, ["commands/bootstrap.mjs", "serve", "--help"], {
        cwd: root,
        encoding: "utf8",
    });
    return stdout;
}

const hasDocker = spawnSync("docker", ["--version"]).error === undefined;
const pulumiFolder = process.env["OBSERVATORY_ENGINE_DIR"];
const pulumi = pulumiFolder === undefined ? "pulumi" : path.join(pulumiFolder, "pulumi");
const hasPulumi = spawnSync(pulumi, ["version"]).error === undefined;
if (!hasDocker) recordEnvironment("not run: options of docker commands in docs/operations: docker is not on PATH"); // prettier-ignore
if (!hasPulumi) recordEnvironment("not run: options of pulumi commands in docs/operations: pulumi is not on PATH"); // prettier-ignore

/** Why the program would not take the words; undefined: it does, or is not here, which the run says. */
function complaint({ words }: ShellCommand): string | undefined {
    const [program, ...args] = words;
    switch (program) {
        case "npm":
            return npmComplaint(args);
        case "pulumi":
            return hasPulumi ? asksForHelp(pulumi, args) : undefined;
        case "docker":
            return hasDocker ? asksForHelp("docker", args) : undefined;
        case "psql":
        case "pg_dump":
        case "pg_restore":
        case "createdb":
            // test/integration/docs-operations.test.ts runs them.
            return undefined;
        default:
            return `nothing here knows ${program ?? "nothing"}`;
    }
}

/** The help comes only where the options before it are known. */
function asksForHelp(program: string, args: readonly string[]): string | undefined {
    const { status, stderr } = spawnSync(program, [...args, "--help"], { encoding: "utf8" });
    return status === 0 ? undefined : stderr;
}

function npmComplaint(args: readonly string[]): string | undefined {
    const [name, rest] = args[0] === "run" ? [args[1], args.slice(2)] : [args[0], args.slice(1)];
    if (name === undefined || !Object.hasOwn(scripts, name)) return `package.json has no script ${name ?? ""}`; // prettier-ignore
    if (rest.length > 0 && rest[0] !== "--") return "npm itself takes options without --";
    const given = rest.slice(1);
    if (name === "pulumi") return hasPulumi ? asksForHelp(pulumi, given) : undefined;
    if (name === "serve") {
        const help = serveHelp();
        return given.find((word) => !help.includes(word));
    }
    if (given.length === 0) return undefined;
    const parse = parsers[name];
    return parse === undefined ? `this test does not know the options of ${name}` : refusal(parse, given); // prettier-ignore
}

describe("commands", () => {
    const all = [
        ...blocks.filter(({ language }) => language === "sh").flatMap(commandsOf),
        ...operationsPages.flatMap(inlineCommands),
    ];

    it("are found", () => {
        expect(all.length).toBeGreaterThan(25);
    });

    it.each([...new Map(all.map((one) => [one.line, one])).values()].map((one) => [one.line, one]))(
        "%s",
        (_, command) => {
            expect(complaint(command)).toBeUndefined();
        },
    );

    it.each([
        ["npm run verify -- --jsn", /unknown option '--jsn'/],
        ["npm run stat", /no script stat/],
        ["npm run status --json", /without --/],
        ["npm run serve -- --quiet", /--quiet/],
        ["rm -rf /", /nothing here knows rm/],
    ])("are refused where they are wrong: %s", (line, why) => {
        const [command] = commandsOf({ where: "", text: line });
        expect(complaint(command!)).toMatch(why);
    });
});

describe("blocks", () => {
    it("say how they are tested, and with what reason they are not run", () => {
        const wrong = blocks.filter(({ language, info }) =>
            language === "sql"
                ? !/^(?:reader|writer|owner|admin)\b/.test(info)
                : language !== "sh" || !/^(?:test|server|docker|checked: .{20,})$/.test(info),
        );
        expect(wrong).toEqual([]);
    });

    it("name files of tests that are there", () => {
        for (const { info } of blocks) {
            for (const [file] of info.matchAll(/test\/[\w/.-]+\.ts/g)) {
                expect(readdirSync(path.join(root, path.dirname(file)))).toContain(path.basename(file)); // prettier-ignore
            }
        }
    });

    it("and pages link to what is there", () => {
        for (const file of operationsPages) {
            for (const [, link = "", anchor] of page(file).matchAll(
                /\]\(([^)#\s]*)(?:#([^)]*))?\)/g,
            )) {
                if (/^https?:/.test(link)) continue;
                const target = link === "" ? file : path.join(path.dirname(file), link);
                if (anchor === undefined) {
                    expect(readdirSync(path.join(root, path.dirname(target)))).toContain(path.basename(target)); // prettier-ignore
                    continue;
                }
                const text = target.endsWith(".md") ? page(target) : "";
                const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
                    title
                        .toLowerCase()
                        .replace(/[^\w -]/g, "")
                        .replaceAll(" ", "-"),
                );
                expect(anchors).toContain(anchor);
            }
        }
    });
});

/** Message and code of each row. */
const messagesBelow = (heading: string): (readonly [string, string])[] =>
    tableBelow(troubleshooting, heading).map(([message, code]) => [
        codeIn(message)[0] ?? "",
        codeIn(code)[0] ?? "",
    ]);

describe("messages of this project", () => {
    it.each([
        ...messagesBelow("The server is refused"),
        ...messagesBelow("A change or a command is refused"),
    ])("%s (%s)", (message, code) => {
        expect(message).not.toBe("");
        expect(source.includes(message)).toBe(true);
        expect(source.includes(`code: "${code}"`)).toBe(true);
    });

    const connection: Connection = {
        ...{ host: "db", port: 5432, database: "d", user: "u", password: "p" },
        sslMode: "verify-full",
    };
    const node = (code: string, message = code): Error => Object.assign(new Error(message), { code }); // prettier-ignore
    const server = (code: string): Error =>
        Object.assign(new DatabaseError("no", 2, "error"), { severity: "FATAL", code });
    const causes: Readonly<Record<string, Error>> = {
        connection_refused: node("ECONNREFUSED"),
        host_not_found: node("ENOTFOUND"),
        host_unreachable: node("EHOSTUNREACH"),
        connection_timeout: node("ETIMEDOUT"),
        connection_lost: node("ECONNRESET"),
        "28P01": server("28P01"),
        "28000": server("28000"),
        "3D000": server("3D000"),
        "57P03": server("57P03"),
        "53300": server("53300"),
        password_missing: new Error("SASL: client password must be a string"),
        tls_not_offered: new Error("The server does not support SSL connections"),
        tls_self_signed: node("DEPTH_ZERO_SELF_SIGNED_CERT"),
        tls_unknown_issuer: node("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
        tls_host_mismatch: node("ERR_TLS_CERT_ALTNAME_INVALID"),
        tls_expired: node("CERT_HAS_EXPIRED"),
    };

    it.each(messagesBelow("Connecting"))("%s (%s), of a failed connection", (message, code) => {
        const cause = causes[code];
        expect(cause).toBeDefined();
        const error = connectError(cause, connection);
        expect(error.code).toBe(code);
        expect(error.message).toMatch(patternOf(message));
    });
});

/** `…` stands for anything. */
function patternOf(message: string): RegExp {
    const parts = message.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".+")}$`);
}

describe("from the original", () => {
    it("names flags that deploy has", () => {
        const help = refusal(parsers["deploy"]!, ["--help"]) ?? "";
        const flags = tableBelow(original, "The deploy script").flatMap(([, here, more]) =>
            [...codeIn(here), ...codeIn(more)].filter((code) => code.startsWith("--")),
        );
        expect(flags.length).toBeGreaterThan(8);
        for (const flag of flags) expect(help).toMatch(new RegExp(`${flag}[ ,\n]`));
    });

    it("names config keys that there are", () => {
        const named = tableBelow(original, "The deploy script", 1).flatMap(([, here]) => codeIn(here)); // prettier-ignore
        expect(named.length).toBeGreaterThan(5);
        expect(keyNames).toEqual(expect.arrayContaining([...named]));
    });

    it("numbers the ten checks as verify does", () => {
        const rows = tableBelow(original, "The ten checks");
        expect(rows.map(([number, , name]) => [number, name])).toEqual(
            checkNames.map((name, at) => [String(at + 1), name]),
        );
    });
});
