/** Everything that is wrong with a database, by its health. Pure. */
import type { HealthFinding } from "./finding";
import type { Health } from "./health";
import { judgeAggregates } from "./judgeAggregates";
import { judgeJobs } from "./judgeJobs";
import { judgeServer } from "./judgeServer";

/** Errors first, each in the order of the objects. */
export function judge(health: Health): HealthFinding[] {
    return bySeverity([...judgeServer(health), ...judgeJobs(health), ...judgeAggregates(health)]);
}

export function bySeverity(findings: readonly HealthFinding[]): HealthFinding[] {
    return [
        ...findings.filter(({ severity }) => severity === "error"),
        ...findings.filter(({ severity }) => severity === "warning"),
    ];
}
