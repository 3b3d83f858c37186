/**
 * Which server `npm start` works on: what the user says, else what was chosen before, else docker
 * where it can be had, else embedded.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

import { keys, type Target, targets } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Engine, Report } from "../engine";
import { ensurePlugins, type Plugin } from "../engine/plugins";
import { whyNoDaemon, whyNoImage } from "./docker";
import { stackConfigFile, type Workspace } from "./workspace";

export interface Choice {
    readonly target: Target;
    /** Why, in one line for the user. */
    readonly why: string;
}

/** What can be asked about this machine; replaced in tests. */
export interface Probes {
    readonly daemon: () => Promise<string | undefined>;
    readonly image: (image: string) => Promise<string | undefined>;
    readonly plugins: (plugins: readonly Plugin[]) => Promise<string | undefined>;
}

export interface Wish {
    /** `--target`. */
    readonly asked: Target | undefined;
    /** What an earlier start has chosen. */
    readonly remembered: Target | undefined;
    /** The docker target's image. */
    readonly image: string;
}

/**
 * Chooses and makes sure that the target can work, before anything is created.
 *
 * @throws TimescaleError if the target that the user or an earlier start has named cannot
 */
export async function chooseTarget(wish: Wish, probes: Probes): Promise<Choice> {
    const named = wish.asked ?? wish.remembered;
    if (named !== undefined) {
        const obstacle = await whyNot(named, wish.image, probes);
        if (obstacle !== undefined) {
            throw new TimescaleError(`target ${named} cannot be used here`, {
                code: "target_unavailable",
                detail: `${obstacle}; the target was ${wish.asked === undefined ? "chosen by an earlier start" : "asked for"}`,
                hint: "mend that, or take the database inside Node: npm start -- --target embedded",
            });
        }
        return {
            target: named,
            why: wish.asked === undefined ? "as before" : "as asked for",
        };
    }
    const obstacle = await whyNot("docker", wish.image, probes);
    return obstacle === undefined
        ? { target: "docker", why: "a Docker daemon answers, and image and plugins are here" }
        : { target: "embedded", why: `docker cannot be used: ${obstacle}` };
}

async function whyNot(target: Target, image: string, probes: Probes): Promise<string | undefined> {
    switch (target) {
        case "docker":
            return (
                (await probes.daemon()) ??
                (await probes.plugins([plugin("docker"), plugin("postgresql")])) ??
                (await probes.image(image))
            );
        case "external":
            // Which plugins it needs depends on its config: see `requirePlugins`.
            return undefined;
        case "embedded":
            return undefined;
    }
}

/**
 * Makes sure of the plugin that external targets need when the program manages access.
 *
 * @throws TimescaleError if it is missing
 */
export async function requirePlugins(
    target: Target,
    manageAccess: boolean,
    probes: Probes,
): Promise<void> {
    if (target !== "external" || !manageAccess) {
        return;
    }
    const obstacle = await probes.plugins([plugin("postgresql")]);
    if (obstacle !== undefined) {
        throw new TimescaleError("target external cannot be used here", {
            code: "target_unavailable",
            detail: obstacle,
            hint: "install the plugin, or create database and roles yourself and give --config manageAccess=false",
        });
    }
}

/** The real probes. */
export function probesOf(engine: Engine, report: Report): Probes {
    return {
        daemon: () => {
            report("asking the Docker daemon");
            return whyNoDaemon();
        },
        image: (image) => whyNoImage(image, report),
        plugins: async (wanted) => {
            const missing = (await ensurePlugins(engine, wanted, report)).flatMap((ensured) =>
                ensured.source === "missing" ? [ensured] : [],
            );
            return missing[0] === undefined
                ? undefined
                : `${missing.map(({ name, version }) => `provider plugin ${name} ${version}`).join(" and ")} cannot be had (${missing[0].reason})`;
        },
    };
}

/** The plugin in the version of its installed SDK, so that package.json alone pins both. */
function plugin(name: "docker" | "postgresql"): Plugin {
    const file = require.resolve(`@pulumi/${name}/package.json`);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
    return { name, version };
}

/** Names of the stacks that `npm start` and `npm run deploy` have made. */
export function stacksHere(workspace: Workspace): readonly string[] {
    if (!existsSync(workspace.folder)) return [];
    return readdirSync(workspace.folder).filter(
        (name) => targetHere(workspace, name) !== undefined,
    );
}

/** Undefined where neither `npm start` nor `npm run deploy` has made a stack of this name. */
export function targetHere(workspace: Workspace, stack: string): Target | undefined {
    if (!existsSync(stackConfigFile(workspace, stack))) return undefined;
    // Those that `npm run deploy` names are for servers that run already.
    return targets.find((target) => target === stack) ?? "external";
}

export function rememberedTarget({ targetFile }: Workspace): Target | undefined {
    let text: string;
    try {
        text = readFileSync(targetFile, "utf8").trim();
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return undefined;
        }
        throw error;
    }
    const target = targets.find((known) => known === text);
    if (target === undefined) {
        throw new TimescaleError(`"${text}" is not a target`, {
            code: "invalid_target",
            detail: `${targetFile} names one of ${targets.join(", ")}`,
            hint: "delete the file, or choose again: npm start -- --target docker",
        });
    }
    return target;
}

export function rememberTarget({ folder, targetFile }: Workspace, target: Target): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(targetFile, `${target}\n`);
}

export const defaultImage = keys.image.default;
