/** How old the newest bucket of an aggregate may be, by its refresh policy. */
import { lengthIn } from "../rules/windows";

export interface RefreshSchedule {
    /** As the server or a program writes intervals; null: up to the newest row. */
    readonly endOffset?: string | null | undefined;
    readonly scheduleInterval: string;
}

/**
 * The longest time between now and the end of the newest bucket, in microseconds: a refresh takes whole buckets up to
 * `endOffset` ago, and the next one comes after `scheduleInterval`. The time that it runs comes on top.
 *
 * @param bucket microseconds; 0 where it is not known
 */
export function worstAge({ endOffset, scheduleInterval }: RefreshSchedule, bucket: number): number {
    return (lengthIn(endOffset ?? "0") ?? 0) + (lengthIn(scheduleInterval) ?? 0) + bucket;
}
