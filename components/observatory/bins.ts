/**
 * Distributions that can be merged: for each measure an aggregate by hour over llm_traces, one by day
 * over the hours and one by month over the days. Percentiles of any window are computed from them.
 */
import { bandWidth, binOf, countsOf, sumsOf } from "./binColumns";
import type { Declaration } from "./declaration";
import { readerReads } from "./grants";
import { type Measure, measures } from "./measures";
import { readSql } from "./statements";

type Level = Pick<
    Declaration,
    "refreshPolicy" | "retentionPolicy" | "compressionPolicy" | "chunkTimeInterval"
>;

/** By model alone: a segment by everything has too few rows to compress well, or to skip by time. */
const segmentBy = ["model"];
const orderBy = ["bucket", "environment", "band"];

/** Three years and a month, so that a window of three years is whole although it begins within a month. */
const threeYears = { dropAfter: "1127 days" };

/**
 * Hours and days are compressed as soon as no refresh reaches them: bins shrink to a fiftieth, and
 * reading a day of them is no slower. Months stay as they are: they are small, and read as a whole.
 */
export const levels: Readonly<Record<"1hour" | "1day" | "1month", Level>> = {
    "1hour": {
        refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
        retentionPolicy: { dropAfter: "210 days" },
        compressionPolicy: { compressAfter: "2 days", segmentBy, orderBy },
        chunkTimeInterval: "5 days",
    },
    "1day": {
        refreshPolicy: { startOffset: "4 days", endOffset: "3 hours", scheduleInterval: "1 hour" },
        retentionPolicy: threeYears,
        compressionPolicy: { compressAfter: "5 days", segmentBy, orderBy },
        chunkTimeInterval: "30 days",
    },
    "1month": {
        refreshPolicy: {
            startOffset: "100 days",
            endOffset: "2 days",
            scheduleInterval: "12 hours",
        },
        retentionPolicy: threeYears,
        chunkTimeInterval: "360 days",
    },
};

type LevelName = keyof typeof levels;

const files: Readonly<Record<LevelName, string>> = {
    "1hour": "bins/1hour.sql",
    "1day": "bins/coarser.sql",
    "1month": "bins/coarser.sql",
};

const below: Readonly<Record<LevelName, LevelName | undefined>> = {
    "1hour": undefined,
    "1day": "1hour",
    "1month": "1day",
};

const widths: Readonly<Record<LevelName, string>> = {
    "1hour": "hour",
    "1day": "day",
    "1month": "month",
};

/** Finer ones first. */
export const binAggregates: readonly Declaration[] = measures.flatMap((measure) =>
    (Object.keys(levels) as LevelName[]).map((level) => declaration(measure, level)),
);

function declaration(measure: Measure, level: LevelName): Declaration {
    const source = below[level];
    return {
        name: `${measure.bins}_${level}`,
        file: files[level],
        query: filled(readSql(files[level]), {
            measure: measure.name,
            width: widths[level],
            value: measure.value,
            bin: binOf(measure.value),
            columns: String(bandWidth),
            counts: countsOf(binOf(measure.value)),
            sums: sumsOf("bigint"),
            known: measure.known,
            source: source === undefined ? "llm_traces" : `${measure.bins}_${source}`,
        }),
        comment: `Counts of ${measure.name} by ${widths[level]}${level === "1month" ? " (UTC)" : ""} in logarithmic bins; llm_percentiles computes percentiles of any window from them, to 1 %`,
        ...levels[level],
        // They would take as much room as the rows, and percentiles are looked up by time.
        createGroupIndexes: false,
        grants: readerReads,
    };
}

/** Puts values in the place of `{name}`. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
