import { changes, failed, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, resourcesOf, testOnServers } from "../helpers/engineStack";
import { openLink, whyNoLink } from "./link";
import { readings, refreshJob } from "./readings";

const policy = { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" };

// `up` waits a minute for a server that may just be starting.
testOnServers(
    "a server that is gone is said, harms nothing, and is worked with again when it is back",
    async (server) => {
        const [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        const link = await openLink(database.owner);
        try {
            const connection = link.through(database.owner);
            const same = readings(connection, { name: "by_hour", refreshPolicy: policy });
            const changed = readings(connection, {
                name: "by_hour",
                refreshPolicy: { ...policy, scheduleInterval: "10 minutes" },
            });
            const gone = `no server listens at 127.0.0.1:${connection.port}`;
            succeeded(await stack.up(same));
            const before = resourcesOf(await stack.state());
            await link.cut();

            const unchanged = succeeded(await stack.preview(same));
            const preview = succeeded(await stack.preview(changed));
            const refresh = succeeded(await stack.refresh());
            const destroy = failed(await stack.destroy());
            const up = failed(await stack.up(changed));
            const after = resourcesOf(await stack.state());
            await link.restore();
            const back = succeeded(await stack.up(changed));

            expect(changes(unchanged)).toEqual({});
            expect(changes(preview)).toEqual({ by_hour: "update" });
            for (const run of [unchanged, preview]) {
                for (const name of ["readings", "by_hour"]) {
                    expect(said(run, name)).toContain(
                        `not compared with the live database: ${gone}`,
                    );
                }
            }
            expect(changes(refresh)).toEqual({});
            expect(said(refresh, "by_hour")).toContain(`not read from the live database: ${gone}`);
            expect(destroy.failure).toContain(gone);
            expect(up.failure).toContain(gone);
            expect(up.failure).toContain("hint:");
            expect(up.statuses).toContainEqual(expect.stringContaining(gone));
            expect(after).toEqual(before);
            expect(changes(back)).toEqual({ by_hour: "update" });
            expect(await refreshJob(database.owner, "by_hour")).toMatchObject({
                schedule: "00:10:00",
                scheduled: true,
            });
        } finally {
            await stack.remove();
            await link.close();
            await database.drop();
        }
    },
    ({ admin }) => (admin === undefined ? undefined : whyNoLink(admin)),
);
