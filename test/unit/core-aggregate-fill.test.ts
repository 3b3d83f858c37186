/** The windows of a fill, on a client that answers as it is told: what is taken at once, said, tried again and given up. */
import { fill, type FillOptions } from "../../components/timescale/core/aggregate/fill";
import {
    aboveFloor,
    firstPace,
    nextPace,
    type Pace,
    slowerPace,
    takeWindow,
} from "../../components/timescale/core/aggregate/fillPace";
import {
    describeProgress,
    type FillProgress,
} from "../../components/timescale/core/aggregate/fillProgress";
import { hourly, standing } from "../helpers/builders";
import { databaseError, type Row, scriptedSession } from "../helpers/scriptedSession";

const hour = 3_600_000;
const day = 24 * hour;

/** Days of January 2026 as units; those in `done` are filled already. */
function days(from: number, to: number, done: readonly number[] = []) {
    const edge = (number: number): string =>
        `2026-01-${String(number).padStart(2, "0")}T00:00:00.000000Z`;
    return Array.from({ length: to - from }, (_, at) => ({
        start: edge(from + at),
        end: edge(from + at + 1),
        pending: !done.includes(from + at),
    }));
}

type Unit = ReturnType<typeof days>[number] & {
    /** Buckets stand, and raw data has changed since. */
    readonly stands?: boolean;
};

const name = { schema: 'Odd "Schema"', name: "it's" };

function settings(progress: string[] = [], more: Partial<FillOptions> = {}): FillOptions {
    return {
        name,
        aggregate: standing(hourly(name)),
        retention: "37 days",
        searchPath: ['Odd "Schema"', "public", "timescale"],
        extensionSchema: "timescale",
        onProgress: (done, total) => progress.push(`${done}/${total}`),
        ...more,
    };
}

interface Script {
    readonly units: readonly Unit[];
    /** What may be filled as it is found from the nth time on; default: all units. */
    readonly floors?: readonly string[];
    readonly jobs?: () => readonly Row[];
    readonly onCall?: (sql: string) => void;
}

function answering({ units, floors = [], jobs = () => [], onCall }: Script) {
    let looked = 0;
    let passed = false;
    const floor = (): string | undefined =>
        floors[Math.min(looked, floors.length - 1)] ?? units[0]?.start;
    return (sql: string): readonly Row[] | undefined => {
        if (sql.includes("AS started")) return [{ started: false }];
        if (sql.startsWith("-- From when")) {
            const [first, last] = [units[0], units.at(-1)];
            if (first === undefined || last === undefined || passed) return [];
            const lower = floor();
            return [{ lower, upper: last.end, rawFrom: lower, unit: "1 day", chunk: day }];
        }
        if (sql.startsWith("-- A range")) {
            return units.map(({ start, end, pending, stands }) => {
                const part = pending || stands === true;
                return {
                    start,
                    end,
                    pendingFrom: part ? start : null,
                    pendingTo: part ? end : null,
                };
            });
        }
        if (sql.includes("AS stands"))
            return units.map(({ stands }) => ({ stands: stands === true }));
        if (sql.startsWith("-- Before each")) {
            looked += 1;
            return [{ rawFrom: floor(), jobs: jobs() }];
        }
        if (sql.startsWith("CALL")) onCall?.(sql);
        // Nothing has come since when the fill asks again after its last window.
        if (sql.startsWith("CALL") && sql.includes(units.at(-1)?.end ?? "none")) passed = true;
        return undefined;
    };
}

const calls = (sent: readonly string[]): string[] => sent.filter((sql) => sql.startsWith("CALL"));
const bounds = (sent: readonly string[]): string[] =>
    calls(sent).map((call) => call.match(/2026-01-\d\d/g)?.join(" to ") ?? call);

function failing(error: Error, times: number): () => void {
    let left = times;
    return () => {
        if (left === 0) return;
        left -= 1;
        throw error;
    };
}

describe("fill", () => {
    it("refreshes window after window, oldest first, each in a statement of its own", async () => {
        const { session, sent } = scriptedSession(answering({ units: days(1, 4) }));
        const progress: string[] = [];

        await expect(fill(session, settings(progress))).resolves.toBe(2);

        const call = `CALL "timescale"."refresh_continuous_aggregate"('"Odd ""Schema"""."it''s"'::regclass, `;
        expect(calls(sent)).toEqual([
            `${call}'2026-01-01T00:00:00.000000Z'::timestamptz, '2026-01-02T00:00:00.000000Z'::timestamptz)`,
            `${call}'2026-01-02T00:00:00.000000Z'::timestamptz, '2026-01-04T00:00:00.000000Z'::timestamptz)`,
        ]);
        // Not inside a transaction: the procedure commits by itself.
        const before = sent.slice(0, sent.indexOf(calls(sent)[0] ?? ""));
        expect(before.filter((sql) => sql.startsWith("BEGIN"))).toHaveLength(
            before.filter((sql) => sql === "COMMIT").length,
        );
        expect(progress).toEqual(["0/3", "1/3", "3/3"]);
    });

    it("takes more at once while that is quick, up to a limit, without a gap or an overlap", async () => {
        const { session, sent } = scriptedSession(answering({ units: days(1, 31) }));
        await expect(fill(session, settings())).resolves.toBe(6);
        expect(bounds(sent)).toEqual([
            "2026-01-01 to 2026-01-02",
            "2026-01-02 to 2026-01-04",
            "2026-01-04 to 2026-01-08",
            "2026-01-08 to 2026-01-16",
            "2026-01-16 to 2026-01-26",
            "2026-01-26 to 2026-01-31",
        ]);
    });

    it("leaves alone what is filled already", async () => {
        const units = days(1, 11, [1, 2, 3, 6]);
        const { session, sent } = scriptedSession(answering({ units }));
        const progress: string[] = [];
        await expect(fill(session, settings(progress))).resolves.toBe(3);
        expect(bounds(sent)).toEqual([
            "2026-01-04 to 2026-01-05",
            "2026-01-05 to 2026-01-06",
            "2026-01-07 to 2026-01-11",
        ]);
        expect(progress).toEqual(["4/10", "5/10", "6/10", "10/10"]);
    });

    it("leaves alone what has changed since it was filled", async () => {
        const units = days(1, 6, [1, 2]).map((unit, at) => ({ ...unit, stands: at === 1 }));
        const { session, sent } = scriptedSession(answering({ units }));
        await fill(session, settings());
        expect(bounds(sent)[0]).toBe("2026-01-03 to 2026-01-04");
    });

    it("finds nothing to do where there is no raw data, or all is filled", async () => {
        for (const units of [[], days(1, 3, [1, 2])]) {
            const { session, sent } = scriptedSession(answering({ units }));
            await expect(fill(session, settings())).resolves.toBe(0);
            expect(calls(sent)).toEqual([]);
        }
    });

    it("does not go where retention has taken raw data meanwhile", async () => {
        const floors = ["01", "01", "04"].map((at) => `2026-01-${at}T00:00:00.000000Z`);
        const { session, sent } = scriptedSession(answering({ units: days(1, 8), floors }));
        await fill(session, settings());
        expect(bounds(sent)).toEqual([
            "2026-01-01 to 2026-01-02",
            "2026-01-04 to 2026-01-06",
            "2026-01-06 to 2026-01-08",
        ]);
    });

    it("reads a window of a time without zone in that type", async () => {
        const { session, sent } = scriptedSession(answering({ units: days(1, 2) }));
        const { aggregate, ...others } = settings();
        const timeType = "timestamp without time zone";
        await fill(session, { ...others, aggregate: { ...aggregate, timeType } });
        expect(calls(sent)[0]).toContain(
            "'2026-01-01T00:00:00.000000Z'::timestamp without time zone,",
        );
    });

    it("tries a window again that lost a race, and says so", async () => {
        const gone = databaseError("40P01", "deadlock detected");
        const script = { units: days(1, 3), onCall: failing(gone, 1) };
        const { session, sent } = scriptedSession(answering(script));
        const said: string[] = [];
        await fill(session, settings([], { onStatus: (text) => said.push(text) }));
        expect(bounds(sent)).toEqual([
            "2026-01-01 to 2026-01-02",
            "2026-01-01 to 2026-01-02",
            "2026-01-02 to 2026-01-03",
        ]);
        expect(said).toEqual(["the fill tries its window again, attempt 2: deadlock detected"]);
    });

    it("makes windows shorter that the server cancels for taking too long", async () => {
        const late = "canceling statement due to statement timeout";
        const onCall = (sql: string): void => {
            if (/01-04.*01-08/.test(sql)) throw databaseError("57014", late);
        };
        const { session, sent } = scriptedSession(answering({ units: days(1, 8), onCall }));
        await fill(session, settings());
        expect(bounds(sent)).toEqual([
            "2026-01-01 to 2026-01-02",
            "2026-01-02 to 2026-01-04",
            "2026-01-04 to 2026-01-08",
            ...["04 to 2026-01-05", "05 to 2026-01-06", "06 to 2026-01-07"].map(
                (rest) => `2026-01-${rest}`,
            ),
            "2026-01-07 to 2026-01-08",
        ]);
    });

    it("fails where even the shortest window is cancelled, and says what can be done", async () => {
        const late = databaseError("57014", "canceling statement due to statement timeout");
        const script = { units: days(1, 3), onCall: failing(late, 9) };
        const { session, sent } = scriptedSession(answering(script));
        await expect(fill(session, settings())).rejects.toMatchObject({
            code: "57014",
            hint: expect.stringContaining("statement_timeout") as string,
        });
        expect(calls(sent)).toHaveLength(1);
    });

    it.each([
        ["22003", "integer out of range", "cast to a wider one"],
        ["57P01", "terminating connection due to administrator command", "goes on where this one"],
    ])("stops at error %s, in the server's words", async (code, message, hint) => {
        const script = { units: days(1, 3), onCall: failing(databaseError(code, message), 9) };
        const { session, sent } = scriptedSession(answering(script));
        await expect(fill(session, settings())).rejects.toMatchObject({
            message,
            code,
            hint: expect.stringContaining(hint) as string,
            statement: "refresh_continuous_aggregate",
        });
        expect(calls(sent)).toHaveLength(1);
    });

    it("ends after the window that runs when it is asked to stop, and says so", async () => {
        const stop = new AbortController();
        const onCall = (): void => stop.abort();
        const { session, sent } = scriptedSession(answering({ units: days(1, 8), onCall }));
        const said: string[] = [];
        const options = { stop: stop.signal, onStatus: (text: string) => said.push(text) };
        await expect(fill(session, settings([], options))).rejects.toMatchObject({
            code: "fill_stopped",
            detail: expect.stringMatching(/, 1 of 7 days, /) as string,
            hint: expect.stringContaining("goes on") as string,
        });
        expect(bounds(sent)).toEqual(["2026-01-01 to 2026-01-02"]);
        expect(said).toEqual([
            "stopping after this window; the next run goes on; filling: 2026-01-01 … 2026-01-08, 0 of 7 days",
        ]);
    });

    it("waits for a job that is at work, and for one that does not end no longer than the limit", async () => {
        let asked = 0;
        const job = { pid: 7, job: "Refresh Continuous Aggregate Policy [1003]" };
        const ending = (): Row[] => ((asked += 1) < 3 ? [job] : []);
        const said: string[] = [];
        const options = { onStatus: (text: string) => said.push(text), yieldFor: 600 };
        const first = scriptedSession(answering({ units: days(1, 2), jobs: ending }));
        await fill(first.session, settings([], options));
        expect(asked).toBe(3);
        expect(new Set(said)).toEqual(
            new Set(["the fill waits for Refresh Continuous Aggregate Policy [1003], up to 1 s"]),
        );

        const second = scriptedSession(answering({ units: days(1, 4), jobs: () => [job] }));
        const started = Date.now();
        await expect(fill(second.session, settings([], options))).resolves.toBe(2);
        // Not once for each window.
        expect(Date.now() - started).toBeLessThan(1150);
    });

    it("has the server watch the client while it fills, and no longer", async () => {
        const { session, sent } = scriptedSession(answering({ units: days(1, 2) }));
        await fill(session, settings());
        expect([sent[0], sent.at(-1)]).toEqual([
            "SET client_connection_check_interval TO '1s'",
            "RESET client_connection_check_interval",
        ]);
    });
});

describe("the pace", () => {
    const pace = (stride: number, more: Partial<Pace> = {}): Pace => ({
        ...{ stride, longest: 240, cost: undefined, last: undefined },
        ...more,
    });

    it("begins with a quarter of a day, in units, and a unit at least", () => {
        expect(firstPace(hour, day)).toMatchObject({ stride: 6, longest: 240 });
        expect(firstPace(day, day)).toMatchObject({ stride: 1, longest: 10 });
        expect(firstPace(30 * day, 30 * day)).toMatchObject({ stride: 1, longest: 10 });
    });

    it.each([
        ["stays when a window took about two seconds", 10, 1800, 10],
        ["doubles at most", 10, 10, 20],
        ["grows as far as two seconds allow", 10, 900, 20],
        ["shrinks to two seconds", 10, 4000, 5],
        ["shrinks to a quarter at least", 16, 60_000, 4],
        ["does not go below one", 1, 60_000, 1],
        ["does not go above the longest", 200, 10, 240],
    ])("%s", (_, stride, took, expected) => {
        expect(nextPace(pace(stride), hour, took).stride).toBe(expected);
    });

    it("counts the last window as much as all before it", () => {
        const first = nextPace(pace(1), hour, hour / 1000);
        expect(first.cost).toBeCloseTo(0.001);
        expect(nextPace(first, hour, (3 * hour) / 1000).cost).toBeCloseTo(0.002);
    });

    it("does not grow again beyond what the server has cancelled", () => {
        const slower = slowerPace(pace(20));
        expect(slower).toMatchObject({ stride: 5, longest: 5 });
        expect(slower && nextPace(slower, hour, 10).stride).toBe(5);
        expect(slowerPace(pace(1))).toBeUndefined();
    });

    it("takes units up to the first gap", () => {
        const units = days(1, 9, [4]).filter(({ pending }) => pending);
        expect(takeWindow(units, 2)).toMatchObject({ count: 2 });
        expect(takeWindow(units, 9)).toEqual({
            count: 3,
            window: { start: "2026-01-01T00:00:00.000000Z", end: "2026-01-04T00:00:00.000000Z" },
        });
        expect(takeWindow([], 9)).toBeUndefined();
    });

    it("cuts the unit that a floor goes through", () => {
        const cut = aboveFloor(days(1, 4), "2026-01-02T06:00:00.000000Z");
        expect(cut).toEqual([
            { start: "2026-01-02T06:00:00.000000Z", end: "2026-01-03T00:00:00.000000Z" },
            { start: "2026-01-03T00:00:00.000000Z", end: "2026-01-04T00:00:00.000000Z" },
        ]);
    });
});

describe("the progress in words", () => {
    const range = { start: "2026-08-24T00:00:00.000000Z", end: "2026-11-23T00:00:00.000000Z" };
    const progress = (more: Partial<FillProgress> = {}): FillProgress => ({
        ...{ range, done: 34.5 * day, total: 91 * day, window: 1200, left: 20_000 },
        ...more,
    });

    it.each([
        [
            "in days",
            progress(),
            "filling: 2026-08-24 … 2026-11-23, 34 of 91 days, 1.2 s a window, about 20 s left",
        ],
        [
            "before the first window",
            progress({ done: 0, window: undefined, left: undefined }),
            "filling: 2026-08-24 … 2026-11-23, 0 of 91 days",
        ],
        [
            "at the end",
            progress({ done: 91 * day, window: 12, left: 0 }),
            "filling: 2026-08-24 … 2026-11-23, 91 of 91 days, 0.1 s a window",
        ],
        [
            "just before the end",
            progress({ done: 91 * day - 1, window: 12_400, left: 400 }),
            "filling: 2026-08-24 … 2026-11-23, 90 of 91 days, 12 s a window, about 1 s left",
        ],
        [
            "with minutes left",
            progress({ left: 150_000 }),
            "filling: 2026-08-24 … 2026-11-23, 34 of 91 days, 1.2 s a window, about 3 min left",
        ],
        [
            "with hours left",
            progress({ left: 7 * hour }),
            "filling: 2026-08-24 … 2026-11-23, 34 of 91 days, 1.2 s a window, about 7 h left",
        ],
        [
            "in hours where there are few",
            progress({
                range: { start: "2026-11-22T02:00:00.000000Z", end: "2026-11-23T07:30:00.000000Z" },
                done: 4 * hour,
                total: 29.5 * hour,
            }),
            "filling: 2026-11-22 02:00 … 2026-11-23 07:30, 4 of 30 hours, 1.2 s a window, about 20 s left",
        ],
    ])("is given %s", (_, given, expected) => {
        expect(describeProgress(given)).toBe(expected);
    });
});
