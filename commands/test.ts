/**
 * `npm test`: every suite that can run here, after making sure of the engine. Arguments go to Jest:
 * `npm test -- --selectProjects unit`, `npm test -- -t "is empty"`.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { explain, TimescaleError } from "../components/timescale/core/errors";
import { engineVariable, recordEnvironment, reportVariable } from "../test/helpers/environment";
import { type Engine, ensureEngine } from "./engine";
import { withStep } from "./progress";
import { exitCodeOf } from "./test/exitCode";
import { wantsEngine } from "./test/selection";

const root = dirname(__dirname);

async function main(args: readonly string[]): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), "observatory-test-run-"));
    const totals = join(folder, "totals");
    process.env[reportVariable] = join(folder, "report");
    process.env["OBSERVATORY_TEST_TOTALS"] = totals;
    try {
        writeFileSync(process.env[reportVariable], "");
        if (wantsEngine(args)) {
            await offerEngine();
        }
        const code = await jest(args);
        // `--help`, `--listTests` and the like run nothing.
        const said = existsSync(totals) ? readFileSync(totals, "utf8") : undefined;
        if (said !== undefined) process.stdout.write(said);
        return exitCodeOf(code, said);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** Passes the engine to the suites by the environment, first on PATH as well. */
async function offerEngine(): Promise<void> {
    const engine = await findEngine();
    if (engine === undefined) {
        return;
    }
    process.env[engineVariable] = engine.directory;
    process.env["PATH"] = [engine.directory, process.env["PATH"]].join(delimiter);
    recordEnvironment(`engine: Pulumi ${engine.version} in ${engine.directory}`);
}

async function findEngine(): Promise<Engine | undefined> {
    return withStep("looking for the Pulumi engine", async (step) => {
        try {
            const engine = await ensureEngine(step.report);
            step.done(`Pulumi engine ${engine.version}`);
            return engine;
        } catch (error) {
            if (!(error instanceof TimescaleError)) {
                throw error;
            }
            step.fail("there is no Pulumi engine");
            recordEnvironment(`not run: engine suite: ${explain(error)}`);
            return undefined;
        }
    });
}

async function jest(args: readonly string[]): Promise<number> {
    const child = spawn(
        process.execPath,
        [require.resolve("jest/bin/jest"), "--config", join(root, "jest.config.cjs"), ...args],
        { cwd: root, stdio: "inherit" },
    );
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => child.kill(signal));
    }
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, signal) => {
            resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
        });
    });
}

main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
    },
);
