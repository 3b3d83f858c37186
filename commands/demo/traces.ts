/**
 * Generated LLM requests, one span each. An hour's requests follow from the seed and the hour alone:
 * whoever generates it, whenever, gets the same rows, and loading them twice changes nothing.
 */
import { createRandom, type Random } from "./random";
import {
    dailyRhythm,
    environments,
    failures,
    hourlyRhythm,
    type Model,
    models,
    timedOut,
    timeoutMilliseconds,
    type Use,
    uses,
} from "./workload";

/** A row of `llm_traces`; the fields are its columns. */
export interface Trace {
    /** ISO 8601, UTC. */
    readonly ts: string;
    readonly trace_id: string;
    readonly span_id: string;
    readonly span_name: string;
    readonly span_kind: string;
    readonly provider: string;
    readonly model: string;
    readonly input_type: string;
    readonly input_text: string;
    readonly output_text: string | null;
    readonly finish_reason: string | null;
    readonly prompt_tokens: number | null;
    readonly completion_tokens: number | null;
    readonly total_tokens: number | null;
    readonly prompt_cost_usd: number | null;
    readonly completion_cost_usd: number | null;
    readonly total_cost_usd: number | null;
    readonly duration_ms: number;
    readonly ttft_ms: number | null;
    readonly status_code: "OK" | "ERROR" | "UNSET";
    readonly error_message: string | null;
    readonly user_id: string;
    readonly session_id: string;
    readonly environment: string;
    readonly tags: readonly string[];
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
    readonly resource_attributes: Readonly<Record<string, string>>;
}

/** In `tags` of every generated row, which tells them from real ones. */
export const demoTag = "demo";

export interface TraceOptions {
    readonly seed: string;
    /** Requests of an average hour of an average week. */
    readonly requestsPerHour: number;
}

export const defaultTraceOptions: TraceOptions = { seed: "observatory", requestsPerHour: 430 };

const hourMilliseconds = 3_600_000;

const userCount = 400;

/** The whole hours that touch the time from `from` to `to`, in milliseconds since 1970. */
export function hoursBetween(from: Date, to: Date): readonly Date[] {
    const first = Math.floor(from.getTime() / hourMilliseconds);
    const last = Math.floor(to.getTime() / hourMilliseconds);
    return Array.from(
        { length: Math.max(0, last - first + 1) },
        (_, i) => new Date((first + i) * hourMilliseconds),
    );
}

/** The requests of the hour that begins at `hour`, oldest first. */
export function tracesOfHour(hour: Date, options: TraceOptions = defaultTraceOptions): Trace[] {
    const random = createRandom(`${options.seed} ${hour.toISOString()}`);
    const rhythm = (hourlyRhythm[hour.getUTCHours()] ?? 1) * (dailyRhythm[hour.getUTCDay()] ?? 1);
    const count = Math.round(options.requestsPerHour * rhythm * random.logNormal(1, 0.08));
    const troubled = troubledProvider(hour, options.seed);
    return Array.from({ length: count }, () => random.below(hourMilliseconds))
        .sort((a, b) => a - b)
        .map((offset) => request(new Date(hour.getTime() + offset), random, troubled));
}

/** Now and then a provider has a bad hour, which is what an error summary is for. */
function troubledProvider(hour: Date, seed: string): string | undefined {
    const random = createRandom(`${seed} trouble ${hour.toISOString()}`);
    return random.chance(0.012) ? random.pick(models, ({ share }) => share).provider : undefined;
}

/** What a request came to, before it is written down as a row. */
type Outcome =
    | {
          readonly status: "OK";
          readonly completionTokens: number;
          readonly duration: number;
          readonly firstToken: number;
      }
    | {
          readonly status: "UNSET";
          readonly completionTokens: number;
          readonly duration: number;
          readonly firstToken: number;
      }
    | {
          readonly status: "ERROR";
          readonly message: string;
          readonly httpStatus: number;
          readonly duration: number;
      };

function request(ts: Date, random: Random, troubled: string | undefined): Trace {
    const model = random.pick(models, ({ share }) => share);
    const use = random.pick(uses, ({ share }) => share);
    const promptTokens = tokens(
        random.logNormal(use.promptTokens, use.promptSigma),
        use.maxPromptTokens,
    );
    const outcome = outcomeOf(model, use, promptTokens, random, model.provider === troubled);
    const failed = outcome.status === "ERROR";
    // A provider charges what it has read and written, and nothing for a request that failed.
    const usage = failed ? undefined : cost(model, promptTokens, outcome.completionTokens);
    const user = Math.floor(userCount * random.next() ** 2.2);
    const at = random.below(use.prompts.length);
    const environment = random.pick(environments, ({ share }) => share).name;
    return {
        ts: ts.toISOString(),
        trace_id: random.hex(32),
        span_id: random.hex(16),
        span_name: `${use.inputType} ${model.model}`,
        span_kind: "client",
        provider: model.provider,
        model: model.model,
        input_type: use.inputType,
        input_text: use.prompts[at] ?? "",
        output_text: outcome.status === "OK" ? (use.answers[at] ?? null) : null,
        finish_reason: outcome.status === "OK" ? (random.chance(0.04) ? "length" : "stop") : null,
        prompt_tokens: failed ? null : promptTokens,
        completion_tokens: failed ? null : outcome.completionTokens,
        total_tokens: failed ? null : promptTokens + outcome.completionTokens,
        prompt_cost_usd: usage?.prompt ?? null,
        completion_cost_usd: usage?.completion ?? null,
        total_cost_usd: usage?.total ?? null,
        duration_ms: outcome.duration,
        ttft_ms: failed ? null : outcome.firstToken,
        status_code: outcome.status,
        error_message: failed ? outcome.message : null,
        user_id: `user-${String(user).padStart(4, "0")}`,
        session_id: `session-${user}-${Math.floor(ts.getTime() / (2 * hourMilliseconds))}`,
        environment,
        tags: [demoTag, use.name],
        attributes: {
            "http.status_code": failed ? outcome.httpStatus : 200,
            stream: use.inputType === "chat",
            temperature: use.inputType === "chat" ? 0.7 : 0,
        },
        resource_attributes: { "service.name": use.name, "deployment.environment": environment },
    };
}

function outcomeOf(
    model: Model,
    use: Use,
    promptTokens: number,
    random: Random,
    troubled: boolean,
): Outcome {
    const completionTokens = tokens(
        random.logNormal(use.completionTokens, use.completionSigma),
        8192,
    );
    if (random.chance(troubled ? 0.3 : 0.027)) {
        const { message, httpStatus, after } = random.pick(failures, ({ share }) => share);
        const duration = after === undefined ? timeoutMilliseconds : random.logNormal(after, 0.6);
        return { status: "ERROR", message, httpStatus, duration: milliseconds(duration) };
    }
    // Queueing at the provider: rare, without upper bound, and it hits the first token.
    const delay = random.chance(0.02) ? random.pareto(1.1) : 1;
    const firstToken =
        random.logNormal(model.firstToken, 0.45) * delay + promptTokens * 0.06 * random.next();
    const duration = firstToken + completionTokens * random.logNormal(model.perToken, 0.3);
    if (duration >= timeoutMilliseconds) {
        const { message, httpStatus } = timedOut;
        return { status: "ERROR", message, httpStatus, duration: timeoutMilliseconds };
    }
    if (random.chance(0.01)) {
        // The user went away in the middle of the answer: neither a success nor a failure.
        const seen = random.next();
        return {
            status: "UNSET",
            completionTokens: tokens(completionTokens * seen, 8192),
            duration: milliseconds(firstToken + (duration - firstToken) * seen),
            firstToken: milliseconds(firstToken),
        };
    }
    return {
        status: "OK",
        completionTokens,
        duration: milliseconds(duration),
        firstToken: milliseconds(firstToken),
    };
}

function cost(model: Model, promptTokens: number, completionTokens: number) {
    const prompt = usd(promptTokens * model.promptPrice);
    const completion = usd(completionTokens * model.completionPrice);
    return { prompt, completion, total: Number((prompt + completion).toFixed(8)) };
}

/** From USD for a million tokens, to the eight places of the column. */
function usd(tokensTimesPrice: number): number {
    return Number((tokensTimesPrice / 1_000_000).toFixed(8));
}

function tokens(length: number, limit: number): number {
    return Math.min(limit, Math.max(1, Math.round(length)));
}

function milliseconds(duration: number): number {
    return Math.max(1, Math.round(duration));
}
