/**
 * Runs due TimescaleDB jobs on the embedded server, which has no background workers to do it.
 *
 * It looks at the schedule once a second, and runs what is due one job a turn, so that clients get
 * theirs in between. A client's transaction is waited for and never ended; a statement in WASM cannot
 * be interrupted, so `max_runtime` is only reported.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { BackendEnded } from "../backend";
import type { OwnSession, Turns } from "../turns";
import type { JobEvent } from "./events";
import { readScheduledJobs, recordCrashes, runJob, type ScheduledJob } from "./run";

export interface Scheduler {
    /** Starts no further job, and resolves when the one that runs has ended. */
    stop(): Promise<void>;
    /** The job that runs now. */
    running(): ScheduledJob | undefined;
}

/** How often the schedule is looked at: it changes without notice, as clients alter jobs. */
const lookMilliseconds = 1000;

/** How long jobs may wait for their turn before the log says so, and again after as long. */
const patienceMilliseconds = 60_000;

export function startScheduler(
    turns: Pick<Turns, "own" | "holder">,
    tell: (event: JobEvent) => void,
    patience = patienceMilliseconds,
): Scheduler {
    const stopping = new AbortController();
    const stopped = new Promise<void>((resolve) =>
        stopping.signal.addEventListener("abort", () => resolve()),
    );
    let current: Promise<void> | undefined;
    let running: ScheduledJob | undefined;

    /** Its own turn; work that gets it only after the scheduler was stopped does nothing. */
    const turn = async (work: (session: OwnSession) => Promise<void>): Promise<void> => {
        const asked = Date.now();
        const impatience = setInterval(() => {
            const seconds = Math.round((Date.now() - asked) / 1000);
            if (stopping.signal.aborted) clearInterval(impatience);
            else tell({ kind: "waiting", seconds, client: describeHolder(turns) });
        }, patience);
        await turns
            .own(async (session) => {
                clearInterval(impatience);
                if (stopping.signal.aborted) return;
                current = work(session);
                await current;
            })
            .finally(() => {
                clearInterval(impatience);
                current = undefined;
            });
    };

    const look = async (): Promise<ScheduledJob | undefined> => {
        let due: ScheduledJob | undefined;
        await turn(async (session) => {
            due = (await readScheduledJobs(session)).find((job) => job.due);
        });
        return due;
    };

    const run = (job: ScheduledJob): Promise<void> =>
        turn(async (session) => {
            running = job;
            try {
                const event = await runJob(session, job);
                if (event !== undefined) tell(event);
            } finally {
                running = undefined;
            }
        });

    const main = async (): Promise<void> => {
        let crashesKnown = false;
        let lastTrouble: string | undefined;
        while (!stopping.signal.aborted) {
            try {
                if (!crashesKnown) {
                    await turn(async (session) => (await recordCrashes(session)).forEach(tell));
                    crashesKnown = true;
                }
                for (let job = await look(); job !== undefined; job = await look()) await run(job);
                lastTrouble = undefined;
            } catch (error) {
                // The process ends with the database, and says why itself.
                if (error instanceof BackendEnded) return;
                const { message } = error as Error;
                if (message !== lastTrouble) tell({ kind: "trouble", message });
                lastTrouble = message;
            }
            await Promise.race([sleep(lookMilliseconds, undefined, { ref: false }), stopped]);
        }
    };
    void main();

    return {
        running: () => running,
        stop: async () => {
            stopping.abort();
            // How it ended is told where it was started.
            await Promise.allSettled([current]);
        },
    };
}

function describeHolder(turns: Pick<Turns, "holder">): string | undefined {
    const login = turns.holder();
    if (login === undefined) return undefined;
    const application = login.settings["application_name"];
    return `a client as ${login.user}${application === undefined ? "" : ` (${application})`}`;
}
