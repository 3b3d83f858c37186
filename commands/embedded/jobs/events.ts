/** What the scheduler of the embedded server's jobs has to say, and how the log says it. */

export interface JobName {
    readonly id: number;
    /** The policy, or the procedure of a job of your own. */
    readonly procedure: string;
    /** Qualified name of the table or aggregate; "" for jobs that have none. */
    readonly object: string;
}

interface Ended {
    readonly job: JobName;
    readonly milliseconds: number;
    /** When it runs next, in ISO 8601; `undefined` when it is gone. */
    readonly next: string | undefined;
}

export type JobEvent =
    | (Ended & {
          readonly kind: "succeeded";
          /** How often it had failed in a row before. */
          readonly failuresBefore: number;
          /** Its `max_runtime` in milliseconds, where it took longer. */
          readonly overran: number | undefined;
      })
    | (Ended & {
          readonly kind: "failed";
          readonly code: string;
          readonly message: string;
          /** In a row, this one included. */
          readonly failures: number;
          /** It has reached its `max_retries`, and is switched off. */
          readonly exhausted: boolean;
      })
    /** The server ended in the middle of its last run. */
    | { readonly kind: "crashed"; readonly job: JobName; readonly next: string | undefined }
    /** The server ends, and does not wait for the end of this run. */
    | { readonly kind: "cutOff"; readonly job: JobName }
    /** No job can run, because a client keeps a transaction open, or a statement takes long. */
    | { readonly kind: "waiting"; readonly seconds: number; readonly client: string | undefined }
    /** The schedule itself could not be read or written. */
    | { readonly kind: "trouble"; readonly message: string };

/** Whether the log has it without `--verbose`: what somebody should know, and not that all is well. */
export function isNotable(event: JobEvent): boolean {
    if (event.kind !== "succeeded") return true;
    return event.failuresBefore > 0 || event.overran !== undefined;
}

/** One line. */
export function describeEvent(event: JobEvent): string {
    switch (event.kind) {
        case "succeeded":
            return [
                `${nameOf(event.job)}: done in ${duration(event.milliseconds)}`,
                event.failuresBefore > 0 && `after ${times(event.failuresBefore)} without success`,
                event.overran !== undefined &&
                    `longer than its max_runtime of ${duration(event.overran)}, which cannot end it here`,
                nextRun(event.next),
            ]
                .filter(Boolean)
                .join(", ");
        case "failed":
            return [
                `${nameOf(event.job)}: failed, ${times(event.failures)} in a row: ${event.message} (${event.code})`,
                event.exhausted
                    ? "that is its max_retries, and it is switched off"
                    : nextRun(event.next),
            ].join(", ");
        case "crashed":
            return `${nameOf(event.job)}: the server ended in the middle of its last run, ${nextRun(event.next)}`;
        case "cutOff":
            return `${nameOf(event.job)}: ended in the middle, what it has not committed is undone, and the next start runs it again`;
        case "waiting":
            return event.client === undefined
                ? `jobs have waited for ${event.seconds} s: the database is busy with one statement`
                : `jobs have waited for ${event.seconds} s: ${event.client} has a transaction open`;
        case "trouble":
            return `jobs could not be run: ${event.message}`;
    }
}

const policies: Readonly<Record<string, string>> = {
    policy_refresh_continuous_aggregate: "refresh policy",
    policy_retention: "retention policy",
    policy_compression: "compression policy",
    policy_reorder: "reorder policy",
    policy_job_stat_history_retention: "retention of the job history",
};

function nameOf({ id, procedure, object }: JobName): string {
    const what = policies[procedure] ?? procedure;
    return `job ${id}, ${what}${object === "" ? "" : ` of ${object}`}`;
}

function nextRun(next: string | undefined): string {
    if (next === undefined) return "and it is gone";
    // Swedish is ISO 8601 in local time, as the log's own times are.
    return `next at ${new Date(next).toLocaleString("sv")}`;
}

function times(count: number): string {
    return count === 1 ? "once" : `${count} times`;
}

function duration(milliseconds: number): string {
    return milliseconds < 1000
        ? `${Math.round(milliseconds)} ms`
        : `${(milliseconds / 1000).toFixed(1)} s`;
}
