/**
 * The Pulumi engine: the `pulumi` CLI and, beside it, the shim that starts dynamic providers.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

import { automation } from "@pulumi/pulumi";

import { folderOnPath } from "./executables";

/** Says in one line what is being done or waited for. */
export type Report = (line: string) => void;

export interface Engine {
    readonly command: automation.PulumiCommand;
    /** Such as `3.259.0`. */
    readonly version: string;
    readonly source: EngineSource;
    /** The folder that holds the `pulumi` executable: put first on PATH, it makes `pulumi` this engine. */
    readonly directory: string;
    /**
     * Whether the Node language host is there as well: without it the engine runs inline programs of the
     * Automation API, but `pulumi up` on a project folder only with the host that this project has.
     */
    readonly languageHost: boolean;
}

export type EngineSource = "path" | "download" | "go-module";

/** Either an engine, or why this way led to none: one sentence, and what to do about it. */
export type Attempt = Engine | Unavailable;

export interface Unavailable {
    readonly unavailable: string;
    readonly hint: string;
}

/**
 * The engine's release. It is on npm (the official downloader) and a Go module, so that both ways give
 * the same engine; it works with `@pulumi/pulumi` 3.248.0, the last SDK for Node 20.
 */
export const engineVersion = "3.259.0";

/** The oldest engine on PATH that is used: since then `read` of a dynamic provider may return inputs. */
export const oldestVersion = "3.216.0";

const windows = process.platform === "win32";

export const executable = windows ? "pulumi.exe" : "pulumi";

/** Starts the Node process of a dynamic provider; a shell script that every distribution brings. */
export const shim = windows ? "pulumi-resource-pulumi-nodejs.cmd" : "pulumi-resource-pulumi-nodejs";

export const languageHostExecutable = windows
    ? "pulumi-language-nodejs.exe"
    : "pulumi-language-nodejs";

/** Has the language host of this project, a shell script. */
export const languageHostFolder = join(__dirname, "host");

/**
 * The engine in this folder, asked for its version (a third of a second). A folder that is not on PATH
 * must be named `bin`: the Automation API wants its parent.
 */
export async function engineIn(directory: string, source: EngineSource): Promise<Engine> {
    const command = await automation.PulumiCommand.get(
        source === "path" ? undefined : { root: dirname(directory) },
    );
    return {
        command,
        version: command.version?.version ?? "unknown",
        source,
        directory,
        languageHost: hasBeside(directory, languageHostExecutable),
    };
}

/** Whether an engine in this folder finds the executable: beside itself, or on PATH. */
export function hasBeside(directory: string, name: string): boolean {
    return existsSync(join(directory, name)) || folderOnPath(name) !== undefined;
}
