/** The targets of llm_sla_monitoring. */
import { parseTargets, type SlaTarget } from "../observatory/slaTargets";
import { problem, type Problems } from "./problems";
import { type RawConfig, text } from "./values";

export function slaTargets(raw: RawConfig, problems: Problems): readonly SlaTarget[] {
    const parsed = parseTargets(text(raw, "slaTargets"));
    if (typeof parsed !== "string") return parsed;
    problem(problems, "slaTargets is not a list of targets", {
        detail: parsed,
        hint: `pulumi config set slaTargets '[{"model": "gpt-4o", "environment": "production", "p95Ms": 1500}]'`,
    });
    return [];
}
