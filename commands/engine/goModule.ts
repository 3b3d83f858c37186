/**
 * An engine built from Pulumi's own Go modules, for machines that reach a Go module proxy but not
 * Pulumi's downloads.
 *
 * It lacks the Node language host, which is not among the published modules; inline programs of the
 * Automation API do without.
 */
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { lock } from "proper-lockfile";

import {
    type Attempt,
    type Engine,
    engineIn,
    engineVersion,
    executable,
    type Report,
    shim,
} from "./engine";
import { folderOnPath, isExecutable } from "./executables";
import { type Ended, runBounded } from "./runBounded";

const goExecutable = process.platform === "win32" ? "go.exe" : "go";
const pkgModule = "github.com/pulumi/pulumi/pkg/v3";
const sdkModule = "github.com/pulumi/pulumi/sdk/v3";
const cli = `${pkgModule}/cmd/pulumi`;
const versionVariable = `${sdkModule}/go/common/version.Version`;

/** Seconds: modules come over the network, one after the other; a compiled package may take a while. */
const downloadBounds = { silence: 120, limit: 1800 };
const compileBounds = { silence: 900, limit: 3600 };

/** The engine that an earlier build has left, or undefined. */
export async function builtEngine(): Promise<Engine | undefined> {
    return isBuilt() ? engineIn(join(home(), "bin"), "go-module") : undefined;
}

/**
 * Builds the engine into the cache folder, or waits for another process that does. The folder appears
 * under its name only when it is complete.
 */
export async function buildEngine(report: Report): Promise<Attempt> {
    if (folderOnPath(goExecutable) === undefined) {
        return {
            unavailable: "Go, which could build Pulumi from its Go module, is not on PATH",
            hint: "install Go 1.25 or newer: https://go.dev/dl/",
        };
    }
    await mkdir(cache(), { recursive: true });
    const release = await lockCache(report);
    try {
        const failure = isBuilt() ? undefined : await build(report);
        return failure ?? (await engineIn(join(home(), "bin"), "go-module"));
    } finally {
        await release();
    }
}

/** Outside the work tree, so that every clone on this machine shares it. */
function cache(): string {
    const base =
        process.env["XDG_CACHE_HOME"] ?? process.env["LOCALAPPDATA"] ?? join(homedir(), ".cache");
    return join(base, "pulumi-timescale");
}

function home(): string {
    return join(cache(), `engine-${engineVersion}-${process.platform}-${process.arch}`);
}

function isBuilt(): boolean {
    return isExecutable(join(home(), "bin", executable)) && existsSync(join(home(), "bin", shim));
}

/** One build at a time. The lock of a process that was killed goes stale after half a minute. */
async function lockCache(report: Report): Promise<() => Promise<void>> {
    for (;;) {
        try {
            return await lock(cache(), {
                stale: 30_000,
                update: 5_000,
                // Two builds at once waste time and harm nothing: each works in a folder of its own.
                onCompromised: (error) => report(`the build's lock was lost: ${error.message}`),
            });
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ELOCKED") {
                throw error;
            }
        }
        report(`waiting for another process that builds Pulumi ${engineVersion}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
    }
}

async function build(report: Report): Promise<Attempt | undefined> {
    await sweep();
    const work = await mkdtemp(join(cache(), workPrefix));
    try {
        const failure = await buildIn(work, report);
        if (failure === undefined) {
            await rm(home(), { recursive: true, force: true });
            await rename(join(work, "engine"), home());
        }
        return failure;
    } finally {
        await rm(work, { recursive: true, force: true });
    }
}

const workPrefix = "building-";

/** Under the lock, every work folder is one that a killed build has left. */
async function sweep(): Promise<void> {
    const left = (await readdir(cache())).filter((name) => name.startsWith(workPrefix));
    for (const name of left) {
        await rm(join(cache(), name), { recursive: true, force: true });
    }
}

async function buildIn(work: string, report: Report): Promise<Attempt | undefined> {
    const bin = join(work, "engine", "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(
        join(work, "go.mod"),
        `module engine\n\ngo 1.25\n\nrequire ${pkgModule} v${engineVersion}\n`,
    );
    const packages = await go(work, ["list", "-deps", "-f", "{{.ImportPath}}", cli], {
        doing: (lines) => downloading(count(lines, /^go: downloading/)),
        bounds: downloadBounds,
        report,
    });
    if (!packages.ok) {
        return unavailable("downloading its modules", packages);
    }
    const total = packages.stdout.split("\n").length;
    const flags = [`-ldflags=-s -w -X ${versionVariable}=v${engineVersion}`];
    const compiled = await go(work, ["build", "-v", ...flags, "-o", join(bin, executable), cli], {
        doing: (lines) =>
            `compiling (${count(lines, /^[a-z][^ ]*$/)} of at most ${total} packages)`,
        bounds: compileBounds,
        report,
    });
    if (!compiled.ok) {
        return unavailable("compiling", compiled);
    }
    const sdk = await go(work, ["list", "-m", "-f", "{{.Dir}}", sdkModule], {
        doing: () => "copying the shim for dynamic providers",
        bounds: downloadBounds,
        report,
    });
    if (!sdk.ok) {
        return unavailable("finding the shim for dynamic providers", sdk);
    }
    await copyFile(join(sdk.stdout.trim(), "nodejs", "dist", shim), join(bin, shim));
    // Files in Go's module cache are read-only and not executable.
    await chmod(join(bin, shim), 0o755);
    return undefined;
}

interface Step {
    /** What is being done, from all lines of output so far. */
    readonly doing: (lines: readonly string[]) => string;
    readonly bounds: { readonly silence: number; readonly limit: number };
    readonly report: Report;
}

async function go(
    work: string,
    [subcommand, ...args]: readonly [string, ...string[]],
    { doing, bounds, report }: Step,
): Promise<Ended> {
    const lines: string[] = [];
    let reported: string | undefined;
    return runBounded(
        goExecutable,
        [subcommand, "-mod=mod", ...args],
        { cwd: work, env: goEnvironment(), ...bounds },
        (line) => {
            if (line !== undefined) {
                lines.push(line);
            }
            const now = `building Pulumi ${engineVersion} with Go, ${doing(lines)}`;
            if (now !== reported) {
                reported = now;
                report(now);
            }
        },
    );
}

/**
 * The user's Go settings without those that belong to some work tree of theirs. The toolchain that the
 * module asks for is fetched when the installed one is older.
 */
function goEnvironment(): NodeJS.ProcessEnv {
    return { ...process.env, GOWORK: "off", GOFLAGS: "-buildvcs=false", GOTOOLCHAIN: "auto" };
}

function unavailable(step: string, ended: Ended): Attempt {
    return {
        unavailable: `building Pulumi ${engineVersion} with Go failed while ${step}: ${ended.reason}`,
        hint: 'let Go reach a module proxy ("go env GOPROXY") and give it 4 GB of disk and 3 GB of memory',
    };
}

function downloading(modules: number): string {
    return modules === 0 ? "resolving its modules" : `downloading modules (${modules} so far)`;
}

function count(lines: readonly string[], pattern: RegExp): number {
    return lines.filter((line) => pattern.test(line)).length;
}
