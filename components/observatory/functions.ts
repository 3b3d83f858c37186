/**
 * Functions that compute percentiles and ranks of any window from the bins. They read with the owner's
 * rights, under a fixed search path, and only the reader may call them.
 */
import type { SqlFunctionProperties } from "../timescale";
import { escapeIdentifier, escapeLiteral } from "../timescale/core/identifier";
import { filled, levels } from "./bins";
import { readerCalls } from "./grants";
import { rawKept } from "./hypertables";
import { measures } from "./measures";
import { readSql } from "./sql";

export interface FunctionDeclaration extends Pick<
    SqlFunctionProperties,
    "definition" | "comment" | "grants"
> {
    /** Of the resource: the function's own. */
    readonly name: string;
}

const bound = "within 1 % of percentile_cont over the raw rows";
const window =
    `any window, whole or not: what raw rows no longer give, after ${rawKept}, is widened to whole hours, ` +
    `and after ${levels["1hour"].retentionPolicy?.dropAfter} to whole days (UTC)`;

export function functions(schema: string): readonly FunctionDeclaration[] {
    return [
        {
            name: "llm_bins_of",
            file: "functions/llm_bins_of.sql",
            comment: "For the other functions: the query of the bins that answer a window",
        },
        {
            name: "llm_percentiles",
            file: "functions/llm_percentiles.sql",
            comment: `Percentiles of duration_ms, ttft_ms, total_tokens or total_cost_usd, grouped as asked; ${bound}; ${window}`,
            grants: readerCalls,
        },
        {
            name: "llm_latency_percentile",
            file: "functions/llm_latency_percentile.sql",
            comment: `One percentile of duration_ms; ${bound}; ${window}`,
            grants: readerCalls,
        },
        {
            name: "llm_rank",
            file: "functions/llm_rank.sql",
            comment: `Share of requests with at most this value; exact for some value within 1 % of it; ${window}`,
            grants: readerCalls,
        },
    ].map(({ file, ...declaration }) => ({ ...declaration, definition: definition(file, schema) }));
}

/** @param schema where what it reads lies */
export function definition(file: string, schema: string): string {
    return filled(readSql(file), {
        schema: escapeIdentifier(schema),
        raw_kept: rawKept,
        hours_kept: levels["1hour"].retentionPolicy?.dropAfter ?? "",
        measure_names: measures.map(({ name }) => name).join(", "),
        measures: measures
            .map(
                ({ name, bins, value, known, scale }) =>
                    `    WHEN ${escapeLiteral(name)} THEN\n` +
                    `        prefix := ${escapeLiteral(bins)};\n` +
                    `        value := ${escapeLiteral(value)};\n` +
                    `        known := ${escapeLiteral(known)};\n` +
                    `        scale := ${scale};`,
            )
            .join("\n"),
    });
}
