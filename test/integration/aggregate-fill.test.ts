/** The first fill: oldest buckets first, never into the future, finished by the next `up` when it was stopped. */
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    expectNoChange,
    hypertable,
    type HypertableInputs,
} from "./declared";
import { onEveryServer, type Row, type Target } from "./onEveryServer";

const columns = (type: string): HypertableInputs["columns"] => [
    { name: "ts", type, nullable: false },
    { name: "v", type: "int" },
];

function raw(name: string, more: Partial<HypertableInputs> = {}, type = "timestamptz") {
    const chunks = { chunkTimeInterval: "1 day" };
    return { name, columns: columns(type), timeColumn: "ts", ...chunks, ...more };
}

function over(source: string, more: Partial<AggregateInputs> = {}, bucket = "'1 hour', ts") {
    return {
        name: `${source}_agg`,
        query: `SELECT time_bucket(${bucket}) AS bucket, count(*) AS n, sum(v) AS total FROM ${source} GROUP BY 1`,
        refreshPolicy: { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" },
        ...more,
    };
}

/** A row every 20 minutes of the last `days`. */
function rowsOf(source: string, days: number): string {
    return `INSERT INTO ${source} SELECT t, (extract(epoch FROM t)::bigint / 1200 % 97)::int
            FROM generate_series(now() - interval '${days} days', now(), interval '20 minutes') t`;
}

const only = async (target: Target, text: string): Promise<Row> => {
    const [row] = await target.byHand(text);
    return row ?? {};
};

/** Buckets that are over and differ between the aggregate and a SELECT on raw, from a point in time on. */
async function differences(
    target: Target,
    declared: AggregateInputs,
    from: string,
): Promise<Row[]> {
    const computed = `SELECT * FROM (${declared.query}) q`;
    const stored = `SELECT bucket, n, total FROM ${declared.name}`;
    const compared = `bucket >= ${from} AND bucket < time_bucket('1 hour', now()) - interval '1 hour'`;
    return target.byHand(`
        (SELECT 'missing' AS what, * FROM (${computed} EXCEPT ${stored}) m WHERE ${compared})
        UNION ALL (SELECT 'wrong', * FROM (${stored} EXCEPT ${computed}) m WHERE ${compared})`);
}

async function refreshJob(target: Target, name: string): Promise<Row> {
    return only(
        target,
        `SELECT j.scheduled FROM _timescaledb_config.bgw_job j
         JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
         WHERE a.user_view_name = '${name}' AND j.proc_name = 'policy_refresh_continuous_aggregate'`,
    );
}

class Stopped extends Error {
    override readonly name = "Stopped";
}

interface Progress {
    readonly done: number;
    readonly total: number;
}

function progressIn(status: string): Progress | undefined {
    const match = /^filling: \S+ … \S+, (\d+) of (\d+) days/.exec(status);
    return match === null ? undefined : { done: Number(match[1]), total: Number(match[2]) };
}

/** How far a fill was before each of its windows, and at its end. */
function progressOf(declared: Declared<AggregateInputs>): Progress[] {
    return declared.statuses.flatMap((status) => progressIn(status) ?? []);
}

/** Calls `act` before each window that comes after so many. */
function after(windows: number, act: (status: string) => void): (status: string) => void {
    let begun = 0;
    return (status) => {
        if (progressIn(status) === undefined) return;
        begun += 1;
        if (begun > windows) act(status);
    };
}

/** Throws as soon as so many windows are filled. */
function stopAfter(windows: number): (status: string) => void {
    return after(windows, (status) => {
        throw new Stopped(status);
    });
}

onEveryServer((target) => {
    beforeAll(async () => {
        for (const name of ["requests", "stopped", "cut", "broken", "late"]) {
            await hypertable(target, raw(name)).up();
            await target.byHand(rowsOf(name, 12));
        }
    }, 60_000);

    it("goes through windows from the first raw row up to now, and equals raw", async () => {
        const declared = aggregate(target, over("requests"));

        await declared.up();

        const progress = progressOf(declared);
        const total = progress.at(-1)?.total ?? 0;
        expect(total).toBeGreaterThanOrEqual(12);
        expect(progress.length).toBeGreaterThan(3);
        const done = progress.map((one) => one.done);
        expect([done[0], done.at(-1)]).toEqual([0, total]);
        expect(done).toEqual([...done].sort((one, other) => one - other));
        expect(progress.every((one) => one.total === total)).toBe(true);
        expect(await differences(target, declared.inputs, "'-infinity'")).toEqual([]);
        expect(await only(target, "SELECT count(*) > 280 AS filled FROM requests_agg")).toEqual({
            filled: true,
        });
        expect(await refreshJob(target, "requests_agg")).toEqual({ scheduled: true });
        await expectNoChange(declared);
    });

    it("is finished by the next up when it was stopped, and its job waits until then", async () => {
        const declared = aggregate(target, over("stopped"));

        await expect(declared.up(undefined, { onStatus: stopAfter(3) })).rejects.toThrow(Stopped);

        expect(
            await only(
                target,
                `SELECT min(bucket) = (SELECT time_bucket('1 hour', min(ts)) FROM stopped) AS "fromTheFirst",
                     max(bucket) - min(bucket) BETWEEN interval '12 hours' AND interval '5 days' AS "oldestFirst",
                     count(*) = extract(epoch FROM max(bucket) - min(bucket)) / 3600 + 1 AS gapless
                 FROM stopped_agg`,
            ),
        ).toEqual({ fromTheFirst: true, oldestFirst: true, gapless: true });
        expect(await refreshJob(target, "stopped_agg")).toEqual({ scheduled: false });
        expect(await declared.preview()).toEqual(["fill it, oldest buckets first"]);

        // Another change that comes meanwhile does not start the job either.
        const changed = over("stopped", {
            refreshPolicy: {
                startOffset: "2 days",
                endOffset: "1 hour",
                scheduleInterval: "1 hour",
            },
        });
        await expect(declared.up(changed, { onStatus: stopAfter(1) })).rejects.toThrow(Stopped);
        expect(await refreshJob(target, "stopped_agg")).toEqual({ scheduled: false });
        expect(await declared.preview(changed)).toEqual(["fill it, oldest buckets first"]);

        await declared.up(changed);

        expect(await differences(target, changed, "'-infinity'")).toEqual([]);
        expect(await refreshJob(target, "stopped_agg")).toEqual({ scheduled: true });
        await expectNoChange(declared, changed);
    });

    it("is finished by the next up when the connection was cut", async () => {
        const inputs = over("cut");
        const cut = withSession(target.database.owner, async (session) => {
            await aggregate(target, inputs, session).up(undefined, {
                onStatus: after(3, () => destroy(session)),
            });
        });

        await expect(cut).rejects.toMatchObject({ code: "connection_lost" });

        expect(await refreshJob(target, "cut_agg")).toEqual({ scheduled: false });
        const declared = aggregate(target, inputs);
        expect(await declared.preview()).toEqual(["fill it, oldest buckets first"]);
        await declared.up();
        expect(await differences(target, inputs, "'-infinity'")).toEqual([]);
        await expectNoChange(declared);
    });

    it("stops on a row that the query cannot take, and goes on when that is gone", async () => {
        await target.byHand("INSERT INTO broken VALUES (now() - interval '6 days', 50000)");
        const inputs = over("broken");
        const declared = aggregate(target, {
            ...inputs,
            query: inputs.query.replace("sum(v)", "sum(v * v)"),
        });
        let applied = 0;

        const up = declared.up(undefined, { onApplied: () => (applied += 1) });

        await expect(up).rejects.toMatchObject({
            code: "22003",
            message: "integer out of range",
            statement: "refresh_continuous_aggregate",
            hint: expect.stringContaining("cast to a wider one") as string,
        });
        expect(applied).toBe(1);
        expect(await refreshJob(target, "broken_agg")).toEqual({ scheduled: false });
        await target.byHand("DELETE FROM broken WHERE v = 50000");
        await declared.up();
        expect(await differences(target, declared.inputs, "'-infinity'")).toEqual([]);
    });

    it("leaves late rows to the refresh policy", async () => {
        const declared = aggregate(target, over("late"));
        await declared.up();

        await target.byHand("INSERT INTO late VALUES (now() - interval '9 days', 1)");

        await expectNoChange(declared);
        expect(await declared.preview({ ...declared.inputs, comment: "x" })).toEqual([
            'comment: none → "x"',
        ]);
    });

    it("does not fill what retention would drop again", async () => {
        const declared = aggregate(
            target,
            over("requests", { name: "kept_5_days", retentionPolicy: { dropAfter: "5 days" } }),
        );

        await declared.up();

        expect(
            await only(
                target,
                "SELECT min(bucket) >= now() - interval '5 days 1 hour' AS within FROM kept_5_days",
            ),
        ).toEqual({ within: true });
        expect(
            await differences(target, declared.inputs, "now() - interval '4 days 23 hours'"),
        ).toEqual([]);
    });

    it("stays below now, whatever the rows say", async () => {
        await hypertable(target, raw("ahead")).up();
        await target.byHand(rowsOf("ahead", 3));
        await target.byHand("INSERT INTO ahead VALUES (now() + interval '3 days', 1)");
        const declared = aggregate(target, over("ahead"));

        await declared.up();

        expect(
            await only(
                target,
                `SELECT max(bucket) < time_bucket('1 hour', now()) AS past,
                     (SELECT _timescaledb_functions.to_timestamp(t.watermark) <= now()
                      FROM _timescaledb_catalog.continuous_aggs_invalidation_threshold t
                      JOIN _timescaledb_catalog.hypertable h ON h.id = t.hypertable_id
                      WHERE h.table_name = 'ahead') AS "thresholdPast"
                 FROM ahead_agg`,
            ),
        ).toEqual({ past: true, thresholdPast: true });
        expect(await differences(target, declared.inputs, "'-infinity'")).toEqual([]);
    });

    it("does not keep a bucket that retention of the source has cut", async () => {
        await hypertable(target, raw("weeks")).up();
        await hypertable(
            target,
            raw("cut_weeks", { retentionPolicy: { dropAfter: "19 days" } }),
        ).up();
        for (const name of ["weeks", "cut_weeks"]) await target.byHand(rowsOf(name, 19));
        const firsts: Row[] = [];
        for (const source of ["weeks", "cut_weeks"]) {
            await aggregate(
                target,
                over(
                    source,
                    { refreshPolicy: { startOffset: "15 days", scheduleInterval: "1 day" } },
                    "'7 days', ts",
                ),
            ).up();
            firsts.push(
                await only(
                    target,
                    `SELECT min(bucket) < (SELECT min(ts) FROM ${source}) AS "cutByTheFirstRow" FROM ${source}_agg`,
                ),
            );
        }
        const aligned = await only(
            target,
            "SELECT time_bucket('7 days', min(ts)) = time_bucket('1 day', min(ts)) AS aligned FROM weeks",
        );

        // What a source without retention begins with is all there is of that week.
        expect(firsts).toEqual([
            { cutByTheFirstRow: true },
            { cutByTheFirstRow: aligned["aligned"] },
        ]);
    });

    it("leaves a paused job paused, and needs no rows and no policy", async () => {
        await hypertable(target, raw("empty")).up();
        const paused = aggregate(
            target,
            over("empty", {
                refreshPolicy: {
                    startOffset: "3 days",
                    endOffset: "1 hour",
                    scheduleInterval: "1 hour",
                    paused: true,
                },
            }),
        );
        const { refreshPolicy: _, ...bare } = over("empty", { name: "bare" });
        const policyless = aggregate(target, bare);

        await paused.up();
        await policyless.up();

        expect(progressOf(paused)).toEqual([]);
        expect(await refreshJob(target, "empty_agg")).toEqual({ scheduled: false });
        await expectNoChange(paused);
        await expectNoChange(policyless);
    });

    it.each([
        ["timestamp", "'1 hour', ts", 8],
        ["date", "'1 day', ts", 8],
        ["timestamptz", "'1 month', ts", 70],
        ["timestamptz", "'1 day', ts, 'Europe/Berlin'", 8],
    ])("works for a %s and time_bucket(%s)", async (type, bucket, days) => {
        const name = `t_${type}_${bucket.replace(/\W+/g, "_")}`.toLowerCase();
        const chunkTimeInterval = days > 10 ? "7 days" : "1 day";
        await hypertable(target, raw(name, { chunkTimeInterval }, type)).up();
        await target.byHand(rowsOf(name, days));
        const declared = aggregate(
            target,
            over(
                name,
                { refreshPolicy: { endOffset: "1 hour", scheduleInterval: "1 hour" } },
                bucket,
            ),
        );

        await declared.up();

        const open = `SELECT max(bucket) AS bucket FROM (${declared.inputs.query}) q`;
        expect(
            await only(target, `SELECT count(*) > 0 AS filled FROM ${declared.inputs.name}`),
        ).toEqual({
            filled: true,
        });
        expect(
            await target.byHand(
                `SELECT * FROM (${declared.inputs.query}) q WHERE bucket < (${open})
                 EXCEPT SELECT bucket, n, total FROM ${declared.inputs.name}`,
            ),
        ).toEqual([]);
        await expectNoChange(declared);
    });

    it("fills an aggregate over an aggregate", async () => {
        const hours = over("requests", { name: "hours" });
        const days: AggregateInputs = {
            name: "days",
            query: "SELECT time_bucket('1 day', bucket) AS bucket, sum(n) AS n, sum(total) AS total FROM hours GROUP BY 1",
            refreshPolicy: {
                startOffset: "9 days",
                endOffset: "1 day",
                scheduleInterval: "1 hour",
            },
        };
        await aggregate(target, hours).up();
        const above = aggregate(target, days);

        await above.up();

        expect(
            await target.byHand(
                `SELECT * FROM (${days.query}) q WHERE bucket < time_bucket('1 day', now() - interval '1 hour')
                 EXCEPT SELECT bucket, n, total FROM days`,
            ),
        ).toEqual([]);
        expect(await only(target, "SELECT count(*) >= 12 AS filled FROM days")).toEqual({
            filled: true,
        });
        await expectNoChange(above);
    });

    it("reports what the server says of a query that it cannot compute", async () => {
        const inputs = over("requests", { name: "refused" });
        const declared = aggregate(target, {
            ...inputs,
            query: inputs.query.replace("sum(v)", "max(v::text COLLATE nowhere)"),
        });

        const error: unknown = await declared.up().then(undefined, (thrown: unknown) => thrown);

        expect(error).toBeInstanceOf(TimescaleError);
        expect(error).toMatchObject({
            code: "42704",
            message: expect.stringContaining("nowhere") as string,
        });
        expect(await target.byHand("SELECT to_regclass('refused') AS there")).toEqual([
            { there: null },
        ]);
    });
});

/** Cuts the TCP connection, as a lost network does. */
function destroy({ client }: Session): void {
    const { connection } = client as unknown as {
        readonly connection: { readonly stream: { destroy(): void } };
    };
    connection.stream.destroy();
}
