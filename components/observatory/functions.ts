/**
 * Functions that compute percentiles and ranks of any window from the bins. They read with the owner's
 * rights, under a fixed search path, and only the reader may call them.
 */
import type { SqlFunctionProperties } from "../timescale";
import { escapeIdentifier, escapeLiteral } from "../timescale/core/identifier";
import { bandWidth, binOf, columns, countsOf, middleOfBin, sumsOf } from "./binColumns";
import { filled } from "./bins";
import { readerCalls } from "./grants";
import { type Kept, keptByDefault } from "./kept";
import { measures } from "./measures";
import { readSql } from "./statements";

export interface FunctionDeclaration extends Pick<
    SqlFunctionProperties,
    "definition" | "comment" | "grants"
> {
    /** Of the resource: the function's own. */
    readonly name: string;
}

const bound = "within 1 % of percentile_cont over the raw rows";

function windowOf({ raw, hours }: Kept): string {
    const widened = [
        ...(raw === undefined ? [] : [`what raw rows no longer give, after ${raw}, is widened to whole hours`]), // prettier-ignore
        ...(hours === undefined ? [] : [`what hours no longer give, after ${hours}, to whole days (UTC)`]), // prettier-ignore
    ];
    return ["any window, whole or not", widened.join(", and ")].filter(Boolean).join(": ");
}

/** @param kept how far back what they read reaches */
export function functions(schema: string, kept = keptByDefault): readonly FunctionDeclaration[] {
    const window = windowOf(kept);
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
    ].map(({ file, ...declaration }) => ({
        ...declaration,
        definition: definition(file, schema, kept),
    }));
}

/** For functions that return one number, which cannot tell that it is of another window. */
const notice = `IF answer.window_from <> from_time OR answer.window_to <> to_time THEN
        RAISE NOTICE 'the window is widened: it is answered from % to %', answer.window_from, answer.window_to
            USING DETAIL = 'raw rows are kept {raw_kept}, hours {hours_kept}, and before that there are days',
                HINT = 'ask for whole hours or days (UTC); llm_percentiles returns the window that it answers';
    END IF;`;

/** @param schema where what it reads lies */
export function definition(file: string, schema: string, kept = keptByDefault): string {
    return filled(readSql(file).replace("{notice}", notice), {
        schema: escapeIdentifier(schema),
        raw_kept: kept.raw ?? "for ever",
        hours_kept: kept.hours ?? "for ever",
        raw_from: beginning(kept.raw),
        hours_from: beginning(kept.hours),
        columns: String(bandWidth),
        middle: middleOfBin,
        counts: countsOf("bin"),
        sums: sumsOf("double precision"),
        all: columns((name) => `coalesce(sum(${name}), 0)::double precision`, ", "),
        total: columns((name) => `coalesce(sum(${name}), 0)::double precision`, " + "),
        measure_names: measures.map(({ name }) => name).join(", "),
        measures: measures
            .map(
                (measure) =>
                    `    WHEN ${escapeLiteral(measure.name)} THEN\n` +
                    `        prefix := ${escapeLiteral(measure.bins)};\n` +
                    `        bin := ${escapeLiteral(binOf(measure.value))};\n` +
                    `        known := ${escapeLiteral(measure.known)};\n` +
                    `        scale := ${measure.scale};`,
            )
            .join("\n"),
    });
}

/** From when on there is what is kept so long, as SQL. */
function beginning(kept: string | undefined): string {
    return kept === undefined ? "'-infinity'" : `now() - interval ${escapeLiteral(kept)}`;
}
