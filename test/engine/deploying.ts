/** Runs `npm run deploy` and its neighbours as people do, and clears up what they leave in this folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { stackNameOf } from "../../commands/deploy/place";
import type { Connection } from "../../components/timescale/core/connection/connection";

export const root = join(__dirname, "..", "..");
export const folder = join(root, ".observatory");

export interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

export interface Running {
    readonly child: ChildProcess;
    readonly ended: Promise<Ended>;
    /** Resolves once standard error holds it; rejects when the command ends before. */
    readonly says: (text: RegExp) => Promise<void>;
}

/** Without a terminal, as in CI. */
export function command(
    name: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
): Running {
    const child = spawn(
        process.execPath,
        ["--import", "tsx", join(root, "commands", `${name}.ts`), ...args],
        {
            cwd: root,
            env: { ...process.env, NO_COLOR: "1", ...environment },
            stdio: ["ignore", "pipe", "pipe"],
        },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
    const says = (text: RegExp): Promise<void> =>
        new Promise((resolve, reject) => {
            const look = (): void => {
                if (text.test(stderr)) resolve();
            };
            child.stderr.on("data", look);
            child.once("close", () => reject(new Error(`it never said ${text}:\n${stderr}`)));
            look();
        });
    return { child, ended, says };
}

export function startDeploy(
    { password, ...to }: Connection,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
): Running {
    return command("deploy", [...flagsOf(to), ...args], { PGPASSWORD: password, ...environment });
}

export function deploy(to: Connection, ...args: readonly string[]): Promise<Ended> {
    return startDeploy(to, args).ended;
}

export function flagsOf(to: Omit<Connection, "password">): readonly string[] {
    const { host, port, database, user, sslMode } = to;
    return ["--db-host", host, "--db-port", String(port), "--db-name", database, "--db-user", user, "--ssl-mode", sslMode]; // prettier-ignore
}

/** Removes the stack of this database from the folder. */
export function forget(connection: Connection): void {
    const name = stackNameOf(connection);
    rmSync(join(folder, name), { recursive: true, force: true });
    for (const file of [`${name}.json`, `${name}.json.bak`]) {
        rmSync(join(folder, "state/.pulumi/stacks/llm-observatory", file), { force: true });
    }
}
