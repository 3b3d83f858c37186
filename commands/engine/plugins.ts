/**
 * Provider plugins of the engine: found, or downloaded from Pulumi's own server.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

import type { Engine, Report } from "./engine";
import { folderOnPath } from "./executables";
import { runBounded } from "./runBounded";

export interface Plugin {
    /** Such as `docker`. */
    readonly name: string;
    /** Such as `5.2.0`. */
    readonly version: string;
}

export type EnsuredPlugin =
    | (Plugin & { readonly source: "path" | "engine" | "installed" | "download" })
    | (Plugin & {
          readonly source: "missing";
          /** Why the download failed, in a few words. */
          readonly reason: string;
          /** The same as one sentence that names the plugin. */
          readonly why: string;
      });

/** Seconds: a plugin is a download of about 30 MB. */
const downloadBounds = { silence: 20, limit: 300 };

/**
 * Where each plugin comes from, in the engine's own order: PATH, beside the engine, installed in
 * PULUMI_HOME, official download. The version of a plugin on PATH is not checked, as the engine uses it
 * whatever it is.
 */
export async function ensurePlugins(
    engine: Pick<Engine, "directory" | "command">,
    plugins: readonly Plugin[],
    report: Report,
): Promise<readonly EnsuredPlugin[]> {
    return Promise.all(
        plugins.map(
            async (plugin) => present(engine, plugin) ?? (await download(engine, plugin, report)),
        ),
    );
}

function present(engine: Pick<Engine, "directory">, plugin: Plugin): EnsuredPlugin | undefined {
    const file = executableOf(plugin);
    if (folderOnPath(file) !== undefined) {
        return { ...plugin, source: "path" };
    }
    if (existsSync(join(engine.directory, file))) {
        return { ...plugin, source: "engine" };
    }
    return isInstalled(plugin) ? { ...plugin, source: "installed" } : undefined;
}

function executableOf({ name }: Plugin): string {
    return `pulumi-resource-${name}${process.platform === "win32" ? ".exe" : ""}`;
}

/** The engine marks an installation that it has not finished by a `.partial` file beside the folder. */
function isInstalled(plugin: Plugin): boolean {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const folder = join(home, "plugins", `resource-${plugin.name}-v${plugin.version}`);
    return existsSync(join(folder, executableOf(plugin))) && !existsSync(`${folder}.partial`);
}

async function download(
    engine: Pick<Engine, "directory" | "command">,
    plugin: Plugin,
    report: Report,
): Promise<EnsuredPlugin> {
    const { name, version } = plugin;
    const ended = await runBounded(
        engine.command.command,
        ["plugin", "install", "resource", name, version, "--non-interactive", "--color=never"],
        {
            env: {
                ...process.env,
                PATH: [engine.directory, process.env["PATH"]].join(delimiter),
                PULUMI_SKIP_UPDATE_CHECK: "true",
            },
            ...downloadBounds,
        },
        () => report(`downloading the ${name} plugin ${version}, waiting for Pulumi's server`),
    );
    if (ended.ok && isInstalled(plugin)) {
        return { ...plugin, source: "download" };
    }
    // The engine's sentence names the plugin three times before it comes to the point.
    const reason = `its download: ${ended.reason.split(": ").at(-1)}`;
    return {
        ...plugin,
        source: "missing",
        reason,
        why: `the provider plugin ${name} ${version} is not installed and cannot be had (${reason})`,
    };
}
