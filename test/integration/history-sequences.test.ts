/**
 * Random sequences of everything that happens to an aggregate over the years, with seeds that stay:
 * no path that a user did not name loses a row of history.
 */
import fc from "fast-check";

import { backfill } from "../../commands/backfill/run";
import { TimescaleError } from "../../components/timescale/core/errors";
import { breakingAfter } from "./breaking";
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable, type HypertableInputs } from "./declared"; // prettier-ignore
import { type Contents, HistoryModel, hour, keyOf, lost, type RawRow, type Shown, title } from "./historyModel"; // prettier-ignore
import { onEveryServer, type Target } from "./onEveryServer";

const raw: HypertableInputs = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz" },
        { name: "model", type: "text" },
        { name: "ms", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
    retentionPolicy: { dropAfter: "30 days" },
};

/** Columns of the hourly aggregate beside those that every version has. */
const versions = [[], ["quick"], ["slowest"], ["quick", "slowest"]] as const;
const expressions = { quick: "count(*) FILTER (WHERE ms <= 2)", slowest: "max(ms)" } as const;

function queryOf(version: number): string {
    const columns = (versions[version] ?? []).map((name) => `, ${expressions[name]} AS ${name}`);
    return `SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, sum(ms) AS total${columns.join("")} FROM requests GROUP BY 1, 2`;
}

const dailyOver = (hourly: string): AggregateInputs => ({
    name: "daily",
    query: `SELECT time_bucket('1 day', bucket) AS day, model, sum(n)::bigint AS n, sum(total) AS total FROM ${hourly} GROUP BY 1, 2`,
    refreshPolicy: { startOffset: "4 days", endOffset: "1 hour", scheduleInterval: "1 hour" },
    chunkTimeInterval: "10 days",
});

type Edit =
    | { readonly edit: "query"; readonly version: number }
    | { readonly edit: "window"; readonly days: 1 | 2 }
    | { readonly edit: "name" }
    | { readonly edit: "comment" }
    | { readonly edit: "compression"; readonly on: boolean }
    | { readonly edit: "materializedOnly"; readonly on: boolean }
    | { readonly edit: "dropVersions" };

type Step =
    | Edit
    | { readonly step: "insert"; readonly hoursAgo: number; readonly key: string; readonly ms: number } // prettier-ignore
    | { readonly step: "refresh"; readonly of: "current" | "all" }
    | { readonly step: "backfill" }
    | { readonly step: "retention" }
    | { readonly step: "compress" }
    | { readonly step: "keep" }
    | { readonly step: "interrupted"; readonly after: number; readonly of: Edit };

const edits: fc.Arbitrary<Edit> = fc.oneof(
    {
        weight: 5,
        arbitrary: fc.record({ edit: fc.constant("query" as const), version: fc.nat(3) }),
    },
    fc.record({ edit: fc.constant("window" as const), days: fc.constantFrom(1 as const, 2 as const) }), // prettier-ignore
    fc.record({ edit: fc.constant("name" as const) }),
    fc.record({ edit: fc.constant("comment" as const) }),
    fc.record({ edit: fc.constant("compression" as const), on: fc.boolean() }),
    fc.record({ edit: fc.constant("materializedOnly" as const), on: fc.boolean() }),
    fc.record({ edit: fc.constant("dropVersions" as const) }),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
    { weight: 7, arbitrary: edits },
    {
        weight: 6,
        arbitrary: fc.record({
            step: fc.constant("insert" as const),
            hoursAgo: fc.nat(9 * 24),
            key: fc.constantFrom("x", "y", "z"),
            ms: fc.integer({ min: 1, max: 9 }),
        }),
    },
    { weight: 2, arbitrary: fc.record({ step: fc.constant("refresh" as const), of: fc.constantFrom("current" as const, "all" as const) }) }, // prettier-ignore
    { weight: 2, arbitrary: fc.record({ step: fc.constant("backfill" as const) }) },
    { weight: 2, arbitrary: fc.record({ step: fc.constant("retention" as const) }) },
    fc.record({ step: fc.constant("compress" as const) }),
    fc.record({ step: fc.constant("keep" as const) }),
    { weight: 2, arbitrary: fc.record({ step: fc.constant("interrupted" as const), after: fc.integer({ min: 1, max: 160 }), of: edits }) }, // prettier-ignore
);

class Run {
    private readonly model = new HistoryModel();
    private hourly: Declared<AggregateInputs>;
    private readonly table: Declared<HypertableInputs>;
    private readonly daily: Declared<AggregateInputs> | undefined;
    private inputs: AggregateInputs;
    private version = 0;
    private retained = 8;
    private seen: { hourly: Contents; daily: Contents; read: Contents } = {
        hourly: new Map(),
        daily: new Map(),
        read: new Map(),
    };
    /** What each version of the query that stands had a value for. */
    private known = new Map<number, ReadonlySet<string>>();

    constructor(
        private readonly target: Target,
        withDaily: boolean,
    ) {
        this.inputs = {
            name: "hourly",
            query: queryOf(0),
            refreshPolicy: { startOffset: "2 days", endOffset: "1 hour", scheduleInterval: "1 hour" }, // prettier-ignore
            chunkTimeInterval: "2 days",
            onQueryChange: "keepHistory",
        };
        this.table = hypertable(target, raw);
        this.hourly = aggregate(target, this.inputs);
        this.daily = withDaily ? aggregate(target, dailyOver("hourly")) : undefined;
    }

    async begin(): Promise<void> {
        await this.table.up();
        const now = Date.now();
        const rows = Array.from({ length: 8 * 24 }, (_, at) =>
            ["x", "y"].map((key) => ({ at: now - at * hour, key, ms: 1 + (at % 9) })),
        ).flat();
        await this.insert(rows);
        await this.hourly.up();
        await this.daily?.up();
        await this.check({});
    }

    async take(step: Step): Promise<void> {
        if ("edit" in step) {
            await this.edit(step);
            return;
        }
        switch (step.step) {
            case "insert": {
                const { hoursAgo, key, ms } = step;
                await this.insert([{ at: Date.now() - hoursAgo * hour, key, ms }]);
                break;
            }
            case "refresh":
                await this.runJobs("policy_refresh_continuous_aggregate", step.of === "current");
                break;
            case "backfill":
                for (const name of [
                    this.inputs.name,
                    ...(this.daily === undefined ? [] : ["daily"]),
                ]) {
                    await backfill(
                        this.target.session,
                        { aggregate: name, from: undefined, to: undefined, dryRun: false },
                        { onStatus: () => undefined, onClamp: () => undefined },
                    );
                }
                await this.check({ filled: true });
                return;
            case "retention":
                await this.retain();
                break;
            case "compress":
                await this.runJobs("policy_compression", false);
                break;
            case "keep": {
                // Others read it: it is not taken away from them.
                if (this.daily !== undefined) break;
                const kept = aggregate(this.target, { ...this.inputs, onDelete: "keep" });
                await kept.up();
                await kept.remove();
                this.hourly.outputs = undefined;
                await this.hourly.up(this.inputs);
                break;
            }
            case "interrupted":
                await this.interrupted(step.of, step.after);
                return;
        }
        await this.check({});
    }

    private edited(edit: Edit): AggregateInputs {
        const { history: _history, ...inputs } = this.inputs;
        switch (edit.edit) {
            case "query":
                return { ...inputs, query: queryOf(edit.version) };
            case "window":
                return {
                    ...inputs,
                    refreshPolicy: { startOffset: `${edit.days} days`, endOffset: "1 hour", scheduleInterval: "1 hour" }, // prettier-ignore
                };
            case "name":
                return { ...inputs, name: inputs.name === "hourly" ? "by_the_hour" : "hourly" };
            case "comment":
                return { ...inputs, comment: inputs.comment === "one" ? "another" : "one" };
            case "compression": {
                const { compressionPolicy: _compression, ...others } = inputs;
                return edit.on
                    ? { ...others, compressionPolicy: { compressAfter: "3 days", segmentBy: ["model"] } } // prettier-ignore
                    : others;
            }
            case "materializedOnly":
                return { ...inputs, materializedOnly: edit.on };
            case "dropVersions":
                return { ...inputs, history: { replacedVersions: "drop" } };
        }
    }

    private async edit(edit: Edit): Promise<void> {
        const desired = this.edited(edit);
        const former = this.hourly.outputs;
        try {
            await this.hourly.up(desired);
        } catch (error) {
            // A version that lacks what came since does not come back, and nothing has changed.
            if (!(error instanceof TimescaleError) || error.code !== "version_incomplete")
                throw error;
            this.hourly.outputs = former;
            await this.hourly.up(this.inputs);
            await this.check({});
            return;
        }
        await this.finished(edit, desired);
    }

    private async finished(edit: Edit, desired: AggregateInputs): Promise<void> {
        this.inputs = desired;
        // Readers that saw raw rows as well see buckets alone.
        if (edit.edit === "materializedOnly") this.seen = { ...this.seen, read: new Map() };
        await expectNoChange(this.hourly, desired);
        if (this.daily !== undefined) await expectNoChange(this.daily, dailyOver(desired.name));
        if (edit.edit === "dropVersions") {
            const current = this.known.get(this.version);
            this.known = new Map(current === undefined ? [] : [[this.version, current]]);
        }
        if (edit.edit === "query") {
            const from = this.known.get(this.version) ?? new Set();
            if (!this.known.has(edit.version)) {
                const columns: readonly string[] = versions[edit.version] ?? [];
                const carried = [...from].filter((it) => columns.includes(it.split("|")[1] ?? ""));
                this.known.set(edit.version, new Set(carried));
            }
            this.version = edit.version;
        }
        await this.check({});
    }

    private async interrupted(edit: Edit, after: number): Promise<void> {
        // One server session serves all clients of the embedded server.
        if (this.target.server.kind === "embedded") return;
        const desired = this.edited(edit);
        const thrown = await this.target
            .anotherSession(async (session) => {
                const broken = aggregate(
                    this.target,
                    desired,
                    breakingAfter(session, after).session,
                );
                broken.outputs = this.hourly.outputs;
                await broken.up();
                this.hourly.outputs = broken.outputs;
            })
            .then(
                () => undefined,
                (error: unknown) => error,
            );
        if (thrown !== undefined) {
            const stands = await this.standingName(desired.name);
            const problems = lost(this.seen.read, await this.shown(stands));
            expect({ after, problems }).toEqual({ after, problems: [] });
        }
        await this.edit(edit);
    }

    private async insert(rows: readonly RawRow[]): Promise<void> {
        const values = rows.map(({ at, key, ms }) => `(to_timestamp(${at / 1000}), '${key}', ${ms})`); // prettier-ignore
        await this.target.byHand(`INSERT INTO requests VALUES ${values.join(", ")}`);
        this.model.insert(rows);
    }

    private async runJobs(procedure: string, current: boolean): Promise<void> {
        const jobs = await this.target.byHand(
            `SELECT j.id FROM _timescaledb_config.bgw_job j JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
             WHERE j.proc_name = '${procedure}' AND (${!current} OR a.user_view_name IN ('hourly', 'by_the_hour', 'daily')) AND j.scheduled
             ORDER BY (SELECT count(*) FROM _timescaledb_catalog.continuous_agg p WHERE p.mat_hypertable_id = a.parent_mat_hypertable_id), j.id`,
        );
        for (const { id } of jobs) await this.target.byHand(`CALL run_job(${String(id)})`);
    }

    /** Retention takes one day more, down to what refreshes need. Refreshes run before it, as their schedule is shorter. */
    private async retain(): Promise<void> {
        if (this.retained <= 4) return;
        this.retained -= 1;
        await this.runJobs("policy_refresh_continuous_aggregate", true);
        const before = await this.chunkEnds();
        await this.table.up({ ...raw, retentionPolicy: { dropAfter: `${this.retained} days` } });
        const [job] = await this.target.byHand(
            "SELECT job_id AS id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'requests'",
        );
        await this.target.byHand(`CALL run_job(${String(job?.["id"])})`);
        const after = await this.chunkEnds();
        for (const end of before) if (!after.includes(end)) this.model.dropped(end);
    }

    private async chunkEnds(): Promise<number[]> {
        const rows = await this.target.byHand(
            "SELECT extract(epoch FROM range_end) * 1000 AS ends FROM timescaledb_information.chunks WHERE hypertable_name = 'requests'",
        );
        return rows.map(({ ends }) => Number(ends));
    }

    private async standingName(renamed: string): Promise<string> {
        const [row] = await this.target.byHand(
            `SELECT coalesce(to_regclass('${this.inputs.name}'), to_regclass('${renamed}'))::text AS name`,
        );
        return String(row?.["name"]);
    }

    /** @param materialized only what refreshes have computed, also where readers see more */
    private async shown(name: string, materialized = false): Promise<Contents> {
        const [of] = await this.target.byHand(
            `SELECT format('%I.%I', h.schema_name, h.table_name) AS materialization FROM _timescaledb_catalog.continuous_agg a
             JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id WHERE a.user_view_name = '${name}'`,
        );
        const rows = await this.target.byHand(
            `SELECT extract(epoch FROM ${name === "daily" ? "day" : "bucket"}) * 1000 AS at, * FROM ${materialized ? String(of?.["materialization"]) : name}`,
        );
        const number = (value: unknown): number | null => (value == null ? null : Number(value));
        const contents = new Map<string, Shown>();
        for (const row of rows) {
            const { at, model, n, total, quick, slowest } = row;
            const key = keyOf({ bucket: Number(at), key: String(model) });
            expect(contents.has(key)).toBe(false);
            contents.set(key, {
                bucket: Number(at),
                key: String(model),
                n: Number(n),
                total: Number(total),
                ...(quick !== undefined && { quick: number(quick) }),
                ...(slowest !== undefined && { slowest: number(slowest) }),
            });
        }
        return contents;
    }

    /** @param filled nothing of whole raw data is pending */
    private async check({ filled = false }: { readonly filled?: boolean }): Promise<void> {
        const over = hour * Math.floor(Date.now() / hour);
        const now = {
            hourly: await this.shown(this.inputs.name, true),
            daily: this.daily === undefined ? new Map() : await this.shown("daily", true),
            read: await this.shown(this.inputs.name),
        };
        const problems = [
            // A bucket that is not over need not be computed where readers see raw rows.
            ...this.model.hourlyProblems(complete(this.seen.hourly, over), now.hourly),
            ...this.model.hourlyProblems(now.hourly, now.read),
            ...lost(this.seen.read, now.read),
            ...this.model.dailyProblems(this.seen.daily, now.daily),
            ...this.columnProblems(now.hourly, over),
        ];
        if (filled) {
            for (const [key, n] of this.model.whole(over)) {
                const counted = now.hourly.get(key)?.n ?? 0;
                if (counted !== n) problems.push(`${key} counts ${counted} of ${n} rows of whole raw data`); // prettier-ignore
            }
        }
        expect(problems).toEqual([]);
        this.seen = now;
    }

    /** Values of columns go no more than rows do. */
    private columnProblems(now: Contents, over: number): string[] {
        const columns = versions[this.version] ?? [];
        const has = new Set<string>();
        for (const [key, shown] of now) {
            for (const column of columns) if (shown[column] != null) has.add(`${key}|${column}`);
        }
        const problems = [...(this.known.get(this.version) ?? [])]
            .filter((it) => !has.has(it) && Number(it.split(" ")[0]) < over)
            .map((it) => `${it} had a value`);
        for (const shown of now.values()) {
            for (const column of columns) {
                if (shown[column] == null && this.model.isWhole(shown.bucket)) {
                    problems.push(`${title(shown)} has no ${column}, and raw data has it`);
                }
            }
        }
        this.known.set(this.version, has);
        return problems;
    }
}

function complete(contents: Contents, over: number): Contents {
    return new Map([...contents].filter(([, { bucket }]) => bucket < over));
}

onEveryServer((target) => {
    const clear = async (): Promise<void> => {
        const rows = await target.byHand(
            "SELECT user_view_name AS view FROM _timescaledb_catalog.continuous_agg ORDER BY parent_mat_hypertable_id IS NULL, mat_hypertable_id DESC",
        );
        for (const { view } of rows)
            await target.byHand(`DROP MATERIALIZED VIEW "${String(view)}"`);
        await target.byHand("DROP TABLE IF EXISTS requests CASCADE");
    };

    it.each([
        ["an hourly aggregate", false, 12],
        ["an hourly aggregate and a daily one over it", true, 6],
    ] as const)(
        "%s keeps its history through everything that happens to it",
        async (_, withDaily, runs) => {
            await fc.assert(
                fc.asyncProperty(
                    fc.array(steps, { minLength: 18, maxLength: 18 }),
                    async (sequence) => {
                        await clear();
                        const run = new Run(target, withDaily);
                        await run.begin();
                        for (const [at, step] of sequence.entries()) {
                            await run.take(step).then(undefined, (error: unknown) => {
                                const done = sequence.slice(0, at + 1).map((it) => JSON.stringify(it)); // prettier-ignore
                                throw new Error(`after\n${done.join("\n")}`, { cause: error });
                            });
                        }
                    },
                ),
                {
                    seed: Number(process.env["HISTORY_SEED"] ?? 1),
                    numRuns: Number(process.env["HISTORY_RUNS"] ?? runs),
                    // A smaller sequence takes as long to find as the rest of the suite takes.
                    endOnFailure: true,
                },
            );
        },
        900_000,
    );
});
