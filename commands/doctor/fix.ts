/** Mends what is safe to mend: nothing here deletes rows, and each fix is what its finding says. */
import type { Session } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Fix, HealthFinding } from "../../components/timescale/core/health/finding";
import type { Health } from "../../components/timescale/core/health/health";
import { counted } from "../../components/timescale/core/health/words";
import {
    displayName,
    escapeIdentifier,
    type QualifiedName,
    quoteQualified,
} from "../../components/timescale/core/identifier";
import { applyStatements } from "../../components/timescale/core/plan/apply";
import type { Statement } from "../../components/timescale/core/plan/plan";
import { deleteJob, scheduleJob } from "../../components/timescale/core/policies/jobStatements";
import { lengthIn } from "../../components/timescale/core/rules/windows";
import { backfill } from "../backfill/run";

/** In a few words, for the question. */
export function describeFix(fix: Fix): string {
    switch (fix.kind) {
        case "resume_job":
            return `let job ${fix.job} run again`;
        case "delete_job":
            return `delete job ${fix.job}`;
        case "start_scheduler":
            return "start the background workers of this database";
        case "refresh":
            return `compute ${counted(fix.ranges.length, "range")} of ${displayName(fix.aggregate)} again`;
    }
}

/** @throws TimescaleError when it does not work */
export async function mend(
    session: Session,
    { fix, object }: HealthFinding,
    health: Health,
    report: (text: string) => void,
): Promise<void> {
    if (fix === undefined) return;
    const run = (...statements: Statement[]): Promise<void> =>
        applyStatements(session, statements, {
            ...{ object, searchPath: ["public", "pg_catalog"], onRetry: report },
        });
    switch (fix.kind) {
        case "resume_job":
            return run(scheduleJob({ id: fix.job }, true));
        case "delete_job":
            return run(deleteJob({ id: fix.job }));
        case "start_scheduler":
            return run({
                name: "start_scheduler",
                sql: "SELECT _timescaledb_functions.start_background_workers()",
                values: [],
                lock: null,
            });
        case "refresh":
            return refresh(session, fix, health, { run, report });
    }
}

async function refresh(
    session: Session,
    fix: Fix & { readonly kind: "refresh" },
    health: Health,
    tools: {
        readonly run: (...statements: Statement[]) => Promise<void>;
        readonly report: (text: string) => void;
    },
): Promise<void> {
    const aggregate = health.aggregates.find(
        (one) => displayName(one) === displayName(fix.aggregate),
    );
    const width = (lengthIn(aggregate?.bucketWidth) ?? 0) / 1000;
    // A row's time lies inside a bucket, and whole ones are computed: of those, what is pending alone.
    const by = (literal: string, milliseconds: number): string =>
        new Date(Date.parse(literal) + milliseconds).toISOString();
    for (const { begins, ends } of fix.ranges) {
        if (fix.touch) await tools.run(touch(health, fix.aggregate, begins, ends));
        await backfill(
            session,
            {
                aggregate: displayName(fix.aggregate),
                from: begins === "-infinity" ? undefined : by(begins, -width),
                to: ends === "infinity" ? undefined : by(ends, width),
                dryRun: false,
            },
            { onStatus: tools.report, onClamp: () => undefined },
        );
    }
}

/**
 * Writes one of the source's rows as it is: TimescaleDB takes its bucket for changed then, and for nothing less on
 * versions whose refresh has no force.
 */
function touch(
    { aggregates, hypertables }: Health,
    name: QualifiedName,
    begins: string,
    ends: string,
): Statement {
    const aggregate = aggregates.find(
        (one) => one.schema === name.schema && one.name === name.name,
    );
    const source = [...aggregates, ...hypertables].find(({ id }) => id === aggregate?.source.id);
    if (aggregate === undefined || source === undefined) {
        throw new TimescaleError(`${displayName(name)} is gone`, { code: "gone" });
    }
    const table = aggregate.source.aggregate
        ? { schema: "_timescaledb_internal", name: `_materialized_hypertable_${source.id}` }
        : source;
    const [relation, time] = [quoteQualified(table), escapeIdentifier(source.timeColumn)];
    return {
        name: "touch_source",
        sql: `UPDATE ${relation} SET ${time} = ${time} WHERE ${time} = (SELECT min(${time}) FROM ${relation} WHERE ${time} >= $1::timestamptz AND ${time} < $2::timestamptz)`,
        values: [begins, ends],
    };
}
