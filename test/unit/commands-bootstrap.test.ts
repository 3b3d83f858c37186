/** The bootstrap in a scratch repository, with an npm that only says what it would have done. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.dirname(path.dirname(__dirname));

const lockfile = { packages: { "": {}, "node_modules/left-pad": { version: "1.3.0" } } };

/** Installs what package-lock.json names, a moment later, and notes each call. */
const workingNpm = `
const fs = require("node:fs");
fs.appendFileSync("calls", process.argv.slice(2).join(" ") + "\\n");
setTimeout(() => {
    const { packages: { "": _root, ...packages } } = JSON.parse(fs.readFileSync("package-lock.json"));
    fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
}, 300);
`;

const failingNpm = `console.log("npm error network"); process.exitCode = 7;`;

// Every test starts a handful of processes, on a machine that may have other things to do.
jest.setTimeout(60_000);

let scratch: string;

beforeEach(() => {
    scratch = fs.mkdtempSync(path.join(os.tmpdir(), "bootstrap-test-"));
    fs.mkdirSync(path.join(scratch, "commands"));
    fs.mkdirSync(path.join(scratch, "node_modules"));
    fs.copyFileSync(
        path.join(root, "commands", "bootstrap.mjs"),
        path.join(scratch, "commands", "bootstrap.mjs"),
    );
    fs.symlinkSync(
        path.join(root, "node_modules", "tsx"),
        path.join(scratch, "node_modules", "tsx"),
    );
    write("package.json", { engines: { node: ">=20.0.0" } });
    write("package-lock.json", lockfile);
    write(
        "commands/echo.ts",
        "console.log('ran', process.argv.slice(2).join(' ')); process.exit(3);",
    );
    write("npm-cli.js", workingNpm);
});

afterEach(() => fs.rmSync(scratch, { recursive: true }));

function write(file: string, content: unknown): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    fs.writeFileSync(path.join(scratch, file), text);
}

const environment = () => ({ ...process.env, npm_execpath: path.join(scratch, "npm-cli.js") });

function bootstrap(...args: readonly string[]) {
    return spawnSync(process.execPath, ["commands/bootstrap.mjs", ...args], {
        cwd: scratch,
        env: environment(),
        encoding: "utf8",
    });
}

const calls = () => {
    const file = path.join(scratch, "calls");
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
};

it("installs the dependencies once, then hands over arguments and exit code", () => {
    const first = bootstrap("echo", "--target", "docker");
    const second = bootstrap("echo");

    expect(first.stdout).toBe("ran --target docker\n");
    expect(first.status).toBe(3);
    expect(first.stderr).toMatch(/installing dependencies.*\ninstalled dependencies/);
    expect(second).toMatchObject({ stdout: "ran \n", stderr: "" });
    expect(calls()).toEqual([expect.stringMatching(/^ci /)]);
});

it("installs again when package-lock.json names something else", () => {
    bootstrap("echo");
    write("package-lock.json", { packages: { "node_modules/left-pad": { version: "1.3.1" } } });
    bootstrap("echo");

    expect(calls()).toHaveLength(2);
});

it("does without a package that is optional on this platform", () => {
    write("package-lock.json", {
        packages: {
            ...lockfile.packages,
            "node_modules/fsevents": { version: "2", optional: true },
        },
    });
    write("node_modules/.package-lock.json", {
        packages: { "node_modules/left-pad": { version: "1.3.0" } },
    });

    expect(bootstrap("echo").status).toBe(3);
    expect(calls()).toEqual([]);
});

it("shows npm's output and what to do when the installation fails", () => {
    write("npm-cli.js", failingNpm);
    const { status, stderr } = bootstrap("echo");

    expect(status).toBe(1);
    expect(stderr).toContain("npm error network");
    expect(stderr).toContain("error: the dependencies could not be installed");
    expect(stderr).toContain("npm ci ended with code 7");
    expect(fs.existsSync(path.join(scratch, ".observatory", "install.lock"))).toBe(false);
});

it("refuses another Node with what, why and what to do", () => {
    write("package.json", { engines: { node: "^18.0.0 || >=99" } });
    const { status, stderr } = bootstrap("echo");

    expect(status).toBe(1);
    expect(stderr).toMatch(/Node .* is not supported\n {2}detail: .*\^18.*\n {2}hint: +install/);
});

it.each(["^20.0.0 || ^22.0.0 || ^24.0.0 || ^26.0.0", ">=20.0.0"])("accepts Node in %s", (range) => {
    write("package.json", { engines: { node: range } });

    expect(bootstrap("echo").status).toBe(3);
});

it("refuses an unknown command", () => {
    expect(bootstrap("nothing").stderr).toContain('there is no command "nothing"');
});

it("does not empty a node_modules that is a link to someone else's", () => {
    const shared = path.join(scratch, "shared");
    fs.renameSync(path.join(scratch, "node_modules"), shared);
    fs.symlinkSync(shared, path.join(scratch, "node_modules"));

    expect(bootstrap("echo")).toMatchObject({ status: 1 });
    expect(fs.readdirSync(shared)).toEqual(["tsx"]);
    expect(calls()).toEqual([]);
});

it("installs once when several start at once", async () => {
    const run = () =>
        new Promise<number | null>((resolve) => {
            const args = ["commands/bootstrap.mjs", "echo"];
            spawn(process.execPath, args, { cwd: scratch, env: environment(), stdio: "ignore" }).on(
                "close",
                resolve,
            );
        });

    expect(await Promise.all([run(), run(), run()])).toEqual([3, 3, 3]);
    expect(calls()).toHaveLength(1);
});

it("takes over the lock of an installation that was killed", () => {
    const gone = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" });
    const lock = path.join(scratch, ".observatory", "install.lock");
    fs.mkdirSync(lock, { recursive: true });
    const owner = { host: os.hostname(), pids: [Number(gone)] };
    fs.writeFileSync(path.join(lock, "owner"), JSON.stringify(owner));

    expect(bootstrap("echo").status).toBe(3);
    expect(fs.existsSync(lock)).toBe(false);
});
