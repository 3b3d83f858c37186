/** `npm run serve` as somebody runs it: what it prints, how it ends, what it refuses. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";

import { examine } from "../../commands/doctor/examine";
import { embeddedConnection } from "../../commands/embedded/server";
import { withSession } from "../../components/timescale/core/connection/session";
import { connect, embeddedFolders, sleep, until } from "./embeddedFolders";

const { fresh, workspace } = embeddedFolders();

const root = path.resolve(__dirname, "../..");

interface Command {
    readonly ended: Promise<{ readonly exitCode: number | null; readonly output: string }>;
    output(): string;
    kill(signal: NodeJS.Signals): void;
}

function start(...args: readonly string[]): Command {
    const child = spawn(
        process.execPath,
        ["--require", require.resolve("tsx/cjs"), "commands/serve.ts", ...args],
        { cwd: root, env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += String(bytes)));
    child.stderr.on("data", (bytes: Buffer) => (text += String(bytes)));
    return {
        ended: new Promise((resolve) =>
            child.once("close", (exitCode) => resolve({ exitCode, output: text })),
        ),
        output: () => text,
        kill: (signal) => void child.kill(signal),
    };
}

async function serving(...args: readonly string[]): Promise<Command & { readonly port: number }> {
    const command = start("--port", "0", ...args);
    const port = () => /on 127\.0\.0\.1:(\d+)/.exec(command.output())?.[1];
    await until(() => port() !== undefined, "the server", 60_000);
    return { ...command, port: Number(port()) };
}

/** What doctor finds and remarks, as any login. */
async function doctor(port: number): Promise<{ readonly codes: string[]; readonly notes: string }> {
    const reader = embeddedConnection(address(port), "observatory_reader");
    const { findings, notes } = await withSession(reader, (session) =>
        examine(session, { complete: false }),
    );
    return { codes: findings.map(({ code }) => code), notes: notes.join("\n") };
}

const address = (port: number) =>
    ({ host: "127.0.0.1", port, database: "llm_observatory" }) as const;

it("runs jobs, logs each with --verbose, and ends on Ctrl-C with 0", async () => {
    const directory = fresh("verbose");
    const { port, output, kill, ended } = await serving("--directory", directory, "--verbose");
    const owner = await connect(address(port));
    await owner.query("CREATE PROCEDURE tick(a int, b jsonb) LANGUAGE plpgsql AS $$BEGIN END$$");
    await owner.query("SELECT add_job('tick', interval '1 hour')");
    await until(() => /job \d+, tick: done in/.test(output()), "the job's line");
    await owner.end();

    kill("SIGINT");
    const { exitCode } = await ended;

    expect(exitCode).toBe(0);
    expect(output()).toContain("closing the database");
    expect(output()).toContain("policies run on their schedule");
    expect(fs.existsSync(`${directory}.lock`)).toBe(false);
}, 120_000);

it("logs failures only without --verbose, and nothing runs with --no-jobs", async () => {
    const directory = fresh("quiet");
    const first = await serving("--directory", directory, "--no-jobs");
    const owner = await connect(address(first.port));
    await owner.query("CREATE PROCEDURE tick(a int, b jsonb) LANGUAGE plpgsql AS $$BEGIN END$$");
    await owner.query(
        "CREATE PROCEDURE bad(a int, b jsonb) LANGUAGE plpgsql AS $$BEGIN RAISE 'no way'; END$$",
    );
    await owner.query("SELECT add_job('tick', '1 hour'), add_job('bad', '1 hour')");
    await sleep(2500);
    await owner.end();
    const idle = await doctor(first.port);
    expect([idle.codes, idle.notes]).toEqual([[], expect.stringContaining("nothing runs jobs here")]); // prettier-ignore
    first.kill("SIGTERM");
    expect((await first.ended).exitCode).toBe(0);
    expect(first.output()).toContain("none runs by itself (--no-jobs)");
    expect(first.output()).not.toMatch(/job \d+/);

    const second = await serving("--directory", directory);
    await until(() => /bad: failed, once in a row: no way \(P0001\)/.test(second.output()), "it");
    expect(second.output()).not.toContain("tick");

    // What a killed one has left is not what the next one says of itself.
    const ill = await doctor(second.port);
    expect([ill.codes, ill.notes]).toEqual([["job_failing"], expect.not.stringContaining("nothing runs jobs")]); // prettier-ignore
    second.kill("SIGKILL");
    await second.ended;
    const third = await serving("--directory", directory, "--no-jobs");
    expect((await doctor(third.port)).codes).toEqual([]);
    third.kill("SIGTERM");
    await third.ended;
}, 180_000);

it("says who has the port, and ends with 1", async () => {
    const blocker = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as net.AddressInfo;

    const { exitCode, output } = await start("--port", `${port}`, "--directory", fresh("port"))
        .ended;
    blocker.close();

    expect(exitCode).toBe(1);
    expect(output).toContain(`cannot listen on port ${port}`);
    expect(output).toContain("another port");
}, 60_000);

it("says that another process serves the folder, where, and ends with 0", async () => {
    const directory = fresh("served");
    const first = await serving("--directory", directory);

    const { exitCode, output } = await start("--directory", directory).ended;
    first.kill("SIGTERM");
    await first.ended;

    expect(exitCode).toBe(0);
    expect(output).toMatch(
        new RegExp(`process \\d+ already serves .*127\\.0\\.0\\.1:${first.port}`),
    );
}, 120_000);

it("refuses a folder of something else and a port that is none", async () => {
    const directory = path.join(workspace, "letters");
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, "letter.txt"), "dear");

    const foreign = await start("--directory", directory).ended;
    expect(foreign.exitCode).toBe(1);
    expect(foreign.output).toContain("is not a data folder of the embedded database");

    const port = await start("--port", "70000").ended;
    expect(port.exitCode).toBe(1);
    expect(port.output).toContain("a port is a whole number");
}, 60_000);
