import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { ContinuousAggregate, Hypertable } from "../../components/timescale";
import type { TestDatabase } from "../helpers/databases";
import { failed, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { byHour, query, readingsColumns, relations } from "./readings";

const root = dirname(dirname(__dirname));

describeOnServers("a stack with backups", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let folder: string;

    const program =
        ({ acceptLoss = 0 } = {}) =>
        () => {
            const { owner } = database;
            const table = new Hypertable(
                "readings",
                {
                    connection: owner,
                    name: "readings",
                    columns: readingsColumns,
                    timeColumn: "ts",
                    chunkTimeInterval: "1 day",
                },
                { protect: true },
            );
            new ContinuousAggregate(
                "by_hour",
                {
                    connection: owner,
                    name: "by_hour",
                    query: byHour,
                    refreshPolicy: {
                        startOffset: "1 day",
                        endOffset: "1 hour",
                        scheduleInterval: "5 minutes",
                    },
                    backup: folder,
                    acceptLoss: { upToRows: acceptLoss },
                },
                { dependsOn: table },
            );
            return Promise.resolve({});
        };

    const buckets = (): Promise<readonly unknown[]> =>
        query(database.owner, "SELECT * FROM by_hour ORDER BY bucket, sensor");

    /** As a person runs it. */
    const restore = (...args: readonly string[]): Promise<{ readonly stdout: string }> => {
        const { host, port, database: name, user, sslMode, password } = database.owner;
        return promisify(execFile)(
            process.execPath,
            [
                ...["--import", "tsx", join(root, "commands/restore.ts"), ...args],
                ...["--db-host", host, "--db-port", String(port), "--db-name", name],
                ...["--db-user", user, "--ssl-mode", sslMode],
            ],
            { cwd: root, env: { ...process.env, PGPASSWORD: password } },
        );
    };

    beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "observatory-backups-"));
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(program()));
        await query(
            database.owner,
            `INSERT INTO readings SELECT date_trunc('day', now(), 'UTC') - interval '20 days' + n * interval '2 hours', 's', n FROM generate_series(1, 200) n`,
        );
        await query(
            database.owner,
            "CALL refresh_continuous_aggregate('by_hour', NULL, date_trunc('day', now(), 'UTC') - interval '1 day')",
        );
        await query(
            database.owner,
            "SELECT drop_chunks('readings', older_than => now() - interval '10 days')",
        );
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
    });

    it("is destroyed only when the loss is accepted, after a backup, and is whole again after up and restore", async () => {
        const before = await buckets();
        expect(before.length).toBeGreaterThan(190);
        const refused = failed(await stack.destroy({ excludeProtected: true }));
        expect(refused.failure).toContain("would lose history");
        expect(readdirSync(folder)).toEqual([]);
        // Only what delete will need has changed: it reaches the outputs.
        succeeded(await stack.up(program({ acceptLoss: 1000 })));

        const run = succeeded(await stack.destroy({ excludeProtected: true }));

        const [name = ""] = readdirSync(folder);
        expect(said(run, "by_hour")).toMatch(
            new RegExp(
                `dropped continuous aggregate public\\.by_hour: ${before.length} rows from .* to .*; \\d+ of them raw data no longer had; backup in ${join(folder, name)}`,
            ),
        );
        expect(await relations(database.owner)).toEqual(["readings"]);

        succeeded(await stack.up(program({ acceptLoss: 1000 })));
        expect((await buckets()).length).toBeLessThan(before.length);
        const dry = await restore(join(folder, name), "--dry-run");
        expect(dry.stdout).toMatch(/^would restore \d+ of \d+ rows into continuous aggregate public\.by_hour\n/); // prettier-ignore
        const { stdout } = await restore(join(folder, name));
        expect(stdout).toMatch(/^restored \d+ of \d+ rows into continuous aggregate public\.by_hour\n/); // prettier-ignore
        await query(
            database.owner,
            "CALL refresh_continuous_aggregate('by_hour', NULL, date_trunc('day', now(), 'UTC') - interval '1 day')",
        );
        expect(await buckets()).toEqual(before);
        succeeded(await stack.up(program({ acceptLoss: 1000 }), { expectNoChanges: true }));
    });
});
