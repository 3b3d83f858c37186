/** Messages of TimescaleDB that docs/operations/troubleshooting.md explains, and statements that cause them. */

export interface Cause {
    /** Statements before, as the owner. */
    readonly given?: readonly string[];
    /** @default "owner" */
    readonly role?: "owner" | "reader" | "admin";
    /** What fails, the last one of several in one session. */
    readonly text: string | readonly string[];
    /** What later versions say instead. */
    readonly newer?: RegExp;
    readonly undo?: readonly string[];
    /** Needs a session of its own, or a statement that can be interrupted. */
    readonly sessions?: true;
}

const refresh = (name: string): string =>
    `CALL refresh_continuous_aggregate('${name}', now() - interval '7 days', now())`;
const over = (name: string, select: string, options = "WITH NO DATA"): string =>
    `CREATE MATERIALIZED VIEW ${name} WITH (timescaledb.continuous) AS SELECT ${select} FROM llm_traces GROUP BY 1 ${options}`;

/** By message. */
export const causes: Readonly<Record<string, Cause>> = {
    "integer out of range": {
        given: [
            over("squares", "time_bucket('1 day', ts) AS bucket, sum(duration_ms * duration_ms)"),
        ],
        text: refresh("squares"),
        undo: ["DROP MATERIALIZED VIEW squares"],
    },
    "tuple decompression limit exceeded by operation": {
        given: [
            over("packed", "time_bucket('1 day', ts) AS bucket, count(*)"),
            refresh("packed"),
            "ALTER MATERIALIZED VIEW packed SET (timescaledb.compress)",
            "SELECT compress_chunk(c) FROM show_chunks('packed') c",
            "UPDATE llm_traces SET duration_ms = duration_ms + 1 WHERE ts > now() - interval '6 days'",
        ],
        text: [
            "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 1",
            refresh("packed"),
        ],
        // Later versions take whole batches away without decompressing them.
        newer: /^nothing$/,
        undo: [
            "RESET timescaledb.max_tuples_decompressed_per_dml_transaction",
            "DROP MATERIALIZED VIEW packed",
        ],
    },
    "refresh_continuous_aggregate() cannot run inside a transaction block": {
        text: ["BEGIN", refresh("llm_metrics_1hour")],
    },
    "CREATE MATERIALIZED VIEW ... WITH DATA cannot run inside a transaction block": {
        text: ["BEGIN", over("whole", "time_bucket('1 day', ts) AS bucket, count(*)", "WITH DATA")],
    },
    '"llm_metrics_1min" is not a materialized view': {
        text: "COMMENT ON MATERIALIZED VIEW llm_metrics_1min IS 'x'",
    },
    'relation "timescaledb_information.continuous_aggregate_stats" does not exist': {
        text: "SELECT * FROM timescaledb_information.continuous_aggregate_stats",
    },
    "refresh window too small": {
        text: "CALL refresh_continuous_aggregate('llm_metrics_1hour', now() - interval '1 minute', now())",
    },
    "policy refresh window too small": {
        given: [over("narrow", "time_bucket('1 day', ts) AS bucket, count(*)")],
        text: "SELECT add_continuous_aggregate_policy('narrow', interval '2 days', interval '1 day', interval '1 hour')",
        undo: ["DROP MATERIALIZED VIEW narrow"],
    },
    'continuous aggregate policy already exists for "llm_metrics_1min"': {
        text: "SELECT add_continuous_aggregate_policy('llm_metrics_1min', interval '1 hour', interval '1 minute', interval '30 seconds')",
        newer: /already exists/,
    },
    "only immutable functions supported in continuous aggregate view": {
        text: over("moving", "time_bucket('1 day', ts) AS bucket, max(now() - ts)"),
        newer: /^nothing$/,
        undo: ["DROP MATERIALIZED VIEW IF EXISTS moving"],
    },
    "continuous aggregate view must include a valid time bucket function": {
        text: over("bare", "ts, count(*)"),
        newer: /valid time bucket function/,
    },
    "cannot drop view llm_metrics_1hour because other objects depend on it": {
        text: "DROP MATERIALIZED VIEW llm_metrics_1hour",
    },
    "must be owner of view llm_metrics_1min": { role: "reader", text: refresh("llm_metrics_1min") },
    "permission denied for table llm_traces": { role: "reader", text: "SELECT * FROM llm_traces" },
    "canceling statement due to lock timeout": {
        given: ["BEGIN", "LOCK TABLE llm_metrics"],
        text: ["SET lock_timeout = '100ms'", "SELECT count(*) FROM llm_metrics"],
        undo: ["ROLLBACK"],
        sessions: true,
    },
    "canceling statement due to statement timeout": {
        text: ["SET statement_timeout = '100ms'", "SELECT pg_sleep(5)"],
        sessions: true,
    },
};

/** By message, and why nothing here causes it. */
export const notCaused: Readonly<Record<string, string>> = {
    'functionality not supported under the current "apache" license': "a setting of the whole server, which other tests share", // prettier-ignore
    'extension "timescaledb" must be preloaded': "a server that was started otherwise",
    "tried calling catalog_get when extension isn't loaded": "ends the sessions that look at the database", // prettier-ignore
    'cannot drop portal "" while it is being set up': "PostgreSQL 15.20 alone says it",
    'permission denied to start background process as role "…"': "in the server's log, of a role that all databases share", // prettier-ignore
    "failed to launch job …: out of background workers": "in the server's log alone",
};
