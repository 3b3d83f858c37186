/**
 * Where `npm start` keeps what belongs to this clone: the folder `.observatory/`, which git ignores.
 */
import { join } from "node:path";

import { embeddedDirectory } from "../embedded/server";

export interface Workspace {
    /** The repository. */
    readonly root: string;
    readonly folder: string;
    /** Names the chosen target. */
    readonly targetFile: string;
    /** Pulumi's state of all targets. */
    readonly stateFolder: string;
    /** Encrypts the secrets in config and state. */
    readonly passphraseFile: string;
}

export function workspaceIn(root: string): Workspace {
    const folder = join(root, ".observatory");
    return {
        root,
        folder,
        targetFile: join(folder, "target"),
        stateFolder: join(folder, "state"),
        passphraseFile: join(folder, "passphrase"),
    };
}

/**
 * One stack per target, of the same name, and one per database of `npm run deploy`; its `Pulumi.*.yaml` files
 * lie here, away from tracked ones.
 */
export function stackFolder({ folder }: Workspace, name: string): string {
    return join(folder, name);
}

export function stackConfigFile(workspace: Workspace, name: string): string {
    return join(stackFolder(workspace, name), `Pulumi.${name}.yaml`);
}

/** The embedded server's data, where `npm run serve` looks for it. */
export function embeddedDataFolder({ root }: Workspace): string {
    return join(root, embeddedDirectory);
}

/**
 * Pulumi's settings for these stacks, as environment variables: the plain CLI works on them as well.
 *
 * With metadata, the backend writes a second file beside each of its own, and not in one step: an engine
 * killed in that moment leaves a state that no engine reads ("failed to load checkpoint: EOF").
 */
export function pulumiEnvironment(workspace: Workspace): Readonly<Record<string, string>> {
    return {
        PULUMI_BACKEND_URL: `file://${workspace.stateFolder}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE_FILE: workspace.passphraseFile,
    };
}
