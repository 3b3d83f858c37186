/** A primary that goes away in the middle of an up, and a standby that takes its place at the same endpoint. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale";
import { changes, failed, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, engineDirectory, resourcesOf } from "../helpers/engineStack";
import { recordEnvironment } from "../helpers/environment";
import { type ReplicaServer, startReplica, whyNoReplica } from "../helpers/replicaServer";
import { findServerBinaries } from "../helpers/serverBinaries";
import { openLink } from "./link";
import { byHour, contents, insertReadings, query, readings, refreshJob } from "./readings";

const refresh = /CALL \S*refresh_continuous_aggregate/;

function obstacle(): string | undefined {
    if (engineDirectory() === undefined) return "there is no Pulumi engine";
    if (findServerBinaries()[0]?.timescaledb === undefined) return "no server here has TimescaleDB";
    return whyNoReplica();
}

const why = obstacle();
if (why !== undefined) recordEnvironment(`not run: failover: ${why}`);

(why === undefined ? describe : describe.skip)("a failover in the middle of an up", () => {
    /** A primary and a standby that has every commit, with the table and its rows. */
    async function cluster(
        program: (connection: Connection) => Parameters<typeof prepare>[2],
    ): Promise<Prepared> {
        const servers = await startReplica();
        await query(servers.primary, "CREATE EXTENSION IF NOT EXISTS timescaledb");
        await query(servers.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await query(servers.primary, "SELECT pg_reload_conf()");
        const link = await openLink(servers.primary);
        return prepare(servers, link, program(link.through(servers.primary)));
    }

    it("is survived: the fill goes on at the new primary, and nothing is lost or done twice", async () => {
        const { servers, link, stack, connection, remove } = await cluster((at) => readings(at));
        try {
            const program = readings(connection, { name: "by_hour" });
            const running = stack.up(program);
            await link.hold(refresh, 3, running);
            await link.cut();
            await servers.stopPrimary();
            link.leadTo(servers.standby);
            // Nobody listens for a while, and then one that only reads.
            await sleep(1500);
            await link.restore();
            await sleep(3000);
            await servers.promote();
            const run = succeeded(await running);

            expect(run.statuses).toContainEqual(
                expect.stringMatching(
                    /^by_hour: 127\.0\.0\.1:\d+ is away \(no server listens at .*\): trying again, for up to \d+ s$/,
                ),
            );
            expect(run.statuses).toContainEqual(
                expect.stringMatching(/^by_hour: .* is away \(.*(?:read-only|recovery).*\)/),
            );
            expect(said(run, "by_hour")).toContain("was lost in the middle");
            const { materialized, computed } = await contents(servers.standby, "by_hour", byHour);
            expect(computed).toHaveLength(60);
            expect(materialized).toEqual(computed);
            expect((await refreshJob(servers.standby, "by_hour")).scheduled).toBe(true);
            const resource = resourcesOf(await stack.state()).get("by_hour");
            expect(resource?.initErrors ?? []).toEqual([]);
            succeeded(await stack.preview(program, { expectNoChanges: true }));
        } finally {
            await remove();
        }
    });

    it("that takes too long is told with the endpoint, and the next up finishes", async () => {
        const { servers, link, stack, connection, remove } = await cluster((at) => readings(at));
        try {
            stack.stack.workspace.envVars["PULUMI_TIMESCALE_FAILOVER_SECONDS"] = "3";
            const program = readings(connection, { name: "by_hour" });
            const running = stack.up(program);
            await link.hold(refresh, 2, running);
            await link.cut();
            await servers.stopPrimary();
            link.leadTo(servers.standby);
            await link.restore();
            const run = failed(await running);

            expect(run.failure).toMatch(
                new RegExp(
                    `127\\.0\\.0\\.1:${connection.port} was lost in the middle, and takes no writes again after 3 seconds`,
                ),
            );
            expect(run.failure).toContain("run the same command again: it goes on");
            expect(run.failure).not.toContain(connection.password);
            expect(resourcesOf(await stack.state()).get("by_hour")?.initErrors).toHaveLength(1);

            await servers.promote();
            const next = succeeded(await stack.up(program));

            expect(changes(next)).toEqual({ by_hour: "update" });
            const { materialized, computed } = await contents(servers.standby, "by_hour", byHour);
            expect(computed).toHaveLength(60);
            expect(materialized).toEqual(computed);
        } finally {
            await remove();
        }
    });
});

interface Prepared {
    readonly servers: ReplicaServer;
    readonly link: Awaited<ReturnType<typeof openLink>>;
    readonly stack: Awaited<ReturnType<typeof createEngineStack>>;
    readonly connection: Connection;
    readonly remove: () => Promise<void>;
}

async function prepare(
    servers: ReplicaServer,
    link: Prepared["link"],
    program: ReturnType<typeof readings>,
): Promise<Prepared> {
    const stack = await createEngineStack();
    const remove = async (): Promise<void> => {
        await stack.remove();
        await link.close();
        await servers.stop();
    };
    try {
        succeeded(await stack.up(program));
        await insertReadings(servers.primary);
    } catch (error) {
        await remove();
        throw error;
    }
    return { servers, link, stack, connection: link.through(servers.primary), remove };
}
