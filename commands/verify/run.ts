/** Runs the ten checks in their order, on one session. */
import { inspectServer } from "../../components/timescale/core/connection/server";
import type { Session } from "../../components/timescale/core/connection/session";
import { nameOf } from "../../components/timescale/provider/resourceKind";
import { type Accuracy, realAccuracy } from "./accuracy";
import { type Buckets, readBuckets } from "./buckets";
import { materialization } from "./materialization";
import {
    isAggregate,
    type ObjectOptions,
    observatoryObjects,
    type VerifiedObject,
    withoutRepetition,
} from "./objects";
import { queries } from "./queries";
import { counted, type Finding, type Result, resultOf, runCheck, stopped } from "./result";
import { removeLeftovers, whyNoScratch, withScratch } from "./scratch";
import { speed } from "./speed";
import { columns, existence, policies, readStanding, type Standing } from "./standing";
import { copyAccuracy, fillCopy, refresh, testData, type Trial } from "./trial";
import { version } from "./version";

export interface VerifyOptions extends ObjectOptions {
    /** How many stretches of real buckets of each aggregate are compared with raw. @default 5 */
    readonly sample?: number | "all" | undefined;
    /**
     * Whether of aggregates that are declared alike for several measures only one measure's are copied.
     *
     * @default false
     */
    readonly quick?: boolean;
    readonly report?: (text: string) => void;
    /** Told of what an earlier verification left behind and this one has removed. */
    readonly say?: (text: string) => void;
    /** Aborted when it is to end; what it made is removed first. */
    readonly stop?: AbortSignal | undefined;
}

/**
 * The ten checks. Changes nothing that people can see: real tables and aggregates are read, and what has to
 * be written is written in a schema of its own, which goes again.
 *
 * @throws TimescaleError when the server is gone, or `stop` was aborted
 */
export async function verify(session: Session, options: VerifyOptions): Promise<readonly Result[]> {
    const { report = () => undefined, say = () => undefined, stop, schema = "public" } = options;
    const between = (): void => {
        if (stop?.aborted === true) throw stopped();
    };
    const objects = observatoryObjects(options);
    const results: Result[] = [];
    const add = async (...args: Parameters<typeof runCheck>): Promise<void> => {
        between();
        report(args[0]);
        results.push(await runCheck(...args));
    };

    await add("version", () => version(session, schema));
    let standing: readonly Standing[] = [];
    await add("existence", async () => {
        standing = await readStanding(session, objects, between);
        return existence(standing);
    });
    await add("policies", () => policies(session, standing));
    await add("columns", () => Promise.resolve(columns(standing)));

    const tried = await tryOut(session, objects, options, between, say);
    results.push(...tried.results);

    await add("queries", () => queries(session, standing, between));
    let real: readonly Buckets[] = [];
    await add("accuracy against raw", async () => {
        real = await readReal(session, standing);
        const accuracy = await realAccuracy(session, real, options.sample ?? 5, between);
        return accuracyFinding(accuracy, tried.accuracy, tried.obstacle);
    });
    await add("materialization", async () => {
        const { embedded } = await inspectServer(session.client);
        return materialization(session, real, { backgroundWorkers: !embedded }, between);
    });
    results.push(tried.speed);
    return [...results].sort((one, other) => one.number - other.number);
}

async function readReal(
    session: Session,
    standing: readonly Standing[],
): Promise<readonly Buckets[]> {
    const all: Buckets[] = [];
    for (const { object, exists } of standing) {
        if (!exists || !isAggregate(object)) continue;
        const found = await readBuckets(session, nameOf({ ...object.inputs, name: object.name }));
        if (found !== undefined) all.push(found);
    }
    return all;
}

interface Tried {
    /** Checks 5 and 6. */
    readonly results: readonly Result[];
    readonly accuracy: Finding;
    readonly speed: Result;
    /** Why there was no copy to compare. */
    readonly obstacle: string | undefined;
}

/** What is tried out in the scratch schema. */
async function tryOut(
    session: Session,
    objects: readonly VerifiedObject[],
    { report = () => undefined, stop, quick = false }: VerifyOptions,
    between: () => void,
    say: (text: string) => void,
): Promise<Tried> {
    for (const schema of await removeLeftovers(session)) {
        say(`removed ${schema}, which a verification that was killed had left`);
    }
    const obstacle = await whyNoScratch(session);
    if (obstacle !== undefined) return nothingTried(obstacle);
    return withScratch(session, async (schema) => {
        const trial: Trial = {
            session,
            schema,
            objects: quick ? withoutRepetition(objects) : objects,
            report,
            between,
            stop,
        };
        const data = await runCheck("test data", () => testData(trial));
        const without = "check 5 could not insert the rows that it needs";
        if (data.outcome !== "passed") {
            const rest = nothingTried(without);
            return { ...rest, results: [data, ...rest.results.slice(1)] };
        }
        let accuracy: Finding = {
            summary: "",
            problems: [],
            skipped: "check 6 did not get so far",
        };
        let fast: Result = skippedSpeed("check 6 did not get so far");
        const refreshed = await runCheck("refresh", async () => {
            const copy = await fillCopy(trial);
            report("comparing the copy with its raw rows");
            const { rows, problems } = await copyAccuracy(trial, copy);
            accuracy = { summary: counted(rows, "row"), problems };
            fast = await runCheck("speed against raw", () => speed(session, copy.overRaw));
            return refresh(trial, copy);
        });
        return { results: [data, refreshed], accuracy, speed: fast, obstacle: accuracy.skipped };
    });
}

function nothingTried(why: string): Tried {
    const skipped: Finding = { summary: "could not be run", problems: [], skipped: why };
    return {
        results: [resultOf("test data", skipped, 0), resultOf("refresh", skipped, 0)],
        accuracy: skipped,
        speed: skippedSpeed(why),
        obstacle: why,
    };
}

function skippedSpeed(why: string): Result {
    return resultOf("speed against raw", { summary: "could not be run", problems: [], skipped: why }, 0); // prettier-ignore
}

/** Real buckets and the copy's, as one result. */
function accuracyFinding(real: Accuracy, copy: Finding, obstacle: string | undefined): Finding {
    const compared =
        real.stretches === 0
            ? "no real bucket to compare: no raw row is in a bucket that has been materialized"
            : `${counted(real.rows, "row")} in ${counted(real.stretches, "stretch").replace(/hs$/, "hes")} of real buckets compared`;
    const copied = obstacle === undefined ? `${copy.summary} of the copy` : "no copy";
    return {
        summary: `${compared}; ${copied}`,
        problems: [...real.problems, ...copy.problems],
        notes: real.notes,
        ...(obstacle !== undefined && real.stretches === 0 && { skipped: obstacle }),
    };
}
