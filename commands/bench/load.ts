/**
 * Rows for the benches: requests as commands/demo/workload.ts describes them (models, uses, environments,
 * failures, the wall at the time-out), made by the database itself, which is how millions of them come quickly.
 */
import { hypertables } from "../../components/observatory/hypertables";
import type { Session } from "../../components/timescale/core/connection/session";
import { convergeHypertable } from "../../components/timescale/core/hypertable/converge";
import { desiredHypertable } from "../../components/timescale/core/hypertable/spec";
import { escapeLiteral } from "../../components/timescale/core/identifier";
import type { PartsMemory } from "../../components/timescale/core/relation/hypertableParts";
import { environments, failures, models, timeoutMilliseconds, uses } from "../demo/workload";

const batch = 100_000;

/** What is remembered of an object that was never applied. */
export const nothingDeclared: PartsMemory = {
    managed: false,
    declared: {
        refreshPolicy: false,
        retentionPolicy: false,
        compressionPolicy: false,
        indexes: [],
    },
};

export const silent = {
    onStatus: () => undefined,
    onApplied: () => undefined,
    checkDatabase: () => undefined,
};

/**
 * Makes the traces' table, with so many rows evenly over the last days, without policies: jobs in the
 * middle of a round would time themselves.
 */
export async function load(
    session: Session,
    rows: number,
    report: (text: string) => void,
    days = 90,
): Promise<void> {
    const [traces] = hypertables;
    if (traces === undefined) return;
    const { compressionPolicy: _c, retentionPolicy: _r, ...table } = traces;
    await convergeHypertable(session, desiredHypertable(table), nothingDeclared, silent);
    // The same rows each time, but for their beginning.
    await session.client.query("SELECT setseed(0.5)");
    for (let from = 0; from < rows; from += batch) {
        report(`${from.toLocaleString("en")} of ${rows.toLocaleString("en")}`);
        const to = Math.min(from + batch, rows) - 1;
        await session.client.query(insertion(from, to, rows, days / rows));
    }
    await session.client.query("ANALYZE llm_traces");
}

/** Log-normal around a median. `random()` twice a call, because PostgreSQL 15 has no normal numbers. */
function logNormal(median: string, sigma: string): string {
    return `${median} * exp(${sigma} * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))`;
}

/** A row of VALUES for each of a hundred, so many as its share says. */
function list(rows: readonly (readonly (string | number)[])[]): string {
    return rows
        .map((row) => row.map((it) => (typeof it === "number" ? it : escapeLiteral(it))).join(", "))
        .map((row, at) => `(${at}, ${row})`)
        .join(", ");
}

/** An array in which each index stands as often as its share says, to pick from. */
function shares(items: readonly { readonly share: number }[]): string {
    const indexes = items.flatMap(({ share }, at) => Array.from({ length: share }, () => at));
    return `(ARRAY[${indexes.join(",")}])[1 + floor(random() * ${indexes.length})::int]`;
}

function insertion(from: number, to: number, last: number, daysApart: number): string {
    return `
        WITH models (at, provider, model, first_token, per_token, prompt_price, completion_price) AS (
            VALUES ${list(models.map((it) => [it.provider, it.model, it.firstToken, it.perToken, it.promptPrice, it.completionPrice]))}
        ), uses (at, input_type, prompt, prompt_sigma, completion, completion_sigma) AS (
            VALUES ${list(uses.map((it) => [it.inputType, it.promptTokens, it.promptSigma, it.completionTokens, it.completionSigma]))}
        ), environments (at, environment) AS (
            VALUES ${list(environments.map(({ name }) => [name]))}
        ), failures (at, message, after) AS (
            VALUES ${list(failures.map((it) => [it.message, it.after ?? timeoutMilliseconds]))}
        ), picked AS MATERIALIZED (
            SELECT i, ${shares(models)} AS model_at, ${shares(uses)} AS use_at, ${shares(environments)} AS environment_at,
                ${shares(failures)} AS failure_at, random() AS outcome, random() AS speed
            FROM generate_series(${from}, ${to}) i
        ), drawn AS MATERIALIZED (
            SELECT i, provider, model, input_type, environment, message, outcome, prompt_price, completion_price,
                greatest(1, least(64000, ${logNormal("prompt", "prompt_sigma")}))::int AS prompt_tokens,
                greatest(1, least(8192, ${logNormal("completion", "completion_sigma")}))::int AS completion_tokens,
                ${logNormal("first_token", "0.45")} * CASE WHEN random() < 0.02 THEN (1 - speed) ^ (-1 / 1.1) ELSE 1 END AS first_token,
                ${logNormal("per_token", "0.3")} AS per_token,
                ${logNormal("after", "CASE WHEN after < 60000 THEN 0.6 ELSE 0 END")} AS failed_after
            FROM picked
            JOIN models ON models.at = model_at JOIN uses ON uses.at = use_at
            JOIN environments ON environments.at = environment_at JOIN failures ON failures.at = failure_at
        ), ended AS (
            SELECT *, outcome < 0.027 OR first_token + completion_tokens * per_token >= ${timeoutMilliseconds} AS failed FROM drawn
        )
        INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, ttft_ms, status_code,
            error_message, prompt_tokens, completion_tokens, total_tokens, total_cost_usd, user_id, session_id, environment)
        SELECT now() - (${last} - i) * ${daysApart} * interval '1 day', md5(i::text), 'span', input_type || ' ' || model, provider, model, input_type,
            greatest(1, least(${timeoutMilliseconds}, CASE WHEN outcome < 0.027 THEN failed_after ELSE first_token + completion_tokens * per_token END))::int,
            CASE WHEN NOT failed THEN first_token::int END,
            CASE WHEN failed THEN 'ERROR' WHEN outcome > 0.99 THEN 'UNSET' ELSE 'OK' END,
            CASE WHEN failed THEN message END,
            CASE WHEN NOT failed THEN prompt_tokens END, CASE WHEN NOT failed THEN completion_tokens END,
            CASE WHEN NOT failed THEN prompt_tokens + completion_tokens END,
            CASE WHEN NOT failed THEN (prompt_tokens * prompt_price + completion_tokens * completion_price)::numeric / 1000000 END,
            'user-' || i % 997, 'session-' || i % 9973, environment
        FROM ended`;
}
