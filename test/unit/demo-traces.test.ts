import { renderHead } from "../../commands/demo/heads";
import { dailyWindows, refreshWindows } from "../../commands/demo/load";
import { createRandom } from "../../commands/demo/random";
import { demoTag, hoursBetween, type Trace, tracesOfHour } from "../../commands/demo/traces";
import { models, timeoutMilliseconds } from "../../commands/demo/workload";

/** A Monday morning and the ten days before it. */
const to = new Date("2026-03-02T10:30:00Z");
const from = new Date("2026-02-20T10:30:00Z");

const traces = hoursBetween(from, to).flatMap((hour) => tracesOfHour(hour));

const share = (condition: (trace: Trace) => boolean, of: readonly Trace[] = traces) =>
    of.filter(condition).length / of.length;

function percentile(values: readonly number[], p: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor(p * (sorted.length - 1))] ?? Number.NaN;
}

const durations = traces.map((trace) => trace.duration_ms);
const answered = traces.filter((trace) => trace.status_code === "OK");

describe("generated traces", () => {
    it("are the same for the same hour, and others for another seed", () => {
        const hour = new Date("2026-02-24T15:00:00Z");

        expect(tracesOfHour(hour)).toEqual(tracesOfHour(hour));
        expect(tracesOfHour(hour, { seed: "other", requestsPerHour: 430 })[0]).not.toEqual(
            tracesOfHour(hour)[0],
        );
    });

    it("number about a hundred thousand in ten days", () => {
        expect(traces.length).toBeGreaterThan(90_000);
        expect(traces.length).toBeLessThan(112_000);
    });

    it("are in order of time, inside their hour, and have ids of their own", () => {
        const times = traces.map(({ ts }) => ts);
        expect(times).toEqual([...times].sort());
        expect(new Set(traces.map(({ trace_id }) => trace_id)).size).toBe(traces.length);
        const hour = new Date("2026-02-24T15:00:00Z");
        expect(tracesOfHour(hour).every(({ ts }) => ts.startsWith("2026-02-24T15:"))).toBe(true);
    });

    it("fail in 2 to 4 percent and are left in about 1 percent", () => {
        expect(share(({ status_code }) => status_code === "ERROR")).toBeGreaterThan(0.02);
        expect(share(({ status_code }) => status_code === "ERROR")).toBeLessThan(0.04);
        expect(share(({ status_code }) => status_code === "UNSET")).toBeGreaterThan(0.005);
        expect(share(({ status_code }) => status_code === "UNSET")).toBeLessThan(0.015);
    });

    it("have a message exactly when they failed, and usage and cost exactly when not", () => {
        const inconsistent = traces.filter((trace) => {
            const failed = trace.status_code === "ERROR";
            const { total_tokens, total_cost_usd, ttft_ms } = trace;
            return (
                (trace.error_message !== null) !== failed ||
                [total_tokens, total_cost_usd, ttft_ms].some((value) => (value === null) !== failed)
            );
        });

        expect(inconsistent).toEqual([]);
    });

    it("take log-normal times with a heavy tail that ends at the wall", () => {
        const [p50, p90, p99] = [0.5, 0.9, 0.99].map((p) => percentile(durations, p));

        expect(p50).toBeGreaterThan(1000);
        expect(p50).toBeLessThan(4000);
        expect((p90 ?? 0) / (p50 ?? 1)).toBeGreaterThan(2.5);
        expect((p99 ?? 0) / (p50 ?? 1)).toBeGreaterThan(7);
        expect(Math.max(...traces.map(({ duration_ms }) => duration_ms))).toBe(timeoutMilliseconds);
        const walled = traces.filter(({ duration_ms }) => duration_ms === timeoutMilliseconds);
        expect(walled.length).toBeGreaterThan(100);
        expect(walled.every(({ status_code }) => status_code === "ERROR")).toBe(true);
    });

    it("show their first token before they end", () => {
        expect(answered.every(({ ttft_ms, duration_ms }) => (ttft_ms ?? 0) <= duration_ms)).toBe(
            true,
        );
    });

    it("cost what their model's tokens cost", () => {
        for (const trace of answered.slice(0, 2000)) {
            const price = models.find(({ model }) => model === trace.model);
            const expected =
                ((trace.prompt_tokens ?? 0) * (price?.promptPrice ?? 0) +
                    (trace.completion_tokens ?? 0) * (price?.completionPrice ?? 0)) /
                1_000_000;
            expect(trace.total_cost_usd).toBeCloseTo(expected, 7);
            expect(trace.total_tokens).toBe(
                (trace.prompt_tokens ?? 0) + (trace.completion_tokens ?? 0),
            );
        }
    });

    it("have prompts and answers as long as a code completion service's", () => {
        const completions = answered.filter(({ tags }) => tags.includes("code-completion"));
        const prompts = completions.map(({ prompt_tokens }) => prompt_tokens ?? 0);
        const answers = completions.map(({ completion_tokens }) => completion_tokens ?? 0);

        expect(percentile(prompts, 0.5)).toBeGreaterThan(1300);
        expect(percentile(prompts, 0.5)).toBeLessThan(1650);
        expect(percentile(prompts, 1)).toBe(7437);
        expect(percentile(answers, 0.5)).toBeGreaterThanOrEqual(12);
        expect(percentile(answers, 0.5)).toBeLessThanOrEqual(16);
        expect(percentile(answers, 0.95)).toBeLessThan(90);
    });

    it("come by day more than by night, and on working days more than on others", () => {
        const ofHour = (hour: number) => share(({ ts }) => new Date(ts).getUTCHours() === hour);
        expect(ofHour(15)).toBeGreaterThan(4 * ofHour(3));
        const sunday = traces.filter(({ ts }) => ts.startsWith("2026-03-01")).length;
        const tuesday = traces.filter(({ ts }) => ts.startsWith("2026-02-24")).length;
        expect(tuesday).toBeGreaterThan(2 * sunday);
    });

    it("use every model, mostly in production, and are marked", () => {
        expect(new Set(traces.map(({ model }) => model)).size).toBe(models.length);
        expect(share(({ environment }) => environment === "production")).toBeGreaterThan(0.75);
        expect(share(({ tags }) => tags.includes(demoTag))).toBe(1);
    });
});

describe("random numbers", () => {
    it("are uniform", () => {
        const random = createRandom("uniform");
        const values = Array.from({ length: 20_000 }, () => random.next());

        expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...values)).toBeLessThan(1);
        expect(values.reduce((a, b) => a + b) / values.length).toBeCloseTo(0.5, 1);
    });

    it("have the median that a log-normal was asked for", () => {
        const random = createRandom("median");
        const values = Array.from({ length: 20_000 }, () => random.logNormal(300, 0.8));

        expect(percentile(values, 0.5)).toBeGreaterThan(285);
        expect(percentile(values, 0.5)).toBeLessThan(315);
    });
});

describe("refresh windows", () => {
    it("are cut at midnight and never reach past the end", () => {
        const windows = dailyWindows(
            new Date("2026-02-27T10:30:00Z"),
            new Date("2026-03-01T09:00:00Z"),
        );

        expect(windows.map(({ start, end }) => [start.toISOString(), end.toISOString()])).toEqual([
            ["2026-02-27T00:00:00.000Z", "2026-02-28T00:00:00.000Z"],
            ["2026-02-28T00:00:00.000Z", "2026-03-01T00:00:00.000Z"],
            ["2026-03-01T00:00:00.000Z", "2026-03-01T09:00:00.000Z"],
        ]);
    });

    it("leave out a day that has just begun", () => {
        const windows = dailyWindows(
            new Date("2026-02-27T10:30:00Z"),
            new Date("2026-02-28T00:00:00Z"),
        );

        expect(windows).toHaveLength(1);
    });
});

describe("the head of an aggregate", () => {
    it("shows dates in UTC, money with four places, and what is missing as a dash", () => {
        const text = renderHead(
            "public.m",
            ["bucket", "model", "request_count", "total_cost_usd", "p95_duration_ms"],
            [
                {
                    bucket: new Date("2026-03-01T09:00:00Z"),
                    model: "gpt-4o",
                    request_count: "12345",
                    total_cost_usd: "1.23456789",
                    p95_duration_ms: null,
                },
            ],
        );

        expect(text).toContain("public.m\n");
        expect(text).toMatch(/2026-03-01 09:00 +gpt-4o +12,345 +1\.2346 +-/);
    });
});

describe("an aggregate by month", () => {
    it("is refreshed from the beginning of a month, so that the months that have ended are whole", () => {
        const [from, to] = [new Date("2026-02-21T13:00:00Z"), new Date("2026-03-03T13:00:00Z")];

        expect(refreshWindows("llm_latency_bins_1month", from, to)).toEqual([
            { start: new Date("2026-02-01T00:00:00Z"), end: to },
        ]);
        expect(refreshWindows("llm_latency_bins_1day", from, to)).toHaveLength(11);
    });
});
