/** Lets the jobs of policies go first: what they do now is needed now, and history can wait. */
import { setTimeout as sleep } from "node:timers/promises";

import { serverError } from "../serverErrors";
import type { Session } from "../session";
import { readSql } from "../sqlFile";
import type { FillScope } from "./fillRange";

/** How long one run of a job is waited for, in milliseconds. */
export const defaultYield = 60_000;

const pause = 250;

export interface JobWait {
    /**
     * Resolves when no job of the aggregate, of its source or of another aggregate of that is at work. One that
     * goes on for longer than the limit is waited for once, and no more.
     */
    readonly wait: (stop: AbortSignal | undefined) => Promise<void>;
}

export function jobWait(
    session: Session,
    { aggregate, name }: FillScope,
    onStatus: (text: string) => void,
    limit: number,
): JobWait {
    const patient = new Set<string>();
    const running = async (): Promise<readonly { pid: number; job: string }[]> => {
        const { rows } = await session.client
            .query<{ pid: number; job: string }>(readSql("catalog/running_jobs.sql"), [
                aggregate.materializationId,
            ])
            .then(undefined, (error: unknown) => {
                throw serverError(error, { statement: "running_jobs", object: name.name });
            });
        return rows;
    };
    return {
        async wait(stop) {
            const started = Date.now();
            for (;;) {
                const jobs = await running();
                const keys = jobs.map(({ pid, job }) => `${pid} ${job}`);
                // Another run of it may be waited for again.
                for (const key of patient) if (!keys.includes(key)) patient.delete(key);
                const [job] = jobs.filter((_, at) => !patient.has(keys[at] ?? ""));
                if (job === undefined || stop?.aborted === true) return;
                if (Date.now() - started >= limit) {
                    keys.forEach((key) => patient.add(key));
                    return;
                }
                onStatus(`the fill waits for ${job.job}, up to ${Math.round(limit / 1000)} s`);
                await sleep(pause);
            }
        },
    };
}
