/** Lengths, sizes, times and jobs in words, as status and doctor print them. Pure. */
import type { PendingRange } from "../aggregate/pending";
import { displayName } from "../identifier";
import { policyProcedures } from "../policies/policy";
import type { Health, JobHealth } from "./health";

/** Such as `1 bucket` or `12 buckets`. */
export function counted(count: number, what: string): string {
    return `${count} ${what}${count === 1 ? "" : /[^aeiou]y$/.test(what) ? "" : "s"}`;
}

/** Such as `3 min 20 s`: two units, so that it stays short. @param seconds negative counts as 0 */
export function showLength(seconds: number): string {
    const whole = Math.max(0, seconds);
    if (whole < 1) return `${Math.round(whole * 1000)} ms`;
    const units = [
        ["d", 86_400],
        ["h", 3600],
        ["min", 60],
        ["s", 1],
    ] as const;
    let rest = whole < 10 ? Math.round(whole * 10) / 10 : Math.round(whole);
    const parts: string[] = [];
    for (const [name, size] of units) {
        const count = size === 1 ? Math.round(rest * 10) / 10 : Math.floor(rest / size);
        if (count === 0) {
            if (parts.length > 0) break;
            continue;
        }
        parts.push(`${count} ${name}`);
        rest -= count * size;
        if (parts.length === 2) break;
    }
    return parts.join(" ");
}

/** Such as `2026-08-24 13:05 UTC`, with seconds where there are some. @param literal in UTC */
export function showTime(literal: string): string {
    const [, date = "", time = "", seconds = "00"] =
        /^(\d{4,}-\d{2}-\d{2})T(\d{2}:\d{2}):(\d{2})/.exec(literal) ?? [];
    if (date === "") return literal;
    return `${date} ${time}${seconds === "00" ? "" : `:${seconds}`} UTC`;
}

/** Such as `refresh of public.llm_metrics_1min (job 1004)`. */
export function jobTitle(
    job: Pick<JobHealth, "id" | "procedure" | "procedureSchema" | "hypertableId">,
    { aggregates, versions, hypertables }: Pick<Health, "aggregates" | "versions" | "hypertables">,
): string {
    const of = [...aggregates, ...versions, ...hypertables].find(
        ({ id }) => id === job.hypertableId,
    );
    const kind = Object.entries(policyProcedures).find(([, name]) => name === job.procedure)?.[0];
    const what = kind ?? displayName({ schema: job.procedureSchema, name: job.procedure });
    return `${what}${of === undefined ? "" : ` of ${displayName(of)}`} (job ${job.id})`;
}

/** Such as `2026-08-24 13:00 UTC to 14:00 UTC`. */
export function showRange({ begins, ends }: PendingRange): string {
    const [from, to] = [showTime(begins), showTime(ends)];
    if (from === to) return from;
    if (begins === "-infinity") return `everything to ${to}`;
    if (ends === "infinity") return `everything from ${from}`;
    const sameDay = from.slice(0, 11) === to.slice(0, 11);
    return `${from.replace(/ UTC$/, "")} to ${sameDay ? to.slice(11) : to}`;
}
