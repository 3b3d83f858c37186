/** Check 9: what should be materialized is, and whatever is pending will be reached by a policy. Reads only. */
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import type { Session } from "../../components/timescale/core/connection/session";
import { displayName } from "../../components/timescale/core/identifier";
import { type ActualJob, policyProcedures } from "../../components/timescale/core/policies/policy";
import { readSql } from "../../components/timescale/core/sqlFile";
import { spread } from "./accuracy";
import { type Buckets, compare, type Extent } from "./buckets";
import { counted, type Finding } from "./result";

export interface Materialization {
    /** Whether policies run by themselves there. */
    readonly backgroundWorkers: boolean;
}

interface Reach extends Record<string, unknown> {
    /** From when on the policy's next run refreshes; a literal in UTC, in text order. */
    readonly from: string;
    /** Up to when it has had its time to refresh. */
    readonly due: string;
    /** Whether it has run well within that time. */
    readonly ran: boolean;
}

/** Stretches of one aggregate that are compared before it is said to lack something. */
const looks = 12;

export async function materialization(
    session: Session,
    all: readonly Buckets[],
    { backgroundWorkers }: Materialization,
    between: () => void,
): Promise<Finding> {
    const problems: string[] = [];
    const notes: string[] = [];
    let [materialized, pending] = [0, 0];
    for (const buckets of all) {
        const { name, aggregate, units } = buckets;
        const title = displayName(name);
        if (aggregate.marker.filling) {
            problems.push(`${title}: its first fill has not ended; deploy again to go on with it`);
            continue;
        }
        between();
        const waiting = units.filter((unit) => unit.pending);
        materialized += units.length - waiting.length;
        pending += waiting.length;
        const job = aggregate.jobs.find(({ procedure }) => procedure === policyProcedures.refresh);
        const reach = job === undefined ? undefined : await readReach(session, job);
        const beyond = waiting.filter(({ end }) => reach === undefined || end <= reach.from);
        const lost = await differing(session, buckets, beyond, between);
        if (lost !== undefined) {
            problems.push(
                `${title} lacks rows of ${inWords(lost)} that no refresh will reach: ${job === undefined ? "it has no refresh policy" : `its policy looks back ${String(job.config["start_offset"])}`}; npm run backfill -- ${name.name} --from ${lost.start} --to ${lost.end}`,
            );
        }
        const late =
            reach === undefined || reach.ran
                ? []
                : waiting.filter(({ end }) => end > reach.from && end <= reach.due);
        const behind = await differing(session, buckets, late, between);
        if (behind !== undefined) {
            const said = `${title} is behind: rows of ${inWords(behind)} should have been materialized by now`;
            if (backgroundWorkers) problems.push(said);
            else notes.push(`${said}, but nothing runs policies here`);
        }
    }
    return {
        summary: `${counted(all.length, "aggregate")}: ${counted(materialized, "stretch").replace(/hs$/, "hes")} of raw data materialized, ${pending} pending`,
        problems,
        notes,
    };
}

function inWords({ start, end }: Extent): string {
    return `${start} to ${end}`;
}

/** The whole of those stretches, where one of them lacks something; undefined where raw has nothing new there. */
async function differing(
    session: Session,
    buckets: Buckets,
    stretches: readonly Extent[],
    between: () => void,
): Promise<Extent | undefined> {
    const found: Extent[] = [];
    for (const stretch of spread(stretches, looks)) {
        between();
        const { wrong, missing } = await compare(session, buckets, stretch);
        if (wrong + missing > 0) found.push(stretch);
    }
    const [first, last] = [found[0], found.at(-1)];
    return first === undefined || last === undefined
        ? undefined
        : { start: first.start, end: last.end };
}

async function readReach({ client }: Session, job: ActualJob): Promise<Reach> {
    const { rows } = await client
        .query<Reach>(readSql("verify/reach.sql"), [job.id])
        .then(undefined, (error: unknown) => {
            throw serverError(error, { statement: "reach", object: `job ${job.id}` });
        });
    return rows[0] ?? { from: "", due: "", ran: true };
}
