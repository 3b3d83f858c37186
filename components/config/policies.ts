/** The policies that this environment has otherwise than they are declared. */
import { aggregates } from "../observatory/aggregates";
import { hypertables } from "../observatory/hypertables";
import { parsePolicies, type PolicyChanges } from "../observatory/policies";
import { problem, type Problems } from "./problems";
import { type RawConfig, text } from "./values";

const known = [...hypertables, ...aggregates].map(({ name }) => name);

export function policies(raw: RawConfig, problems: Problems): PolicyChanges {
    const parsed = parsePolicies(text(raw, "policies"), known);
    if (!isProblems(parsed)) return parsed;
    for (const detail of parsed) {
        problem(problems, "policies cannot be used", {
            detail,
            hint: `pulumi config set policies '{"llm_traces": {"retentionPolicy": {"dropAfter": "30 days"}}}'`,
        });
    }
    return {};
}

function isProblems(parsed: PolicyChanges | readonly string[]): parsed is readonly string[] {
    return Array.isArray(parsed);
}
