/** What the generated requests are about: models with their prices and speeds, uses, failures. */

export interface Model {
    readonly provider: string;
    readonly model: string;
    /** USD for a million tokens. */
    readonly promptPrice: number;
    readonly completionPrice: number;
    /** Medians, in milliseconds: to the first token, and for each token after it. */
    readonly firstToken: number;
    readonly perToken: number;
    /** Relative number of requests. */
    readonly share: number;
}

export const models: readonly Model[] = [
    model("openai", "gpt-4o", 2.5, 10, 420, 14, 22),
    model("openai", "gpt-4o-mini", 0.15, 0.6, 340, 9, 24),
    model("openai", "o3-mini", 1.1, 4.4, 2600, 8, 5),
    model("anthropic", "claude-3-5-sonnet", 3, 15, 780, 16, 18),
    model("anthropic", "claude-3-5-haiku", 0.8, 4, 520, 11, 9),
    model("anthropic", "claude-3-opus", 15, 75, 1700, 38, 2),
    model("google", "gemini-1.5-pro", 1.25, 5, 640, 17, 7),
    model("google", "gemini-2.0-flash", 0.1, 0.4, 310, 6, 10),
    model("mistral", "mistral-large", 2, 6, 560, 19, 3),
];

function model(
    provider: string,
    name: string,
    promptPrice: number,
    completionPrice: number,
    firstToken: number,
    perToken: number,
    share: number,
): Model {
    return { provider, model: name, promptPrice, completionPrice, firstToken, perToken, share };
}

export interface Use {
    readonly name: string;
    readonly inputType: "chat" | "completion";
    /** Medians of log-normal lengths, the deviations of their logarithms, and the context's wall. */
    readonly promptTokens: number;
    readonly promptSigma: number;
    readonly completionTokens: number;
    readonly completionSigma: number;
    readonly maxPromptTokens: number;
    readonly share: number;
    readonly prompts: readonly string[];
    readonly answers: readonly string[];
}

export const uses: readonly Use[] = [
    {
        // Lengths as in a published trace of a code completion service.
        name: "code-completion",
        inputType: "completion",
        promptTokens: 1470,
        promptSigma: 1.25,
        completionTokens: 14,
        completionSigma: 0.85,
        maxPromptTokens: 7437,
        share: 34,
        prompts: [
            "def parse_interval(text):",
            "SELECT time_bucket(",
            "export async function open(",
        ],
        answers: ["    match = PATTERN.match(text)", "'1 hour', ts) AS bucket", "path: string) {"],
    },
    {
        name: "assistant",
        inputType: "chat",
        promptTokens: 620,
        promptSigma: 1.0,
        completionTokens: 210,
        completionSigma: 0.8,
        maxPromptTokens: 32_000,
        share: 46,
        prompts: [
            "How do I cancel my order?",
            "Explain the difference between a view and a table.",
            "Which plan fits a team of twelve?",
        ],
        answers: [
            "You can cancel it as long as it has not been shipped.",
            "A table stores rows, a view is a query with a name.",
            "For twelve people the team plan is the cheapest.",
        ],
    },
    {
        name: "summary",
        inputType: "chat",
        promptTokens: 3600,
        promptSigma: 0.6,
        completionTokens: 260,
        completionSigma: 0.45,
        maxPromptTokens: 64_000,
        share: 20,
        prompts: ["Summarise this incident report.", "Summarise the call with the customer."],
        answers: [
            "A certificate expired at 09:12 and was renewed at 09:40.",
            "They want to renew.",
        ],
    },
];

export interface Failure {
    readonly message: string;
    readonly httpStatus: number;
    /** Milliseconds after which the provider gave up, as a median; `undefined`: at the wall. */
    readonly after: number | undefined;
    readonly share: number;
}

/** Milliseconds after which a client stops waiting for an answer. */
export const timeoutMilliseconds = 60_000;

export const timedOut: Failure = {
    message: `request timed out after ${timeoutMilliseconds} ms`,
    httpStatus: 504,
    after: undefined,
    share: 12,
};

export const failures: readonly Failure[] = [
    { message: "rate limit exceeded: retry after 20 s", httpStatus: 429, after: 95, share: 46 },
    {
        message: "the service is overloaded, try again later",
        httpStatus: 529,
        after: 850,
        share: 20,
    },
    { message: "internal server error", httpStatus: 500, after: 1900, share: 9 },
    { message: "prompt exceeds the model's context length", httpStatus: 400, after: 140, share: 8 },
    { message: "output blocked by content filter", httpStatus: 400, after: 1200, share: 5 },
    timedOut,
];

export const environments = [
    { name: "production", share: 80 },
    { name: "staging", share: 14 },
    { name: "development", share: 6 },
] as const;

/** Requests of an average hour, by hour of the day in UTC. */
export const hourlyRhythm: readonly number[] = [
    0.42, 0.36, 0.32, 0.3, 0.32, 0.42, 0.6, 0.92, 1.32, 1.6, 1.7, 1.66, 1.5, 1.62, 1.78, 1.82, 1.74,
    1.5, 1.2, 0.98, 0.84, 0.72, 0.6, 0.5,
];

/** Requests of an average day, Sunday first. */
export const dailyRhythm: readonly number[] = [0.45, 1.18, 1.24, 1.26, 1.22, 1.1, 0.5];
