/** The provider process itself: it ends with its engine, and programs in other folders find it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { providerText } from "../../components/timescale/resource";
import { onEveryServer, onServersWithSessions } from "../integration/onEveryServer";
import { startFakeEngine } from "./fakeEngine";
import { projectFolder, startProvider } from "./providerProcess";
import { hourly, rawTable, resource } from "./resources";

/** Two seconds, and what a busy machine adds. */
const soon = 2000 + 1000;

async function endsWithin(milliseconds: number, ended: Promise<unknown>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), milliseconds);
    });
    const result = await Promise.race([ended.then(() => true), late]);
    clearTimeout(timer);
    return result;
}

describe("the line in every resource's state", () => {
    it("is short, constant and without a path", () => {
        expect(providerText).toBe(
            'exports.handler=()=>require("module").createRequire(process.cwd()+"/")("pulumi-timescale/provider");',
        );
        expect(Buffer.byteLength(providerText)).toBeLessThan(200);
    });
});

onEveryServer((target) => {
    beforeAll(async () => {
        await target.byHand("CREATE TABLE requests (ts timestamptz NOT NULL, model text, v int)");
        await target.byHand("SELECT create_hypertable('requests', 'ts')");
    }, 60_000);

    const inputs = (name: string) =>
        resource("ContinuousAggregate", name, {
            ...hourly,
            name,
            connection: target.database.owner,
        });

    it("ends soon after its engine was killed in the middle of a long operation", async () => {
        const engine = await startFakeEngine();
        const provider = await startProvider(engine.address);
        // Creating has to wait for this transaction, on any server.
        await target.asAdmin("BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE");
        try {
            const answer = provider.create(inputs("never")).then(
                () => "created",
                (error: unknown) => (error as { readonly details: string }).details,
            );
            const busy = new Promise<void>((resolve) => {
                const timer = setInterval(() => {
                    if (engine.said.length === 0) return;
                    clearInterval(timer);
                    resolve();
                }, 50);
            });
            await busy;

            engine.kill();

            expect(await endsWithin(soon, provider.ended)).toBe(true);
            expect(await answer).not.toBe("created");
        } finally {
            await target.asAdmin("ROLLBACK");
            await provider.stop();
        }
        expect(await target.byHand("SELECT to_regclass('never') AS there")).toEqual([
            { there: null },
        ]);
    });

    describe.each([
        ["a link, as npm makes for a folder", "link"],
        ["a copy, as npm makes for a package", "copy"],
    ])("from another program that has the package as %s", (_, how) => {
        let folder: string;

        beforeAll(() => {
            folder = fs.mkdtempSync(path.join(os.tmpdir(), "observatory-program-"));
            installPackage(folder, how === "link");
        });

        afterAll(() => {
            fs.rmSync(folder, { recursive: true, force: true });
        });

        it("works by the same line", async () => {
            const engine = await startFakeEngine();
            const provider = await startProvider(engine.address, folder);
            try {
                const table = resource("Hypertable", "there", {
                    ...rawTable,
                    name: `there_${how}`,
                    connection: target.database.owner,
                });
                expect(await provider.check(table)).toMatchObject({ failures: [] });
                const { id, properties } = await provider.create(table);
                expect(id).toBe(`public.there_${how}`);
                expect(properties["__provider"]).toBe(providerText);
                expect(await provider.diff(properties, table)).toMatchObject({ changes: "none" });
                await provider.delete(properties);
            } finally {
                await provider.stop();
                engine.kill();
            }
        });
    });
});

onServersWithSessions("a fill whose engine is killed", (target) => {
    const refreshing = `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'CALL %refresh_continuous_aggregate%' AND state = 'active'`;

    async function until(refreshes: number): Promise<number> {
        const started = Date.now();
        for (;;) {
            const [row] = await target.asAdmin(refreshing);
            if (row?.["n"] === refreshes) return Date.now() - started;
            if (Date.now() - started > 30_000) throw new Error(`never ${refreshes} refreshes`);
            await sleep(50);
        }
    }

    it("ends soon, and so does the refresh that the server was at", async () => {
        await target.byHand("CREATE TABLE requests (ts timestamptz NOT NULL, model text, v int)");
        await target.byHand("SELECT create_hypertable('requests', 'ts')");
        await target.byHand(
            "INSERT INTO requests SELECT now() - interval '1 day' - i * interval '1 minute', 'm', 1 FROM generate_series(1, 600) i",
        );
        // One window takes a minute.
        await target.byHand(
            `CREATE FUNCTION slow(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.5); RETURN v; END $$`,
        );
        const engine = await startFakeEngine();
        const provider = await startProvider(engine.address);
        const aggregate = resource("ContinuousAggregate", "slow", {
            name: "slow",
            query: "SELECT time_bucket('1 hour', ts) AS bucket, sum(slow(v)) AS n FROM requests GROUP BY 1",
            connection: target.database.owner,
        });
        try {
            const answer = provider.create(aggregate).then(
                () => "created",
                () => "failed",
            );
            await until(1);

            engine.kill();

            const started = Date.now();
            expect(await endsWithin(soon, provider.ended)).toBe(true);
            expect(Date.now() - started).toBeLessThan(soon);
            // The server looks once a second whether its client lives.
            expect(await until(0)).toBeLessThan(soon);
            expect(await answer).toBe("failed");
        } finally {
            await provider.stop();
        }
        const [left] = await target.byHand(
            "SELECT (SELECT count(*)::int FROM slow) AS buckets, to_regclass('slow') IS NOT NULL AS there",
        );
        expect(left).toEqual({ buckets: 0, there: true });
    });
});

it("ends soon after its engine was killed while it has nothing to do", async () => {
    const engine = await startFakeEngine();
    const provider = await startProvider(engine.address);
    // The first resource loads the provider; before that the process is Pulumi's alone.
    await provider.check(resource("Hypertable", "x", {}));

    engine.kill();

    expect(await endsWithin(soon, provider.ended)).toBe(true);
});

/** A program's folder with the package and all that it depends on below node_modules. */
function installPackage(folder: string, link: boolean): void {
    const modules = path.join(folder, "node_modules");
    const there = path.join(modules, "pulumi-timescale");
    fs.mkdirSync(modules);
    fs.writeFileSync(path.join(folder, "package.json"), '{ "name": "another-program" }');
    if (link) {
        fs.symlinkSync(projectFolder, there);
        return;
    }
    for (const name of fs.readdirSync(path.join(projectFolder, "node_modules"))) {
        if (name.startsWith(".")) continue;
        fs.symlinkSync(path.join(projectFolder, "node_modules", name), path.join(modules, name));
    }
    for (const name of ["package.json", "components", "sql"]) {
        fs.cpSync(path.join(projectFolder, name), path.join(there, name), { recursive: true });
    }
}
