/** Embedded servers on data folders of their own, for tests of the server itself. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { Client, type ClientConfig } from "pg";

import {
    embeddedConnection,
    type EmbeddedOptions,
    type EmbeddedServer,
    openEmbedded,
} from "../../commands/embedded/server";
import { clientConfig } from "../helpers/clients";

export const silent = () => undefined;

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits up to ten seconds, or as long as told. */
export async function until(
    condition: () => boolean | Promise<boolean>,
    what: string,
    milliseconds = 10_000,
): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!(await condition())) {
        if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}`);
        await sleep(50);
    }
}

export interface Folders {
    /** Where the test may write. */
    readonly workspace: string;
    /** Opens a folder, or memory, on a free port; closed at the end of the test file. */
    open(
        directory: string | undefined,
        options?: Partial<Pick<EmbeddedOptions, "port" | "onJob">>,
    ): Promise<EmbeddedServer>;
    /** A data folder of its own, copied from one that is made once. */
    fresh(name: string): string;
}

/** Registers the hooks that make and remove them. */
export function embeddedFolders(): Folders {
    const workspace = fs.mkdtempSync(path.join(os.tmpdir(), "embedded-server-test-"));
    const template = path.join(workspace, "template");
    const opened: EmbeddedServer[] = [];

    const open: Folders["open"] = async (directory, options = {}) => {
        const server = await openEmbedded({ directory, port: 0, report: silent, ...options });
        opened.push(server);
        return server;
    };

    beforeAll(async () => {
        const first = await open(template);
        await first.close();
    }, 60_000);

    afterAll(async () => {
        await Promise.all(opened.map((each) => each.close()));
        fs.rmSync(workspace, { recursive: true, force: true });
    }, 60_000);

    return {
        workspace,
        open,
        fresh: (name) => {
            const directory = path.join(workspace, name);
            fs.cpSync(template, directory, { recursive: true });
            return directory;
        },
    };
}

/** A client of its own; that its server goes away is what some tests are about. */
export async function connect(
    server: Pick<EmbeddedServer, "host" | "port" | "database">,
    user = "observatory_owner",
    config: ClientConfig = {},
): Promise<Client> {
    const client = new Client({ ...clientConfig(embeddedConnection(server, user)), ...config });
    client.on("error", silent);
    await client.connect();
    return client;
}
