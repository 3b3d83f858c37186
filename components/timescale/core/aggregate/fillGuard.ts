/** Looks around before each window of a fill: jobs of policies go first, and raw data may have gone meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";

import { serverError } from "../connection/serverErrors";
import type { Session } from "../connection/session";
import { readSql } from "../sqlFile";
import type { FillScope } from "./fillRange";

/** How long one run of a job is waited for, in milliseconds. */
export const defaultYield = 60_000;

const pause = 250;

interface Seen {
    /** A literal in UTC, as that of the range; null: there is no raw data. */
    readonly rawFrom: string | null;
    readonly jobs: readonly { readonly pid: number; readonly job: string }[];
}

export interface FillGuard {
    /**
     * Resolves with where raw data begins now, when no job of the aggregate, of its source or of another aggregate of
     * that is at work: what they do is needed now, and history can wait. One that goes on for longer than
     * the limit is waited for once, and no more.
     */
    readonly look: (stop: AbortSignal | undefined) => Promise<string | null>;
}

export function fillGuard(
    session: Session,
    { aggregate, name }: FillScope,
    onStatus: (text: string) => void,
    limit: number,
): FillGuard {
    const patient = new Set<string>();
    const see = async (): Promise<Seen> => {
        const { rows } = await session.client
            .query<Seen & Record<string, unknown>>(readSql("catalog/fill_guard.sql"), [
                aggregate.materializationId,
            ])
            .then(undefined, (error: unknown) => {
                throw serverError(error, { statement: "fill_guard", object: name.name });
            });
        return rows[0] ?? { rawFrom: null, jobs: [] };
    };
    return {
        async look(stop) {
            const started = Date.now();
            for (;;) {
                const { rawFrom, jobs } = await see();
                const keys = jobs.map(({ pid, job }) => `${pid} ${job}`);
                // Another run of it may be waited for again.
                for (const key of patient) if (!keys.includes(key)) patient.delete(key);
                const [job] = jobs.filter((_, at) => !patient.has(keys[at] ?? ""));
                if (job === undefined || stop?.aborted === true) return rawFrom;
                if (Date.now() - started >= limit) {
                    keys.forEach((key) => patient.add(key));
                    return rawFrom;
                }
                onStatus(`the fill waits for ${job.job}, up to ${Math.round(limit / 1000)} s`);
                await sleep(pause);
            }
        },
    };
}
