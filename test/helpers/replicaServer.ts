/** Two throwaway PostgreSQL servers, the second a streaming standby of the first. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withClient } from "./clients";
import { findServerBinaries, whyNoServer } from "./serverBinaries";
import { startCluster } from "./throwawayCluster";

export interface ReplicaServer {
    /** The superuser of the primary. */
    readonly primary: Connection;
    /** The same login on the standby, which is read-only. */
    readonly standby: Connection;
    /** Version of TimescaleDB that can be created there; `undefined` on a plain PostgreSQL. */
    readonly timescaledb: string | undefined;
    /** Resolves when the standby has replayed all that the primary has written so far. */
    catchUp(): Promise<void>;
    /** Ends the primary with all its connections; its data is gone with it. */
    stopPrimary(): Promise<void>;
    /** Makes the standby take writes. */
    promote(): Promise<void>;
    stop(): Promise<void>;
}

const catchUpMilliseconds = 30_000;

/** Why no replica can be started here; `undefined` when one can. */
export function whyNoReplica(): string | undefined {
    return whyNoServer();
}

/** Starts both; throws `no_server` with the reason where that is impossible. */
export async function startReplica(): Promise<ReplicaServer> {
    const obstacle = whyNoReplica();
    const binaries = findServerBinaries()[0];
    if (obstacle !== undefined || binaries === undefined) {
        throw new TimescaleError("no replica can be started here", {
            code: "no_server",
            detail: obstacle,
        });
    }
    // What is committed must be in the log at once, or catching up could not be waited for.
    const settings = () => ({ synchronous_commit: "on" });
    const primary = await startCluster(binaries, { settings });
    try {
        const standby = await startCluster(binaries, { standbyOf: primary.admin });
        return {
            primary: primary.admin,
            standby: standby.admin,
            timescaledb: binaries.timescaledb,
            catchUp: () => catchUp(primary.admin, standby.admin),
            stopPrimary: () => primary.stop(),
            promote: () =>
                withClient(standby.admin, async (client) => {
                    await client.query("SELECT pg_promote()");
                }),
            stop: async () => {
                await standby.stop();
                await primary.stop();
            },
        };
    } catch (error) {
        await primary.stop();
        throw error;
    }
}

async function catchUp(primary: Connection, standby: Connection): Promise<void> {
    const { rows } = await withClient(primary, (client) =>
        client.query<{ readonly lsn: string }>("SELECT pg_current_wal_flush_lsn()::text AS lsn"),
    );
    await withClient(standby, async (client) => {
        const deadline = Date.now() + catchUpMilliseconds;
        for (;;) {
            const replayed = await client.query<{ readonly done: boolean }>(
                "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done",
                [rows[0]?.lsn],
            );
            if (replayed.rows[0]?.done === true) return;
            if (Date.now() > deadline) {
                throw new Error(`the standby did not reach ${rows[0]?.lsn} in time`);
            }
            await sleep(50);
        }
    });
}
