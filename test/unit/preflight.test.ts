import type { DatabaseFacts, ServerFacts } from "../../components/server/preflight";
import { type Declared, refusals } from "../../components/server/refusals";
import { compareVersions, isTestedVersion } from "../../components/server/version";

const roles = ["observatory_owner", "observatory_writer", "observatory_reader"];

/** A server on which a first deployment finds nothing of its own and nothing amiss. */
function fresh(change: Partial<ServerFacts> = {}): ServerFacts {
    return {
        postgresVersion: 150018,
        inRecovery: false,
        readOnly: false,
        offeredVersion: "2.14.2",
        trusted: true,
        preloaded: true,
        maxWorkerProcesses: 27,
        maxBackgroundWorkers: 16,
        otherSchedulers: 0,
        otherWorkers: 1,
        license: null,
        restoring: false,
        login: { user: "deployer", superuser: false, createRole: true, createDatabase: true },
        existingRoles: [],
        databaseExists: false,
        database: undefined,
        ...change,
    };
}

/** The same server after a deployment. */
function deployed(
    change: Partial<DatabaseFacts> = {},
    server: Partial<ServerFacts> = {},
): ServerFacts {
    return fresh({
        existingRoles: roles,
        databaseExists: true,
        license: "timescale",
        database: {
            installedVersion: "2.14.2",
            license: "timescale",
            restoring: false,
            readOnly: false,
            schemaExists: true,
            mayCreateInSchema: true,
            ...change,
        },
        ...server,
    });
}

function codes(
    facts: ServerFacts,
    declared: Partial<Declared> = {},
): { errors: unknown[]; warnings: unknown[] } {
    const { errors, warnings } = refusals(facts, {
        database: "llm_observatory",
        schema: "public",
        roles,
        manageAccess: true,
        backgroundWorkers: true,
        jobs: [{ name: "refresh llm_metrics_1min", scheduleInterval: 30 }],
        ...declared,
    });
    for (const reason of [...errors, ...warnings]) {
        expect(reason.message).toMatch(/^\S.*[^.]$/);
        expect(reason.detail).toMatch(/\S/);
        expect(reason.hint).toMatch(/\S/);
    }
    return { errors: errors.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
}

const nothing = { errors: [], warnings: [] };

describe("refusals", () => {
    it("are none for a fit server, before and after the first deployment", () => {
        expect(codes(fresh())).toEqual(nothing);
        expect(codes(deployed())).toEqual(nothing);
        expect(codes(deployed(), { manageAccess: false })).toEqual(nothing);
    });

    it.each<[string, Partial<ServerFacts>, string]>([
        ["a standby", { inRecovery: true, readOnly: true }, "read_only_replica"],
        ["read-only transactions", { readOnly: true }, "read_only"],
        ["no TimescaleDB", { offeredVersion: null, trusted: null }, "extension_not_offered"],
        [
            "a missing loader",
            { preloaded: false, maxBackgroundWorkers: null },
            "extension_not_preloaded",
        ],
        ["a version before 2.14", { offeredVersion: "2.13.1" }, "version_too_old"],
        ["2.9, which is before 2.14", { offeredVersion: "2.9.3" }, "version_too_old"],
        ["the Apache licence", { license: "apache" }, "apache_license"],
        ["a restore under way", { restoring: true }, "restoring"],
        ["workers all taken by databases", { otherSchedulers: 15 }, "no_background_worker"],
        ["workers all taken by others", { otherWorkers: 25 }, "no_background_worker"],
        ["one worker in all", { maxBackgroundWorkers: 1 }, "no_background_worker"],
        ["no worker in all", { maxWorkerProcesses: 0 }, "no_background_worker"],
    ])("are one for %s", (_case, change, code) => {
        expect(codes(fresh(change))).toEqual({ errors: [code], warnings: [] });
    });

    it("are all reported at once", () => {
        expect(
            codes(
                fresh({
                    inRecovery: true,
                    offeredVersion: "2.11.0",
                    license: "apache",
                    otherSchedulers: 40,
                    login: {
                        user: "plain",
                        superuser: false,
                        createRole: false,
                        createDatabase: false,
                    },
                }),
            ).errors,
        ).toEqual([
            "read_only_replica",
            "apache_license",
            "version_too_old",
            "no_background_worker",
            "may_not_create_roles",
            "may_not_create_database",
        ]);
    });

    it("judge the version that a database has, not the one that the server offers", () => {
        expect(codes(deployed({ installedVersion: "2.13.0" })).errors).toEqual(["version_too_old"]);
        expect(codes(deployed({}, { offeredVersion: "2.13.0" })).errors).toEqual([]);
    });

    it("tell of the update where the server offers a version that is new enough", () => {
        const { errors } = refusals(deployed({ installedVersion: "2.13.0" }), {
            database: "llm_observatory",
            schema: "public",
            roles,
            manageAccess: true,
            backgroundWorkers: true,
            jobs: [],
        });

        expect(errors[0]?.hint).toContain("ALTER EXTENSION timescaledb UPDATE");
    });

    it("count no workers where the server has none of its own", () => {
        expect(
            codes(fresh({ maxBackgroundWorkers: 0, maxWorkerProcesses: 0 }), {
                backgroundWorkers: false,
            }),
        ).toEqual(nothing);
    });

    it("leave the last worker to a job", () => {
        expect(codes(fresh({ maxBackgroundWorkers: 2 }))).toEqual(nothing);
    });
});

describe("the login's privileges", () => {
    const plain = { user: "plain", superuser: false, createRole: false, createDatabase: false };

    it("suffice when roles and database exist", () => {
        expect(codes(deployed({}, { login: plain }))).toEqual(nothing);
    });

    it("suffice for a superuser without CREATEROLE and CREATEDB", () => {
        expect(codes(fresh({ login: { ...plain, superuser: true } }))).toEqual(nothing);
    });

    it("are doubted when the extension is not trusted", () => {
        expect(codes(fresh({ trusted: false })).warnings).toEqual(["extension_not_trusted"]);
        expect(codes(deployed({}, { trusted: false })).warnings).toEqual([]);
    });
});

describe("access that is made elsewhere", () => {
    it("must be complete", () => {
        expect(
            codes(
                deployed(
                    { installedVersion: null, schemaExists: false, mayCreateInSchema: false },
                    { existingRoles: ["observatory_owner"], license: null },
                ),
                { manageAccess: false },
            ).errors,
        ).toEqual(["role_missing", "extension_missing", "schema_missing"]);
    });

    it("must let the owner create tables", () => {
        expect(
            codes(deployed({ mayCreateInSchema: false }), { manageAccess: false }).errors,
        ).toEqual(["may_not_create_in_schema"]);
    });
});

describe("warnings", () => {
    it.each([
        ["2.14.0", ["version_untested"]],
        ["2.14.2", []],
        ["2.15.3", ["version_untested"]],
        ["2.23.0-dev", []],
        ["2.23.1", []],
        ["2.29.2", ["version_untested"]],
        ["3.0", ["version_untested"]],
    ])("for TimescaleDB %s are %j", (offeredVersion, warnings) => {
        expect(codes(fresh({ offeredVersion }))).toEqual({ errors: [], warnings });
    });

    it("tell of the PostgreSQL minor on which jobs fail", () => {
        expect(codes(fresh({ postgresVersion: 150020 })).warnings).toEqual(["jobs_fail"]);
    });

    it("tell of jobs that need more workers than are free", () => {
        const jobs = Array.from({ length: 40 }, (_, index) => ({
            name: `refresh ${index}`,
            scheduleInterval: 10,
            runTime: 5,
        }));

        expect(codes(fresh(), { jobs })).toEqual({
            errors: [],
            warnings: ["few_background_workers"],
        });
        expect(codes(fresh(), { jobs: jobs.slice(0, 30) })).toEqual(nothing);
    });
});

describe("versions", () => {
    it.each([
        ["2.9", "2.14", -1],
        ["2.14", "2.14.0", 0],
        ["2.14.2", "2.14", 1],
        ["2.23.0-dev", "2.23.0", 0],
        ["10.0", "9.9.9", 1],
    ])("%s against %s", (one, other, sign) => {
        expect(Math.sign(compareVersions(one, other))).toBe(sign);
    });

    it("that say nothing are not tested ones", () => {
        expect(isTestedVersion("unknown")).toBe(false);
        expect(isTestedVersion("2")).toBe(false);
    });
});
