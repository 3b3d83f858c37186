/** Small pure parts of the commands: options, versions, intervals and addresses as text. */
import { isOlder } from "../../commands/engine/versions";
import { renderConnection, renderPicture, shorter } from "../../commands/picture/render";
import { parseOptions } from "../../commands/start/options";
import { wantsEngine } from "../../commands/test/selection";

describe("options of npm start", () => {
    it("are all off by default", () => {
        expect(parseOptions([])).toEqual({
            target: undefined,
            demo: false,
            destroy: false,
            withData: false,
            yes: false,
            json: false,
            config: {},
        });
    });

    it("take config keys one by one", () => {
        expect(
            parseOptions(["--target", "external", "--config", "host=a", "--config", "port=1"]),
        ).toMatchObject({ target: "external", config: { host: "a", port: "1" } });
    });

    it.each([
        [["--with-data"], "--with-data belongs to --destroy"],
        [["--demo", "--destroy"], "--demo and --destroy exclude each other"],
    ])("refuse %j", (args, message) => {
        expect(() => parseOptions(args)).toThrow(message);
    });
});

describe("versions", () => {
    it.each([
        ["3.215.9", "3.216.0", true],
        ["3.216.0", "3.216.0", false],
        ["3.1000.0", "3.216.0", false],
        ["2.999.0", "3.0.0", true],
        ["v3.259.0-alpha.1", "3.259.0", false],
    ])("%s is older than %s: %s", (version, than, older) => {
        expect(isOlder(version, than)).toBe(older);
    });
});

describe("intervals", () => {
    it.each([
        ["00:01:00", "1 minute"],
        ["24:00:00", "24 hours"],
        ["01:30:05", "1 hour 30 minutes 5 seconds"],
        ["3 days 00:30:00", "3 days 30 minutes"],
        ["7 days", "7 days"],
        [null, ""],
    ])("%s reads as %s", (interval, words) => {
        expect(shorter(interval)).toBe(words);
    });
});

describe("the picture", () => {
    it("says in words what is missing of a policy", () => {
        const text = renderPicture(
            {
                timescaleVersion: "2.14.2",
                postgresVersion: "15.18",
                hypertables: [],
                aggregates: [
                    {
                        name: "public.hourly",
                        bucket: "01:00:00",
                        schedule: "00:05:00",
                        startOffset: null,
                        endOffset: "01:00:00",
                        compressAfter: null,
                        dropAfter: null,
                    },
                ],
            },
            "docker",
        );

        expect(text).toContain("TimescaleDB 2.14.2 on PostgreSQL 15.18, target docker");
        expect(text).toMatch(/public\.hourly +1 hour +all to 1 hour ago +5 minutes +for ever/);
    });
});

describe("a connection as a URL", () => {
    it("has no password, and quotes what needs it", () => {
        const url = renderConnection({
            host: "::1",
            port: 5432,
            database: "my db",
            user: "we@ird",
            password: "secret",
            sslMode: "verify-full",
        });

        expect(url).toBe("postgresql://we%40ird@[::1]:5432/my%20db?sslmode=verify-full");
    });
});

describe("npm test", () => {
    it.each([
        [[], true],
        [["--selectProjects", "unit", "engine", "-t", "x"], true],
        [["--selectProjects", "unit", "-t", "engine"], false],
        [["--ignoreProjects", "engine"], false],
        [["-t", "name"], true],
    ])("looks for an engine with %j: %s", (args, wanted) => {
        expect(wantsEngine(args)).toBe(wanted);
    });
});
