/**
 * The first thing `npm start`, `npm test` and `npm run serve` run: makes sure of Node and of the
 * dependencies, then hands over to `commands/<name>.ts`.
 *
 * Plain JavaScript without dependencies, because it runs before `node_modules` exists.
 */
import { spawn } from "node:child_process";
import {
    existsSync,
    lstatSync,
    mkdirSync,
    readFileSync,
    realpathSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { constants, hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);

process.exitCode = await main();

/** @returns {Promise<number>} the exit code */
async function main() {
    const command = join(root, "commands", `${name}.ts`);
    if (name === undefined || !/^[a-z]+$/.test(name) || !existsSync(command)) {
        return refuse(
            `there is no command "${name ?? ""}"`,
            "commands/bootstrap.mjs runs commands/<name>.ts",
            'run "npm start", "npm test" or "npm run serve"',
        );
    }
    const range = readJson("package.json").engines.node;
    if (!satisfies(process.versions.node, range)) {
        return refuse(
            `Node ${process.versions.node} is not supported`,
            `package.json asks for ${range}`,
            "install one of these versions (https://nodejs.org) and run the command again",
        );
    }
    if (!isInstalled() && !(await install())) {
        return 1;
    }
    return run(process.execPath, ["--import", "tsx", command, ...args]);
}

/**
 * Whether a version lies in a range of `^a.b.c`, `>=a.b.c` and `||`, the forms package.json uses.
 *
 * @param {string} version @param {string} range @returns {boolean}
 */
function satisfies(version, range) {
    const actual = numbers(version);
    return range.split("||").some((part) => {
        const wanted = numbers(part);
        const atLeast = compare(actual, wanted) >= 0;
        return part.trim().startsWith("^") ? atLeast && actual[0] === wanted[0] : atLeast;
    });
}

/** @param {string} text @returns {number[]} */
function numbers(text) {
    return (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

/** @param {number[]} left @param {number[]} right @returns {number} */
function compare(left, right) {
    const differs = [0, 1, 2].find((i) => (left[i] ?? 0) !== (right[i] ?? 0));
    return differs === undefined ? 0 : (left[differs] ?? 0) - (right[differs] ?? 0);
}

/**
 * Whether `node_modules` holds what package-lock.json names.
 *
 * npm writes `.package-lock.json` as the last act of an installation, so it is both the mark of a
 * finished one and the list of what it installed, whoever ran it. What npm leaves out on this
 * platform is marked optional.
 */
function isInstalled() {
    const marker = join("node_modules", ".package-lock.json");
    if (!existsSync(join(root, marker))) {
        return false;
    }
    const installed = readJson(marker).packages;
    return Object.entries(readJson("package-lock.json").packages).every(
        ([path, wanted]) =>
            path === "" ||
            (installed[path] === undefined
                ? wanted.optional === true || wanted.devOptional === true
                : installed[path].version === wanted.version &&
                  installed[path].integrity === wanted.integrity),
    );
}

/** Runs `npm ci` under a lock. @returns {Promise<boolean>} whether the dependencies are there */
async function install() {
    const held = await lock();
    try {
        return isInstalled() || (await npmCi(held));
    } finally {
        held.release();
    }
}

/** @param {Lock} held @returns {Promise<boolean>} */
async function npmCi(held) {
    const folder = join(root, "node_modules");
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
        refuse(
            "the dependencies are not those of package-lock.json",
            `node_modules is a link to ${realpathSync(folder)}, which npm ci would empty for everyone who uses it`,
            "remove the link, or install there what package-lock.json names",
        );
        return false;
    }
    // Without its marker, an installation that is killed on the way cannot be taken for a finished one.
    rmSync(join(folder, ".package-lock.json"), { force: true });
    const [command, prefix] = npm();
    const child = spawn(command, [...prefix, "ci", "--no-audit", "--no-fund", "--loglevel=warn"], {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        shell: process.platform === "win32" && prefix.length === 0,
    });
    held.name(child.pid);
    const passOn = forward(child);
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => (output += chunk);
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const stopProgress = progress("installing dependencies (npm ci), waiting for the npm registry");
    const code = await ended(child);
    passOn.stop();
    stopProgress(code === 0 ? "installed dependencies" : "npm ci failed");
    if (code === 0 && isInstalled()) {
        return true;
    }
    process.stderr.write(`\n${output.trim()}\n\n`);
    refuse(
        "the dependencies could not be installed",
        code === 0
            ? "npm ci ended well, but node_modules lacks what package-lock.json names"
            : `npm ci ended with code ${code}; its output is above`,
        'check that this machine reaches the npm registry ("npm ping") and run the command again',
    );
    return false;
}

/** The npm that runs this script, else the one on PATH. @returns {[string, string[]]} */
function npm() {
    const cli = process.env.npm_execpath;
    return cli !== undefined && basename(cli) === "npm-cli.js"
        ? [process.execPath, [cli]]
        : ["npm", []];
}

/**
 * @typedef {object} Lock
 * @property {(pid: number | undefined) => void} name makes a child process an owner as well: `npm ci`
 *     goes on when only this process is killed
 * @property {() => void} release
 */

/**
 * Holds `.observatory/install.lock`, a folder that names its owners' process ids, while `npm ci` runs.
 * A lock whose owners are gone is taken over.
 *
 * @returns {Promise<Lock>}
 */
async function lock() {
    const path = join(root, ".observatory", "install.lock");
    mkdirSync(dirname(path), { recursive: true });
    let stopProgress;
    for (;;) {
        try {
            mkdirSync(path);
            writeFileSync(join(path, "owner"), owner(process.pid));
            stopProgress?.("the other installation has ended");
            return {
                name: (pid) => writeFileSync(join(path, "owner"), owner(process.pid, pid)),
                release: () => rmSync(path, { recursive: true, force: true }),
            };
        } catch (error) {
            if (error.code !== "EEXIST") {
                throw error;
            }
        }
        const held = lockOwner(path);
        if (held !== undefined && isGone(held)) {
            takeAway(path, held);
            continue;
        }
        stopProgress ??= progress(
            `waiting for another installation of the dependencies (${held ?? "starting"}; if there is none, delete ${path})`,
        );
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
}

/** @param {(number | undefined)[]} pids @returns {string} */
function owner(...pids) {
    return JSON.stringify({ host: hostname(), pids: pids.filter((pid) => pid !== undefined) });
}

/** @param {string} path @returns {string | undefined} undefined while the owner has not yet written its name */
function lockOwner(path) {
    try {
        return readFileSync(join(path, "owner"), "utf8") || undefined;
    } catch (error) {
        if (error.code !== "ENOENT") {
            throw error;
        }
        return undefined;
    }
}

/** @param {string} held @returns {boolean} */
function isGone(held) {
    const { host, pids } = JSON.parse(held);
    return host === hostname() && pids.every((/** @type {number} */ pid) => !isAlive(pid));
}

/** @param {number} pid @returns {boolean} */
function isAlive(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return error.code !== "ESRCH";
    }
}

/**
 * Removes a dead lock. Two waiters may see the same dead owner: the second one's rename then takes a
 * lock that the first has just made, which the name inside tells, and puts it back.
 *
 * @param {string} path @param {string} dead
 */
function takeAway(path, dead) {
    const aside = `${path}.${process.pid}`;
    try {
        renameSync(path, aside);
    } catch (error) {
        if (error.code === "ENOENT") {
            return;
        }
        throw error;
    }
    if (lockOwner(aside) === dead) {
        rmSync(aside, { recursive: true, force: true });
    } else {
        renameSync(aside, path);
    }
}

/**
 * Runs the command on this terminal and passes signals on.
 *
 * @param {string} command @param {string[]} commandArgs @returns {Promise<number>} its exit code
 */
async function run(command, commandArgs) {
    const child = spawn(command, commandArgs, { cwd: root, stdio: "inherit" });
    forward(child);
    return ended(child);
}

/**
 * Passes signals on and stays alive itself, so that the child's end decides.
 *
 * @param {import("node:child_process").ChildProcess} child @returns {{ stop: () => void }}
 */
function forward(child) {
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    signals.forEach((signal) => process.on(signal, pass));
    return { stop: () => signals.forEach((signal) => process.off(signal, pass)) };
}

/** @param {import("node:child_process").ChildProcess} child @returns {Promise<number>} */
function ended(child) {
    return new Promise((resolve) => {
        child.once("error", (error) => {
            process.stderr.write(`${error.message}\n`);
            resolve(127);
        });
        child.once("close", (code, signal) => {
            resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
        });
    });
}

/**
 * Says what is waited for and for how long: on one line of a terminal, else as a line now and then.
 *
 * @param {string} what @returns {(done: string) => void} ends it
 */
function progress(what) {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    const { stderr } = process;
    const show = () => {
        if (stderr.isTTY) {
            stderr.write(`\r\u001b[K${what} (${seconds()} s)`);
        } else {
            stderr.write(seconds() === 0 ? `${what}\n` : `${what} (${seconds()} s)\n`);
        }
    };
    show();
    const timer = setInterval(show, stderr.isTTY ? 1000 : 10_000);
    return (done) => {
        clearInterval(timer);
        stderr.write(`${stderr.isTTY ? "\r\u001b[K" : ""}${done} (${seconds()} s)\n`);
    };
}

/**
 * @param {string} message @param {string} detail @param {string} hint
 * @returns {number} the exit code
 */
function refuse(message, detail, hint) {
    process.stderr.write(`error: ${message}\n  detail: ${detail}\n  hint:   ${hint}\n`);
    return 1;
}

/** @param {string} path @returns {any} */
function readJson(path) {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
}
