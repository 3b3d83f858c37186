/** Everything that doctor finds in a database, and what it could not look at. */
import { inspectServer } from "../../components/timescale/core/connection/server";
import { inTransaction, type Session } from "../../components/timescale/core/connection/session";
import { compareBuckets } from "../../components/timescale/core/health/compare";
import { type HealthFinding, healthFinding } from "../../components/timescale/core/health/finding";
import type { Health } from "../../components/timescale/core/health/health";
import { inspectHealth } from "../../components/timescale/core/health/inspect";
import { bySeverity, judge } from "../../components/timescale/core/health/judge";
import { type Disk, judgeDisk } from "../../components/timescale/core/health/judgeServer";
import { isWithoutJobs } from "../../components/timescale/core/health/lag";
import { counted } from "../../components/timescale/core/health/words";
import { displayName } from "../../components/timescale/core/identifier";
import { describeBytes } from "../../components/timescale/core/removal/extent";
import { describeRights } from "../status/rights";

export interface Examined {
    readonly health: Health;
    readonly findings: readonly HealthFinding[];
    /** What could not be looked at, and why. */
    readonly notes: readonly string[];
}

export interface ExamineOptions {
    readonly complete: boolean;
    /** Qualified names of what the stack declares; undefined: not known. */
    readonly declared?: readonly string[] | undefined;
    /** Asks for the free space, or says why it cannot be known. */
    readonly disk?: (health: Health) => Promise<Disk | string>;
    readonly report?: (text: string) => void;
}

export async function examine(session: Session, options: ExamineOptions): Promise<Examined> {
    const { complete, declared, disk, report } = options;
    report?.("reading catalog and statistics");
    const health = await settledHealth(session);
    const { extensionSchema } = await inTransaction(
        session,
        { readOnly: true, searchPath: ["pg_catalog"] },
        inspectServer,
    );
    const compared = await compareBuckets(session, health, [extensionSchema], {
        complete,
        onAggregate: (name) => report?.(`comparing ${name} with its source`),
    });
    const free = await disk?.(health);
    const notes = [...compared.notes, ...describeRights(health).map((note) => note.replace(/^note {2}/, ""))]; // prettier-ignore
    if (typeof free === "string") notes.push(`free disk space is not known: ${free}`);
    else if (free !== undefined)
        notes.push(`${describeBytes(free.free)} are free in ${free.where}`);
    if (health.server.embedded && isWithoutJobs(health.server)) {
        notes.push(
            "nothing runs jobs here, so how they do is not judged: npm run serve keeps the embedded database up and runs them",
        );
    }
    const findings = [
        ...judge(health),
        ...compared.findings,
        ...(declared === undefined ? [] : unmanaged(health, declared)),
        ...(typeof free === "object" ? judgeDisk(health, free) : []),
    ];
    return { health, findings: bySeverity(findings), notes };
}

/** A job that was just made has not been planned yet: it gets a moment. */
async function settledHealth(session: Session): Promise<Health> {
    const health = await inspectHealth(session);
    const { server, jobs } = health;
    const unsettled = jobs.some(
        ({ scheduled, runs, nextStart }) => scheduled && runs === 0 && nextStart === null,
    );
    if (!unsettled || isWithoutJobs(server) || !server.scheduler) return health;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return inspectHealth(session);
}

/** In the schemas of what the stack declares. */
function unmanaged({ aggregates }: Health, declared: readonly string[]): HealthFinding[] {
    const schemas = new Set(declared.map((name) => name.slice(0, name.lastIndexOf("."))));
    return aggregates
        .filter((one) => !declared.includes(displayName(one)))
        .filter((one) => schemas.has(displayName(one).slice(0, displayName(one).lastIndexOf("."))))
        .map((one) =>
            healthFinding("unmanaged_aggregate", {
                object: displayName(one),
                message: "the stack does not declare it",
                evidence: `the stack declares ${counted(declared.length, "aggregate")} in this schema, and not this one`,
                consequence:
                    "no preview shows what becomes of it, and it is not made again with the rest",
                mend: "npm run import writes its declaration; or drop it",
            }),
        );
}
