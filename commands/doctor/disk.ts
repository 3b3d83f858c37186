/** How much can still be written where a server keeps its data, as far as this machine can tell. */
import { statfs } from "node:fs/promises";

import type { Health } from "../../components/timescale/core/health/health";
import type { Disk } from "../../components/timescale/core/health/judgeServer";
import { freeInContainer } from "../start/docker";
import { embeddedDataFolder, workspaceIn } from "../start/workspace";
import type { Place } from "../status/text";

/** @returns why it cannot be known, where it cannot */
export async function freeSpace(
    root: string,
    { server }: Health,
    { host, port }: Place,
): Promise<Disk | string> {
    if (server.embedded) return freeIn(embeddedDataFolder(workspaceIn(root)));
    if (!isHere(host)) return "PostgreSQL has no function that tells it, and the server is on another machine"; // prettier-ignore
    const container = await freeInContainer(port);
    if (container !== undefined) return container;
    if (server.dataDirectory === null) {
        return `${server.login} may not know where the data lies: GRANT pg_read_all_settings TO it`;
    }
    return freeIn(server.dataDirectory);
}

function isHere(host: string): boolean {
    return host === "localhost" || host === "::1" || /^(?:127\.|\/)/.test(host);
}

function freeIn(folder: string): Promise<Disk | string> {
    return statfs(folder).then(
        ({ bavail, bsize }) => ({ free: bavail * bsize, where: folder }),
        (error: unknown) => `${folder} cannot be looked at from here (${String(error)})`,
    );
}
