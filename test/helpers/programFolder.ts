/**
 * Pulumi programs in a folder of their own, outside of this repository, where the package is installed
 * and what its package.json names, and nothing else is in reach; run by the real engine.
 */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import typescript from "typescript";

import type { Connection } from "../../components/timescale";
import { openEngine } from "./engineProcess";
import { engineDirectory } from "./engineStack";
import { startGuarded } from "./guarded";

const root = dirname(dirname(__dirname));

export interface Workspace {
    readonly folder: string;
    /** Puts a file there, or another one in its place; TypeScript is compiled, not checked. */
    readonly write: (path: string, text: string) => void;
    /** What the compiler has to say of all programs there, in strict mode; nothing when they are well. */
    readonly typeErrors: () => string;
    /** A new stack of the program in this folder of it. */
    readonly createStack: (program: string) => Promise<ProgramStack>;
}

export interface ProgramStack {
    /** Sets what says where the database is, and what else is given; a password as a secret. */
    readonly configure: (
        connection: Connection,
        others?: Readonly<Record<string, string>>,
    ) => Promise<void>;
    /** Runs the program; gives what was printed, and fails with that when it fails. */
    readonly run: (operation: "up" | "preview", options?: object) => Promise<string>;
    /** The same for a command of the CLI that needs no program. */
    readonly cli: (...args: readonly string[]) => Promise<string>;
}

/** A folder that goes with this process, however it ends. */
export function temporaryFolder(prefix: string): string {
    const folder = mkdtempSync(join(tmpdir(), prefix));
    startGuarded("", 'rm -rf "$1"', { args: [folder] }).release();
    return folder;
}

/** The archive that `npm run package` makes. */
export function packPackage(): string {
    const out = temporaryFolder("observatory-package-");
    const command = ["--import", "tsx", join("commands", "package.ts"), "--out", out];
    const printed = execFileSync(process.execPath, command, {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
    });
    return printed.split("\n")[0] ?? "";
}

/** @param archive installed there */
export function createWorkspace(archive: string): Workspace {
    const folder = temporaryFolder("other-programs-");
    const write: Workspace["write"] = (path, text) => {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
        if (!path.endsWith(".ts")) return;
        const { outputText } = typescript.transpileModule(text, {
            compilerOptions: {
                target: typescript.ScriptTarget.ES2022,
                module: typescript.ModuleKind.CommonJS,
            },
        });
        writeFileSync(file.replace(/\.ts$/, ".js"), outputText);
    };
    write("package.json", JSON.stringify({ name: "other-programs", private: true }));
    write("tsconfig.json", JSON.stringify({ compilerOptions }));
    cpSync(join(__dirname, "runProgram.cjs"), join(folder, "runProgram.cjs"));
    installPackage(folder, archive);
    return {
        folder,
        write,
        typeErrors: () => typeErrorsIn(folder),
        createStack: (program) => createStack(folder, program),
    };
}

/**
 * As npm does: unpacked, and beside it what its package.json names, which is taken from this
 * repository. What it loads and does not name is not found.
 */
function installPackage(folder: string, archive: string): void {
    const modules = join(folder, "node_modules");
    const there = join(modules, "pulumi-timescale");
    mkdirSync(there, { recursive: true });
    execFileSync("tar", ["-xzf", archive, "-C", there, "--strip-components", "1"]);
    const { dependencies, peerDependencies } = JSON.parse(
        readFileSync(join(there, "package.json"), "utf8"),
    ) as Readonly<Record<"dependencies" | "peerDependencies", Readonly<Record<string, string>>>>;
    const ofTheProgram = ["typescript", "@types/node"];
    for (const name of Object.keys({ ...dependencies, ...peerDependencies }).concat(ofTheProgram)) {
        const link = join(modules, name);
        mkdirSync(dirname(link), { recursive: true });
        symlinkSync(join(root, "node_modules", name), link);
    }
}

const compilerOptions = {
    target: "ES2022",
    module: "node16",
    moduleResolution: "node16",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    types: ["node"],
};

function typeErrorsIn(folder: string): string {
    const tsc = join(folder, "node_modules", "typescript", "bin", "tsc");
    try {
        execFileSync(process.execPath, [tsc, "--noEmit"], { cwd: folder, stdio: "pipe" });
        return "";
    } catch (error) {
        return String((error as { readonly stdout?: Buffer }).stdout ?? error);
    }
}

async function createStack(workspace: string, program: string): Promise<ProgramStack> {
    const directory = engineDirectory();
    if (directory === undefined) throw new Error("there is no Pulumi engine");
    const folder = join(workspace, program);
    const backend = temporaryFolder("observatory-backend-");
    const name = randomBytes(6).toString("hex");
    const environment = {
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_HOME: join(backend, "home"),
        PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PATH: [directory, process.env["PATH"]].join(delimiter),
    };
    const engine = await openEngine(directory);
    const cli: ProgramStack["cli"] = async (...args) =>
        (await engine.run([...args, "--stack", name], folder, environment)).stdout;
    await cli("stack", "init");
    return {
        cli,
        configure: async ({ password, sslRootCert: _, ...others }, more = {}) => {
            const plain = Object.entries({ ...others, ...more });
            await cli(
                ...["config", "set-all", "--secret", `password=${password}`],
                ...plain.flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]),
            );
        },
        run: async (operation, options = {}) => {
            const args = [join(workspace, "runProgram.cjs"), name, operation];
            const { stdout } = await promisify(execFile)(
                process.execPath,
                [...args, JSON.stringify(options)],
                { cwd: folder, env: { ...process.env, ...environment } },
            );
            return stdout;
        },
    };
}
