/** Check 7: every aggregate, view and function answers, and those who are to ask it may. Reads only. */
import type { Session } from "../../components/timescale/core/connection/session";
import { explain, TimescaleError } from "../../components/timescale/core/errors";
import { quoteQualified } from "../../components/timescale/core/identifier";
import { inspecting } from "../../components/timescale/core/plan/converging";
import { nameOf } from "../../components/timescale/provider/resourceKind";
import { reading } from "./buckets";
import { isFunction, isHypertable } from "./objects";
import { counted, type Finding } from "./result";
import type { Standing } from "./standing";

/** Arguments of a call, as somebody would write it. What only other functions call is asked through them. */
export const calls: Readonly<Record<string, string>> = {
    llm_percentiles: "'duration_ms', '{0.5,0.95}', now() - interval '2 hours', now()",
    llm_latency_percentile: "0.95, now() - interval '2 hours', now()",
    llm_rank: "2000, now() - interval '2 hours', now()",
    compare_model_percentiles: "",
    user_percentiles: "'nobody'",
};

export async function queries(
    session: Session,
    all: readonly Standing[],
    between: () => void,
): Promise<Finding> {
    const asked = all.filter(
        ({ exists, object }) =>
            exists &&
            !isHypertable(object) &&
            (!isFunction(object) || calls[object.name] !== undefined),
    );
    const problems: string[] = [];
    for (const { object, title, lines } of asked) {
        between();
        const name = nameOf({ ...object.inputs, name: object.name });
        const { searchPath } = await inspecting(session, name, () => Promise.resolve());
        const from = isFunction(object)
            ? `${quoteQualified(name)}(${calls[object.name] ?? ""})`
            : quoteQualified(name);
        try {
            await reading(session, searchPath, "query", name, (client) =>
                client.query(`SELECT * FROM ${from} AS asked LIMIT 1`),
            );
        } catch (error) {
            if (!(error instanceof TimescaleError) || error.code === "connection_lost") throw error;
            problems.push(`${title} does not answer: ${explain(error)}`);
        }
        problems.push(
            ...lines
                .filter(({ code }) => code === "grant_missing")
                .map(
                    ({ property, will }) =>
                        `${title}: ${property.replace(/^grants\./, "")} may not ${will ?? "read it"}`,
                ),
        );
    }
    return {
        summary: `${counted(asked.length, "aggregate")}, views and functions asked`,
        problems,
    };
}
