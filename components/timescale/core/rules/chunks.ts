/** Chunk intervals against buckets and retention. */
import { describeLength } from "../interval";
import { type Finding, finding } from "./finding";

export interface Chunked {
    /** Qualified, for people. */
    readonly title: string;
    /** In microseconds, as all of them; undefined where it is not known. */
    readonly chunk: number | undefined;
    readonly bucket?: number | undefined;
    readonly retention?: number | undefined;
}

export function chunkFindings({ title, chunk, bucket, retention }: Chunked): Finding[] {
    if (chunk === undefined) return [];
    const found: Finding[] = [];
    if (bucket !== undefined && chunk < bucket) {
        found.push(
            finding("chunk_shorter_than_bucket", "chunkTimeInterval", {
                message: `each bucket of ${title} has a chunk of its own`,
                detail: `chunkTimeInterval is ${describeLength(chunk)}, and the bucket ${describeLength(bucket)}: chunks cost planning time, and these hold one bucket each`,
                hint: `set chunkTimeInterval to many buckets, such as "${describeLength(10 * bucket)}"`,
            }),
        );
    }
    if (retention !== undefined && chunk > retention / 2) {
        found.push(
            finding("chunk_longer_than_retention", "chunkTimeInterval", {
                message: `${title} keeps rows for up to ${describeLength(retention + chunk)}`,
                detail: `retention drops whole chunks: retentionPolicy.dropAfter is ${describeLength(retention)}, and a chunk holds ${describeLength(chunk)}`,
                hint: `set chunkTimeInterval to a tenth of dropAfter, such as "${describeLength(tenth(retention))}"; it holds for new chunks`,
            }),
        );
    }
    return found;
}

/** Of a length of days in hours, so that people can read it. */
function tenth(length: number): number {
    const hour = 3_600_000_000;
    return length >= 10 * hour ? Math.floor(length / 10 / hour) * hour : length / 10;
}
