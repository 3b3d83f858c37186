/** `npm run backfill`: what it computes, what it leaves alone, and how it ends as a person runs it. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

import type { BackfillOptions } from "../../commands/backfill/options";
import type { Result } from "../../commands/backfill/report";
import { backfill } from "../../commands/backfill/run";
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onEveryServer, onServersWithSessions, type Row, type Target } from "./onEveryServer";

const table = (name: string) => ({
    name,
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "v", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
});

const midnight = (days: number): string =>
    `date_trunc('day', now(), 'UTC') - interval '${days} days'`;

/** An aggregate by hour that is filled, over twelve days of a row every 20 minutes. */
async function filled(
    target: Target,
    name: string,
    more: Partial<AggregateInputs> = {},
): Promise<AggregateInputs> {
    await hypertable(target, table(name)).up();
    await target.byHand(
        `INSERT INTO ${name} SELECT t, 1 FROM generate_series(${midnight(12)}, ${midnight(0)} - interval '1 second', '20 minutes') t`,
    );
    const inputs: AggregateInputs = {
        name: `${name}_agg`,
        query: `SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM ${name} GROUP BY 1`,
        refreshPolicy: { startOffset: "3 hours", endOffset: "1 hour", scheduleInterval: "1 hour" },
        ...more,
    };
    await aggregate(target, inputs).up();
    return inputs;
}

const literal = async (target: Target, time: string): Promise<string> => {
    const [row] = await target.byHand(
        `SELECT to_char((${time}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS literal`,
    );
    return String(row?.["literal"]);
};

const wrong = (target: Target, { name, query }: AggregateInputs): Promise<Row[]> =>
    target.byHand(`(SELECT * FROM (${query}) q EXCEPT TABLE ${name}) ORDER BY 1`);

interface Told {
    readonly result: Result;
    readonly clamps: readonly string[];
}

function run(
    target: Target,
    options: Partial<BackfillOptions> & { aggregate: string },
): Promise<Told> {
    const clamps: string[] = [];
    const all = { from: undefined, to: undefined, dryRun: false, ...options };
    return target.anotherSession(async (session) => {
        const hooks = { onStatus: () => undefined, onClamp: (text: string) => clamps.push(text) };
        return { result: await backfill(session, all, hooks), clamps };
    });
}

onEveryServer((target) => {
    it("computes late rows that no policy reaches, in the range alone", async () => {
        const inputs = await filled(target, "late");
        for (const days of [9, 5]) {
            await target.byHand(
                `INSERT INTO late VALUES (${midnight(days)} + interval '90 minutes', 1)`,
            );
        }
        const range = {
            from: await literal(target, midnight(6)),
            to: await literal(target, midnight(4)),
        };
        expect(await wrong(target, inputs)).toHaveLength(2);

        const { result, clamps } = await run(target, { aggregate: "late_agg", ...range });

        expect(clamps).toEqual([]);
        expect(result).toMatchObject({ aggregate: "public.late_agg", windows: 1 });
        expect(result.parts).toEqual([
            {
                start: await literal(target, `${midnight(5)} + interval '1 hour'`),
                end: await literal(target, `${midnight(5)} + interval '2 hours'`),
                rows: 1,
            },
        ]);
        expect(await wrong(target, inputs)).toHaveLength(1);

        await run(target, { aggregate: "public.late_agg" });

        expect(await wrong(target, inputs)).toEqual([]);
        await expectNoChange(aggregate(target, inputs));
        const { result: nothing } = await run(target, { aggregate: "late_agg" });
        expect(nothing).toMatchObject({ parts: [], windows: 0 });
    });

    it("changes nothing in a dry run, and says what it would do", async () => {
        const inputs = await filled(target, "dry");
        await target.byHand(
            `INSERT INTO dry VALUES (${midnight(5)} + interval '1 hour', 1), (${midnight(5)} + interval '4 hours', 1)`,
        );
        const before = await wrong(target, inputs);

        const { result } = await run(target, { aggregate: "dry_agg", dryRun: true });

        expect(result).toMatchObject({ dryRun: true, windows: 0 });
        expect(result.parts.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(2);
        expect(await wrong(target, inputs)).toEqual(before);
    });

    it("keeps the history that raw data no longer has, whatever range is given", async () => {
        const inputs = await filled(target, "kept");
        const history = `SELECT * FROM kept_agg WHERE bucket < ${midnight(8)} ORDER BY 1`;
        const before = await target.byHand(history);
        expect(before).toHaveLength(96);
        await target.byHand(`SELECT drop_chunks('kept', ${midnight(8)})`);
        // A late row far below, and one that has to be counted.
        await target.byHand(`INSERT INTO kept VALUES (${midnight(11)} + interval '5 hours', 1)`);
        await target.byHand(`INSERT INTO kept VALUES (${midnight(7)} + interval '5 hours', 1)`);

        const from = await literal(target, midnight(400));
        const to = await literal(target, "now() + interval '9 days'");
        const { clamps } = await run(target, { aggregate: "kept_agg", from, to });

        expect(await target.byHand(history)).toEqual(before);
        const day = (await literal(target, midnight(8))).slice(0, 10);
        expect(clamps).toEqual([
            expect.stringContaining(
                `becomes ${day} 00:00 UTC: raw data is whole from ${day} 00:00 UTC on: computing older buckets again would delete history`,
            ),
            expect.stringMatching(/later buckets are not over yet$/),
        ]);
        const late = await wrong(target, inputs);
        expect(late.map(({ n }) => n)).toEqual(["1"]);
        const [ahead] = await target.asAdmin(
            `SELECT bool_and(_timescaledb_functions.to_timestamp(watermark) <= now()) AS past
             FROM _timescaledb_catalog.continuous_aggs_invalidation_threshold`,
        );
        expect(ahead).toEqual({ past: true });
    });

    it("keeps what came back with a late row below retention of the source", async () => {
        await filled(target, "revived");
        // The oldest chunk alone: the late row leaves no gap behind it.
        await target.byHand(`SELECT drop_chunks('revived', ${midnight(11)})`);
        await target.byHand(`SELECT add_retention_policy('revived', interval '11 days')`);
        await target.byHand(`INSERT INTO revived VALUES (${midnight(12)} + interval '5 hours', 1)`);
        const history = `SELECT * FROM revived_agg WHERE bucket < ${midnight(11)}`;
        const before = await target.byHand(history);
        expect(before).toHaveLength(24);

        await run(target, { aggregate: "revived_agg" });

        expect(await target.byHand(history)).toEqual(before);
    });

    it("refuses a range without a bucket that could be computed, and an unknown name", async () => {
        await filled(target, "refused");
        const from = await literal(target, midnight(400));
        const to = await literal(target, midnight(300));
        await expect(run(target, { aggregate: "refused_agg", from, to })).rejects.toMatchObject({
            code: "nothing_to_compute",
            message: "nothing of public.refused_agg can be computed in this range",
            detail: expect.stringContaining("where raw data begins to be whole") as string,
        });
        await expect(run(target, { aggregate: "refused_ag" })).rejects.toMatchObject({
            code: "unknown_aggregate",
            hint: "did you mean refused_agg?",
        });
        await hypertable(target, table("empty")).up();
        const query =
            "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM empty GROUP BY 1";
        await aggregate(target, { name: "empty_agg", query }).up();
        await expect(run(target, { aggregate: "empty_agg" })).rejects.toMatchObject({
            detail: "there is no raw data of a whole bucket that is over",
        });
    });
});

onServersWithSessions("the backfill command", (target) => {
    const root = dirname(dirname(__dirname));

    async function command(
        ...args: readonly string[]
    ): Promise<{ code: number | null; stdout: string; stderr: string }> {
        const { host, port, database, user, password, sslMode } = target.database.owner;
        const server = ["--db-host", host, "--db-port", String(port), "--db-name", database];
        const child = spawn(
            process.execPath,
            [
                ...["--import", "tsx", join(root, "commands", "backfill.ts"), ...args],
                ...[...server, "--db-user", user, "--ssl-mode", sslMode],
            ],
            {
                cwd: root,
                env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PGPASSWORD: password },
                stdio: ["ignore", "pipe", "pipe"],
            },
        );
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (text: Buffer) => (stdout += String(text)));
        child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
        return new Promise((resolve, reject) => {
            child.once("error", reject);
            child.once("close", (code) => resolve({ code, stdout, stderr }));
        });
    }

    it("prints what it did, and ends with 0; with 1 and a reason when it cannot", async () => {
        const inputs = await filled(target, "asked");
        await target.byHand(`INSERT INTO asked VALUES (${midnight(5)} + interval '90 minutes', 1)`);

        const dry = await command("asked_agg", "--dry-run", "--json");
        expect(dry.code).toBe(0);
        expect(JSON.parse(dry.stdout)).toMatchObject({
            ...{ aggregate: "public.asked_agg", dryRun: true, windows: 0 },
            parts: [expect.objectContaining({ rows: 1 })],
        });
        expect(await wrong(target, inputs)).toHaveLength(1);

        const done = await command("asked_agg", "--from", "2020-01-01");
        expect(done).toMatchObject({ code: 0 });
        expect(done.stdout).toMatch(/^public\.asked_agg is computed from .* in 1 window\./);
        expect(done.stderr).toContain("--from 2020-01-01 00:00 UTC becomes");
        expect(await wrong(target, inputs)).toEqual([]);

        const again = await command("asked_agg");
        expect(again.code).toBe(0);
        expect(again.stdout).toContain("has nothing to compute");

        for (const [args, text] of [
            [["aksed_agg"], "did you mean asked_agg?"],
            [["asked_agg", "--from", "yesterday"], "a time is 2026-09-01"],
            [["asked_agg", "--from", "2999-01-01"], "the range is in the future"],
        ] as const) {
            const failed = await command(...args);
            expect([failed.code, failed.stdout]).toEqual([1, ""]);
            expect(failed.stderr).toContain(text);
        }
    }, 60_000);
});
