/** The names that cases are run with: plain ones, and ones that break every missing quote. */
import { escapeIdentifier } from "pg";

import { quoteQualified } from "../../components/timescale/core/identifier";
import type { AggregateInputs, HypertableInputs } from "./declared";

/** Everything with a name, as PostgreSQL stores it. */
export interface Names {
    readonly schema: string;
    readonly table: string;
    readonly time: string;
    readonly id: string;
    readonly model: string;
    readonly value: string;
    readonly aggregate: string;
    /** Another schema, to move into. */
    readonly elsewhere: string;
}

export const plainNames: Names = {
    schema: "public",
    table: "requests",
    time: "ts",
    id: "id",
    model: "model",
    value: "ms",
    aggregate: "requests_hourly",
    elsewhere: "elsewhere",
};

export const oddNames: Names = {
    schema: 'Odd "Schema"',
    table: 'Raw "Requests"; --',
    time: "Time Stamp",
    id: "select",
    model: 'mo"del',
    value: "Value, ms",
    aggregate: `Hourly's "Aggregate" 50%`,
    elsewhere: "Else Where",
};

export const everyNames: readonly (readonly [string, Names])[] = [
    ["schema public", plainNames],
    [`schema ${oddNames.schema}`, oddNames],
];

/** The names quoted, for statements written by hand. */
export function quoted(names: Names): Names {
    const { schema, table, aggregate } = names;
    return {
        schema: escapeIdentifier(schema),
        table: quoteQualified({ schema, name: table }),
        time: escapeIdentifier(names.time),
        id: escapeIdentifier(names.id),
        model: escapeIdentifier(names.model),
        value: escapeIdentifier(names.value),
        aggregate: quoteQualified({ schema, name: aggregate }),
        elsewhere: escapeIdentifier(names.elsewhere),
    };
}

/** A hypertable that declares one of everything. */
export function rawTable(names: Names): HypertableInputs {
    return {
        schema: names.schema,
        name: names.table,
        columns: [
            { name: names.time, type: "timestamptz", nullable: false },
            { name: names.id, type: "text", nullable: false },
            { name: names.model, type: "text", default: "'none'", comment: "who's answering" },
            { name: names.value, type: "int", comment: "milliseconds" },
            { name: "cost", type: "numeric(12, 8)" },
            { name: "tags", type: "text[]", default: "'{}'" },
        ],
        timeColumn: names.time,
        primaryKey: [names.time, names.id],
        chunkTimeInterval: "1 day",
        indexes: [
            { name: "by_model", columns: [names.model, `${names.time} DESC`] },
            { name: "by_tags", columns: ["tags"], method: "gin" },
        ],
        compressionPolicy: {
            compressAfter: "7 days",
            segmentBy: [names.model],
            orderBy: [`${names.time} DESC`],
        },
        retentionPolicy: { dropAfter: "90 days" },
        comment: `raw; it's "quoted"`,
        grants: [{ role: "observatory_writer", privileges: ["SELECT", "INSERT"] }],
    };
}

/** An hourly aggregate over it that declares one of everything. */
export function hourly(names: Names): AggregateInputs {
    const it = quoted(names);
    return {
        schema: names.schema,
        name: names.aggregate,
        query: [
            `SELECT time_bucket('1 hour', ${it.time}) AS bucket, ${it.model}, count(*) AS requests,`,
            `    sum(${it.value}) AS total, count(*) FILTER (WHERE ${it.value} IN (1, 2)) AS quick`,
            `FROM ${it.table}`,
            `WHERE ${it.id} <> ''`,
            `GROUP BY bucket, ${it.model}`,
        ].join("\n"),
        refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
        retentionPolicy: { dropAfter: "210 days" },
        compressionPolicy: { compressAfter: "7 days", segmentBy: [names.model] },
        chunkTimeInterval: "5 days",
        comment: `hourly; it's "quoted"`,
        // Indexes of aggregates share one schema.
        indexes: [{ name: hourlyIndex(names), columns: ["total DESC", "bucket"] }],
        grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
    };
}

export function hourlyIndex({ aggregate }: Names): string {
    return `${aggregate} by total`;
}
