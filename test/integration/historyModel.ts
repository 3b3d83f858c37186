/**
 * What an hourly and a daily aggregate may say at any moment, kept apart from the database.
 *
 * Raw rows are only ever added. So a bucket is one of the prefixes of the rows that it was given
 * while raw data still held it as a whole: how many it counts says what every other column is, and
 * the number never goes down. A row that comes when retention has cut the bucket changes nothing.
 */
export interface RawRow {
    /** In milliseconds. */
    readonly at: number;
    readonly key: string;
    readonly ms: number;
}

/** A bucket of an aggregate, as a reader sees it. Columns that the query does not have are undefined. */
export interface Shown {
    readonly bucket: number;
    readonly key: string;
    readonly n: number;
    readonly total: number;
    readonly quick?: number | null;
    readonly slowest?: number | null;
}

export const hour = 3_600_000;
export const day = 24 * hour;

export type Contents = ReadonlyMap<string, Shown>;

export class HistoryModel {
    private readonly rows = new Map<string, RawRow[]>();
    private readonly days = new Map<string, number>();
    private readonly late = new Map<string, number>();
    private readonly lateDays = new Map<string, number>();
    /** Buckets that only rows which came too late are in. */
    private readonly parts = new Set<string>();
    /** From when on raw data is whole. */
    private floor = Number.NEGATIVE_INFINITY;

    insert(rows: readonly RawRow[]): void {
        for (const row of rows) {
            const bucket = row.at - (row.at % hour);
            const key = keyOf({ bucket, key: row.key });
            if (bucket < this.floor) {
                this.late.set(key, (this.late.get(key) ?? 0) + 1);
                const lateDay = keyOf({ bucket: bucket - (bucket % day), key: row.key });
                this.lateDays.set(lateDay, (this.lateDays.get(lateDay) ?? 0) + 1);
                continue;
            }
            this.rows.set(key, [...(this.rows.get(key) ?? []), row]);
            const ofDay = keyOf({ bucket: bucket - (bucket % day), key: row.key });
            this.days.set(ofDay, (this.days.get(ofDay) ?? 0) + 1);
        }
    }

    /** @param end where the newest chunk that is gone ended */
    dropped(end: number): void {
        this.floor = Math.max(this.floor, end);
    }

    isWhole(bucket: number): boolean {
        return bucket >= this.floor;
    }

    /** Buckets that raw data has as a whole, as they are when nothing is pending. */
    whole(until: number): Map<string, number> {
        const buckets = new Map<string, number>();
        for (const [key, rows] of this.rows) {
            const bucket = Number(key.split(" ")[0]);
            if (bucket >= this.floor && bucket < until) buckets.set(key, rows.length);
        }
        return buckets;
    }

    /** What is wrong with the hourly aggregate, in words. */
    hourlyProblems(before: Contents, now: Contents): string[] {
        return [
            ...lost(before, now),
            ...[...now].flatMap(([key, shown]) => {
                // Where no bucket stood, late rows may well make one.
                if (!before.has(key) && shown.n <= (this.late.get(key) ?? 0)) this.parts.add(key);
                if (this.parts.has(key)) return [];
                const rows = (this.rows.get(key) ?? []).slice(0, shown.n);
                if (rows.length < shown.n)
                    return [`${title(shown)} counts ${shown.n} rows, and had ${rows.length}`];
                const values = rows.map(({ ms }) => ms);
                const should = {
                    total: values.reduce((sum, ms) => sum + ms, 0),
                    quick: values.filter((ms) => ms <= 2).length,
                    slowest: Math.max(...values),
                };
                return (["total", "quick", "slowest"] as const)
                    .filter((column) => shown[column] != null && shown[column] !== should[column])
                    .map(
                        (column) =>
                            `${title(shown)} says ${column} ${shown[column]}, and it is ${should[column]}`,
                    );
            }),
        ];
    }

    /** The same of the daily one, which knows no more than counts. */
    dailyProblems(before: Contents, now: Contents): string[] {
        return [
            ...lost(before, now),
            ...[...now].flatMap(([key, shown]) => {
                const had = (this.days.get(key) ?? 0) + (this.lateDays.get(key) ?? 0);
                return shown.n > had
                    ? [`${title(shown)} counts ${shown.n} rows, and had ${had}`]
                    : [];
            }),
        ];
    }
}

/** Buckets that are gone, or say less than they did. */
export function lost(before: Contents, now: Contents): string[] {
    return [...before].flatMap(([key, was]) => {
        const is = now.get(key);
        if (is === undefined) return [`${title(was)} is gone`];
        return is.n < was.n ? [`${title(was)} counted ${was.n} rows, and counts ${is.n}`] : [];
    });
}

export function keyOf({ bucket, key }: Pick<Shown, "bucket" | "key">): string {
    return `${bucket} ${key}`;
}

export function title({ bucket, key }: Pick<Shown, "bucket" | "key">): string {
    return `${new Date(bucket).toISOString()} ${key}`;
}
