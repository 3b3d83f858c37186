import { desiredRefreshJob } from "../../components/timescale/core/policies/policy";
import { limited } from "../../components/timescale/provider/limit";
import { actualPolicyInputs } from "../../components/timescale/provider/policyInputs";
import {
    hourly,
    type Inputs,
    planOf,
    standing,
    type StandingAggregate,
    standingCompression,
    standingJob,
} from "../helpers/builders";

describe("limited", () => {
    /** Work that goes on until it is told to end. */
    function piece(): {
        readonly run: () => Promise<string>;
        readonly end: () => void;
        started: boolean;
    } {
        let end = (): void => undefined;
        const ended = new Promise<string>((resolve) => {
            end = () => resolve("done");
        });
        const it = {
            started: false,
            run: () => {
                it.started = true;
                return ended;
            },
            end: () => end(),
        };
        return it;
    }
    const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

    it("runs eight pieces of work on one server at a time, the others in their order", async () => {
        const work = Array.from({ length: 11 }, piece);
        const all = Promise.all(work.map(({ run }) => limited("a:5432", run)));
        const started = (): number[] => work.flatMap((it, at) => (it.started ? [at] : []));
        await settled();
        expect(started()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        work[3]?.end();
        await settled();
        expect(started()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        work[8]?.end();
        work[0]?.end();
        await settled();
        expect(started()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for (const { end } of work) end();
        await expect(all).resolves.toEqual(Array.from({ length: 11 }, () => "done"));
    });

    it("lets no server wait for another", async () => {
        const busy = Array.from({ length: 9 }, piece);
        const all = busy.map(({ run }) => limited("b:5432", run));
        await expect(limited("c:5432", () => Promise.resolve("done"))).resolves.toBe("done");
        for (const { end } of busy) end();
        await Promise.all(all);
    });

    it("gives the place of failed work to the next", async () => {
        for (let round = 0; round < 20; round += 1) {
            await expect(limited("d:5432", () => Promise.reject(new Error("no")))).rejects.toThrow(
                "no",
            );
        }
        const failing = Array.from({ length: 20 }, () =>
            limited("d:5432", () => Promise.reject(new Error("no"))),
        );
        expect(await Promise.allSettled(failing)).toHaveLength(20);
        await expect(limited("d:5432", () => Promise.resolve("done"))).resolves.toBe("done");
    });
});

describe("policies that a refresh reads", () => {
    const refreshPolicy = {
        startOffset: "72 hours",
        endOffset: "1 hour",
        scheduleInterval: "60 min",
    };
    const compressionPolicy = {
        compressAfter: "7 days",
        segmentBy: ["model"],
        orderBy: ["bucket desc"],
    };
    const declared = {
        refreshPolicy,
        retentionPolicy: { dropAfter: "37 days" },
        compressionPolicy,
    };

    /** What a refresh puts in the place of the declared policies, when `byHand` is what stands. */
    function refreshed(inputs: Inputs, actual: StandingAggregate): Inputs {
        const lines = planOf(actual, hourly(inputs)).lines.map(({ property }) => property);
        return actualPolicyInputs(inputs, actual, (property) =>
            lines.some((path) => path === property || path.startsWith(`${property}.`)),
        );
    }

    it("are none where nothing differs but the spelling", () => {
        expect(refreshed(declared, standing(hourly(declared)))).toEqual({});
    });

    it("take from the server what differs, and keep the program's spelling of the rest", () => {
        const job = standingJob(desiredRefreshJob({ ...refreshPolicy, startOffset: "4 days" }), {
            scheduled: false,
            timezone: "Asia/Tokyo",
        });
        expect(
            refreshed({ refreshPolicy }, standing(hourly({ refreshPolicy }), { jobs: [job] })),
        ).toEqual({
            refreshPolicy: {
                ...refreshPolicy,
                startOffset: "4 days",
                paused: true,
                timezone: "Asia/Tokyo",
            },
        });
    });

    it("lose what was taken away by hand", () => {
        const inputs = {
            refreshPolicy: {
                ...refreshPolicy,
                timezone: "UTC",
                initialStart: "2026-01-31T06:00:00Z",
            },
        };
        const { startOffset: _gone, ...unbounded } = refreshPolicy;
        const actual = standing(hourly({ refreshPolicy: unbounded }));
        // State keeps no undefined.
        expect(JSON.parse(JSON.stringify(refreshed(inputs, actual)))).toEqual({
            refreshPolicy: unbounded,
        });
    });

    it("are undefined where they are gone", () => {
        const actual = standing(hourly({ refreshPolicy, compressionPolicy }));
        expect(refreshed(declared, actual)).toEqual({ retentionPolicy: undefined });
    });

    it("have compression's columns as they stand, as far as they were declared", () => {
        const compression = standingCompression({ segmentBy: [], orderBy: ["n", "bucket DESC"] });
        const actual = standing(hourly(declared), { compression });
        expect(refreshed(declared, actual)).toEqual({
            compressionPolicy: {
                compressAfter: "7 days",
                segmentBy: [],
                orderBy: ['"n" ASC NULLS LAST', '"bucket" DESC NULLS FIRST'],
            },
        });
        const { orderBy: _order, ...segmented } = compressionPolicy;
        expect(refreshed({ ...declared, compressionPolicy: segmented }, actual)).toEqual({
            compressionPolicy: { compressAfter: "7 days", segmentBy: [] },
        });
    });

    it("differ in nothing from what stands, once the program declares them", () => {
        const byHand = {
            refreshPolicy: { ...refreshPolicy, endOffset: "2 hours", maxRetries: 3 },
            compressionPolicy: { ...compressionPolicy, segmentBy: ["provider"], paused: true },
        };
        const actual = standing(hourly(byHand));
        const taken = hourly({ ...declared, ...refreshed(declared, actual) });
        expect(planOf(actual, hourly(declared)).lines).toHaveLength(5);
        expect(planOf(actual, taken)).toMatchObject({ lines: [], statements: [], refusals: [] });
    });
});
