/**
 * One owner per data folder: PGlite itself lets two processes open the same folder, and they
 * destroy it. The owner holds a lock beside the folder, and a file there says on which port it
 * listens. It takes the port before it opens the data, so whoever finds the port silent knows that
 * the data is closed, and whoever finds it answering knows that it is not, however old the lock.
 */
import fs from "node:fs";
import net from "node:net";

import { lock } from "proper-lockfile";

import { identifyRequest, untypedPacket } from "./wire";

export interface Owner {
    /** Random; the owner answers an identify request with it and its state. */
    readonly id: string;
    readonly pid: number;
    readonly host: string;
    readonly port: number;
    readonly database: string;
}

/** A killed owner's lock is free after this time. */
const staleMilliseconds = 5000;

const identifyMilliseconds = 3000;

/**
 * Takes the folder's lock; `undefined` when another process holds it.
 *
 * @param onLost called when the lock was taken away or deleted
 */
export async function lockFolder(
    directory: string,
    onLost: (error: Error) => void,
): Promise<(() => Promise<void>) | undefined> {
    try {
        return await lock(directory, {
            lockfilePath: `${directory}.lock`,
            realpath: false,
            stale: staleMilliseconds,
            update: 1000,
            onCompromised: onLost,
        });
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
        throw error;
    }
}

export function ownerFile(directory: string): string {
    return `${directory}.json`;
}

export function writeOwner(directory: string, owner: Owner): void {
    const file = ownerFile(directory);
    fs.writeFileSync(`${file}.new`, `${JSON.stringify(owner, null, 2)}\n`);
    fs.renameSync(`${file}.new`, file);
}

export function removeOwner(directory: string): void {
    fs.rmSync(ownerFile(directory), { force: true });
}

/** What the last owner wrote, alive or not. */
export function readOwner(directory: string): Owner | undefined {
    let text: string;
    try {
        text = fs.readFileSync(ownerFile(directory), "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
    return JSON.parse(text) as Owner;
}

/** What an owner says of itself. */
export type OwnState = "opening" | "ready";

/** An owner's answer to an identify request. */
export function introduction(id: string, state: OwnState): string {
    return `${id} ${state}`;
}

/**
 * Whether the owner still has the folder open. `silent`: its process lives and its port takes
 * connections, but nothing answers, as with a process stopped by Ctrl-Z.
 */
export async function askOwner(owner: Owner): Promise<OwnState | "gone" | "silent"> {
    const answer = await identify(owner);
    if (answer === undefined) return isRunning(owner.pid) ? "silent" : "gone";
    const states: readonly OwnState[] = ["opening", "ready"];
    return states.find((state) => answer === introduction(owner.id, state)) ?? "gone";
}

/** What listens on the owner's port says, "" if it is nothing; `undefined` when it is silent. */
function identify({ host, port }: Owner): Promise<string | undefined> {
    return new Promise((resolve) => {
        const socket = net.connect(port, host);
        let answer = "";
        const finish = (text: string | undefined) => {
            socket.destroy();
            resolve(text);
        };
        socket.setTimeout(identifyMilliseconds, () => finish(undefined));
        socket.on("connect", () => socket.write(untypedPacket(identifyRequest)));
        socket.on("data", (bytes: Buffer) => (answer += bytes.toString("utf8")));
        socket.on("end", () => finish(answer));
        socket.on("error", () => finish(answer));
    });
}

function isRunning(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}
