/**
 * Which stack a deploy works on. A database has a stack of its own, named by where it is, so that two
 * databases never share a state; beside them are the stacks of npm start.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { namespace, type Target } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { rememberedTarget, stacksHere, targetHere } from "../start/target";
import { stackFolder, type Workspace } from "../start/workspace";

export interface Place {
    readonly target: Target;
    /** Of the stack. */
    readonly name: string;
    /** Of the database that flags or variables name. */
    readonly connection: Connection | undefined;
}

const prefix = "deploy-";

/** Such as `deploy-db.example.com-5432-metrics-1f3a5c`: readable, and different for every database. */
export function stackNameOf({ host, port, database }: Connection): string {
    const readable = [host, port, database].join("-").replace(/[^A-Za-z0-9_.-]/g, "-");
    const hash = createHash("sha256").update(JSON.stringify([host, port, database]));
    return `${prefix}${readable.slice(0, 80)}-${hash.digest("hex").slice(0, 6)}`;
}

/** @throws TimescaleError when there is no such stack here */
export function placeOf(
    workspace: Workspace,
    connection: Connection | undefined,
    stack: string | undefined,
): Place {
    if (connection !== undefined) {
        return { target: "external", name: stackNameOf(connection), connection };
    }
    const name = stack ?? rememberedTarget(workspace);
    const target = name === undefined ? undefined : targetHere(workspace, name);
    if (name === undefined || target === undefined) {
        throw new TimescaleError(
            name === undefined ? "no database was named" : `there is no stack ${name}`,
            {
                code: "no_stack",
                detail: `without --db-host, --db-port, --db-name and --db-user, and without PGHOST, PGPORT, PGDATABASE and PGUSER, it deploys to a stack that is here: ${stacksHere(workspace).join(", ") || "there is none"}`,
                hint: "say which database is meant, such as --db-host localhost --db-name llm_observatory, or run npm start first",
            },
        );
    }
    return { target, name, connection: undefined };
}

/** Whether an earlier deploy has made the stack. */
export function isMade(workspace: Workspace, { name }: Place): boolean {
    return targetHere(workspace, name) !== undefined;
}

const previewPrefix = "preview-";

/**
 * A copy of the stack, its state and its passphrase for a preview: whatever that writes is written there, and
 * goes with it.
 */
export async function withCopy<T>(
    workspace: Workspace,
    { name }: Place,
    work: (copy: Workspace) => Promise<T>,
): Promise<T> {
    const { root, folder } = workspace;
    removePreviews(workspace);
    // In the repository: the provider's process finds the package from its folder upwards.
    const copy = join(folder, `${previewPrefix}${process.pid}`);
    const stateFolder = join(copy, "state");
    const passphraseFile = join(copy, "passphrase");
    const at: Workspace = { root, folder: copy, targetFile: join(copy, "target"), stateFolder, passphraseFile }; // prettier-ignore
    mkdirSync(stateFolder, { recursive: true });
    process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
    try {
        const state = join(".pulumi", "stacks", namespace, `${name}.json`);
        for (const [from, to] of [
            [stackFolder(workspace, name), stackFolder(at, name)],
            [workspace.passphraseFile, passphraseFile],
            [join(workspace.stateFolder, ".pulumi", "meta.yaml"), join(stateFolder, ".pulumi", "meta.yaml")], // prettier-ignore
            [join(workspace.stateFolder, state), join(stateFolder, state)],
        ] as const) {
            if (existsSync(from)) cpSync(from, to, { recursive: true });
        }
        return await work(at);
    } finally {
        rmSync(copy, { recursive: true, force: true });
    }
}

/** Of previews that were killed. */
function removePreviews({ folder }: Workspace): void {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) {
        const pid = Number(new RegExp(`^${previewPrefix}(\\d+)$`).exec(name)?.[1]);
        if (Number.isInteger(pid) && !isAlive(pid)) {
            rmSync(join(folder, name), { recursive: true, force: true });
        }
    }
}

function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}
