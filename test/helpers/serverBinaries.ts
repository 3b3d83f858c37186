/** PostgreSQL's server programs on this machine, and the user that they may run as. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export interface ServerBinaries {
    /** Folder with `initdb`, `postgres` and `pg_basebackup`. */
    readonly directory: string;
    /** Such as "15.18". */
    readonly version: string;
    /** Default version of the TimescaleDB that can be created; `undefined` when there is none. */
    readonly timescaledb: string | undefined;
}

/** Every installation found, those with TimescaleDB first, then the newest. */
export function findServerBinaries(): readonly ServerBinaries[] {
    const found = new Map<string, ServerBinaries>();
    for (const config of pgConfigs()) {
        const binaries = describeInstallation(config);
        if (binaries !== undefined) found.set(fs.realpathSync(binaries.directory), binaries);
    }
    const rank = ({ version, timescaledb }: ServerBinaries) =>
        (timescaledb === undefined ? 0 : 1000) + Number.parseFloat(version);
    return [...found.values()].sort((a, b) => rank(b) - rank(a));
}

/** Why no server can be started here; `undefined` when one can. */
export function whyNoServer(): string | undefined {
    if (findServerBinaries().length === 0) {
        return "no PostgreSQL server programs (initdb, postgres) are installed on this machine";
    }
    if (process.getuid?.() === 0 && serverUser() === undefined) {
        return "PostgreSQL refuses to run as root, and there is no user postgres or nobody";
    }
    return undefined;
}

/** PostgreSQL refuses to run as root: the user to take instead. */
export function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
    if (process.getuid?.() !== 0) return undefined;
    for (const name of ["postgres", "nobody"]) {
        const uid = output("id", ["-u", name]);
        const gid = output("id", ["-g", name]);
        if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
    }
    return undefined;
}

/** The trimmed output of a program; `undefined` when it is missing or fails. */
export function output(program: string, args: readonly string[]): string | undefined {
    try {
        return execFileSync(program, args, {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
            timeout: 10_000,
        }).trim();
    } catch {
        // Not there is an answer; what it means is for the caller to say.
        return undefined;
    }
}

/** Debian and Homebrew keep the programs of each major version in a folder off PATH. */
const installationFolders = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"];

function pgConfigs(): readonly string[] {
    const folders = installationFolders.flatMap((parent) =>
        fs.existsSync(parent)
            ? fs
                  .readdirSync(parent)
                  .filter((name) => /^(postgresql@?|pgsql-)?\d+$/.test(name))
                  .map((name) => path.join(parent, name, "bin", "pg_config"))
            : [],
    );
    return ["pg_config", ...folders.filter((file) => fs.existsSync(file))];
}

function describeInstallation(config: string): ServerBinaries | undefined {
    const directory = output(config, ["--bindir"]);
    const sharedir = output(config, ["--sharedir"]);
    const version = output(config, ["--version"])?.match(/\d+(\.\d+)?/)?.[0];
    if (directory === undefined || sharedir === undefined || version === undefined)
        return undefined;
    const programs = ["initdb", "postgres"].map((name) => path.join(directory, name));
    if (!programs.every((file) => fs.existsSync(file))) return undefined;
    const control = path.join(sharedir, "extension", "timescaledb.control");
    const timescaledb = fs.existsSync(control)
        ? fs.readFileSync(control, "utf8").match(/default_version\s*=\s*'([^']+)'/)?.[1]
        : undefined;
    return { directory, version, timescaledb };
}
