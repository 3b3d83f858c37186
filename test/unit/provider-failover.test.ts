import { TimescaleError } from "../../components/timescale/core/errors";
import {
    failoverPatience,
    isAway,
    throughFailover,
} from "../../components/timescale/provider/failover";
import { notePassword, withAnyPassword } from "../../components/timescale/provider/passwords";

const connection = {
    host: "db.example.com",
    port: 5432,
    database: "d",
    user: "owner",
    password: "now",
    sslMode: "disable" as const,
};

const failing = (code: string): TimescaleError => new TimescaleError(`failed by ${code}`, { code });

describe("a server that is away", () => {
    it.each(["08006", "57P01", "57P02", "57P03", "25006", "connection_lost", "connection_refused"])(
        "says %s",
        (code) => {
            expect(isAway(failing(code))).toBe(true);
        },
    );

    it.each(["42501", "28P01", "57014", "3D000", "not_as_reviewed", "fill_stopped"])(
        "does not say %s",
        (code) => {
            expect(isAway(failing(code))).toBe(false);
        },
    );

    it("is known by what pg says without a code", () => {
        expect(isAway(new Error("Connection terminated unexpectedly"))).toBe(true);
        expect(isAway(new Error("something else"))).toBe(false);
    });
});

describe("an operation", () => {
    const told: string[] = [];
    const options = {
        patience: 60_000,
        onStatus: (text: string) => told.push(text),
        onSurvived: (text: string) => told.push(text),
    };

    beforeEach(() => {
        told.length = 0;
    });

    it("that was cut off begins again, and says so", async () => {
        const begun: boolean[] = [];
        const result = await throughFailover(connection, options, (opened, again) => {
            begun.push(again);
            if (begun.length > 1) return Promise.resolve("done");
            opened();
            return Promise.reject(failing("57P01"));
        });

        expect([result, begun]).toEqual(["done", [false, true]]);
        expect(told).toEqual([
            "db.example.com:5432 is away (failed by 57P01): trying again, for up to 60 s",
            "the connection to db.example.com:5432 was lost in the middle (failed by 57P01); the work went on with a new one",
        ]);
    });

    it.each([
        ["that never had a connection", "connection_refused", {}, false],
        ["that failed for another reason", "42501", {}, true],
        ["that Ctrl-C was pressed in", "57P01", { stop: AbortSignal.abort() }, true],
        ["that is to wait for nothing", "57P01", { patience: 0 }, true],
    ])("%s fails at once, as it is", async (_, code, change, connects) => {
        let attempts = 0;
        await expect(
            throughFailover(connection, { ...options, ...change }, (opened) => {
                attempts += 1;
                if (connects) opened();
                return Promise.reject(failing(code));
            }),
        ).rejects.toMatchObject({ code });
        expect([attempts, told]).toEqual([1, []]);
    });

    it("waits no longer than it may, and names the endpoint", async () => {
        await expect(
            throughFailover(connection, { ...options, patience: 600 }, (opened) => {
                opened();
                return Promise.reject(failing("25006"));
            }),
        ).rejects.toMatchObject({
            code: "failover",
            message:
                "db.example.com:5432 was lost in the middle, and takes no writes again after 0.6 seconds",
        });
    });

    it("waits a minute, or as long as the environment says", () => {
        const seconds = (text?: string): number =>
            failoverPatience({ PULUMI_TIMESCALE_FAILOVER_SECONDS: text }) / 1000;
        expect([seconds(), seconds("0"), seconds("300"), seconds("soon")]).toEqual([
            60, 0, 300, 60,
        ]);
    });
});

describe("a comparison while a password is being changed", () => {
    const refusing =
        (works: string) =>
        ({ password }: { readonly password: string }): Promise<string> =>
            password === works ? Promise.resolve(password) : Promise.reject(failing("28P01"));

    it("goes through with any password of the login that was heard of", async () => {
        notePassword({ ...connection, password: "before" });
        notePassword({ ...connection, database: "another", password: "newest" });

        expect(await withAnyPassword(connection, refusing("before"))).toBe("before");
        expect(await withAnyPassword(connection, refusing("newest"))).toBe("newest");
    });

    it("tries none of another user or server", async () => {
        notePassword({ ...connection, user: "somebody", password: "theirs" });
        notePassword({ ...connection, host: "elsewhere", password: "theirs" });
        notePassword("unknown");

        await expect(withAnyPassword(connection, refusing("theirs"))).rejects.toMatchObject({
            code: "28P01",
        });
    });
});
