/** What speaks against a server, from its facts alone. Pure. */
import { TimescaleError } from "../timescale/core/errors";
import type { ServerFacts } from "./preflight";
import { compareVersions, isTestedVersion, oldestVersion, testedVersions } from "./version";

/** What the program is about to ask of the server. */
export interface Declared {
    readonly database: string;
    readonly schema: string;
    readonly roles: readonly string[];
    /** Whether the program creates database, extension, roles and schema. */
    readonly manageAccess: boolean;
    /** False on a server whose jobs are not run by background workers. */
    readonly backgroundWorkers: boolean;
    readonly jobs: readonly DeclaredJob[];
}

export interface DeclaredJob {
    readonly name: string;
    /** Seconds from one start to the next. */
    readonly scheduleInterval: number;
    /** Seconds that one run is expected to take. @default 2 */
    readonly runTime?: number;
}

export interface Verdict {
    /** Reasons to create nothing, each with its remedy. */
    readonly errors: readonly TimescaleError[];
    readonly warnings: readonly TimescaleError[];
}

/** Seconds; a refresh of the Observatory's aggregates takes well under one at usual traffic. */
const usualRunTime = 2;

/** Minor versions of PostgreSQL on which TimescaleDB's jobs do their work and then report failure. */
const minorsWithFailingJobs: ReadonlySet<number> = new Set([150020]);

/** Every reason to refuse the server, and every doubt about it. */
export function refusals(facts: ServerFacts, declared: Declared): Verdict {
    const workers = declared.backgroundWorkers ? workerVerdict(facts, declared) : noVerdict;
    const verdicts = [
        writableVerdict(facts),
        extensionVerdict(facts, declared),
        versionVerdict(facts, declared),
        // Without the loader there is nothing to count.
        facts.preloaded ? workers : noVerdict,
        declared.manageAccess
            ? privilegeVerdict(facts, declared)
            : standingAccessVerdict(facts, declared),
    ];
    return {
        errors: verdicts.flatMap(({ errors }) => errors),
        warnings: verdicts.flatMap(({ warnings }) => warnings),
    };
}

const noVerdict: Verdict = { errors: [], warnings: [] };

interface Reason {
    readonly code: string;
    readonly message: string;
    readonly detail: string;
    readonly hint: string;
}

function verdict(
    errors: readonly (Reason | false)[],
    warnings: readonly (Reason | false)[] = [],
): Verdict {
    const named = (reasons: readonly (Reason | false)[]): TimescaleError[] =>
        reasons
            .filter((reason) => reason !== false)
            .map(({ message, ...fields }) => new TimescaleError(message, fields));
    return { errors: named(errors), warnings: named(warnings) };
}

function writableVerdict({ inRecovery, readOnly }: ServerFacts): Verdict {
    if (inRecovery) {
        return verdict([
            {
                code: "read_only_replica",
                message: "the server is a read-only replica",
                detail: "pg_is_in_recovery() is true: a standby takes no writes",
                hint: "set host to the primary, or to the name that always leads to it",
            },
        ]);
    }
    return verdict([
        readOnly && {
            code: "read_only",
            message: "the server only takes read-only transactions",
            detail: "default_transaction_read_only is on for this login or database",
            hint: "set host to the writable primary, or ALTER ROLE … RESET default_transaction_read_only",
        },
    ]);
}

function extensionVerdict(facts: ServerFacts, { database, manageAccess }: Declared): Verdict {
    const { offeredVersion, preloaded, license, restoring, trusted, login } = facts;
    if (offeredVersion === null) {
        return verdict([
            {
                code: "extension_not_offered",
                message: "the server does not offer TimescaleDB",
                detail: 'pg_available_extensions has no "timescaledb"',
                hint: "install TimescaleDB's package on the server, or switch the extension on in the provider's console",
            },
        ]);
    }
    const created = facts.database?.installedVersion != null;
    return verdict(
        [
            !preloaded && {
                code: "extension_not_preloaded",
                message: "TimescaleDB is installed on the server but not loaded at its start",
                detail: "its loader is not in shared_preload_libraries, so every session that touches the extension is ended",
                hint: "ALTER SYSTEM SET shared_preload_libraries = 'timescaledb' beside what is there already, and restart the server",
            },
            license === "apache" && {
                code: "apache_license",
                message: "the server runs TimescaleDB under the Apache licence",
                detail: "timescaledb.license is apache: continuous aggregates, policies and compression are switched off",
                hint: "install TimescaleDB's community build and ALTER SYSTEM SET timescaledb.license = 'timescale'",
            },
            restoring && {
                code: "restoring",
                message: `database "${database}" is being restored`,
                detail: "timescaledb.restoring is on: TimescaleDB's catalog is not loaded",
                hint: "finish the restore with SELECT timescaledb_post_restore()",
            },
        ],
        [
            manageAccess &&
                !created &&
                trusted === false &&
                !login.superuser && {
                    code: "extension_not_trusted",
                    message: `"${login.user}" may be refused to create the extension`,
                    detail: "TimescaleDB is not a trusted extension on this server, and the login is no superuser",
                    hint: `let an administrator run CREATE EXTENSION timescaledb in "${database}", if the provider does not allow it`,
                },
        ],
    );
}

function versionVerdict(facts: ServerFacts, { database }: Declared): Verdict {
    const installed = facts.database?.installedVersion ?? null;
    const version = installed ?? facts.offeredVersion;
    if (version === null) {
        return noVerdict;
    }
    const major = Math.floor(facts.postgresVersion / 10_000);
    const minor = facts.postgresVersion % 10_000;
    const tooOld = compareVersions(version, oldestVersion) < 0;
    return verdict(
        [
            tooOld && {
                code: "version_too_old",
                message: `TimescaleDB ${version} is older than ${oldestVersion}`,
                detail:
                    installed === null
                        ? `the server offers ${version}`
                        : `database "${database}" has ${version}, the server offers ${facts.offeredVersion ?? "none"}`,
                hint:
                    installed !== null && compareVersions(facts.offeredVersion ?? "0", "2.14") >= 0
                        ? `run ALTER EXTENSION timescaledb UPDATE in "${database}" as the first statement of a session`
                        : `install TimescaleDB ${oldestVersion} or newer on the server`,
            },
        ],
        [
            !tooOld &&
                !isTestedVersion(version) && {
                    code: "version_untested",
                    message: `TimescaleDB ${version} has not been tested`,
                    detail: `tested: ${testedVersions.join(", ")}`,
                    hint: "try it on a stack without production data first",
                },
            minorsWithFailingJobs.has(facts.postgresVersion) && {
                code: "jobs_fail",
                message: `TimescaleDB's jobs report failure on PostgreSQL ${major}.${minor}`,
                detail: 'every run ends with: cannot drop portal "" while it is being set up; its work is kept, but retries stretch the schedule',
                hint: `run PostgreSQL ${major}.18, or a TimescaleDB whose release notes name this fixed`,
            },
        ],
    );
}

/**
 * Every database with the extension keeps one worker for its scheduler; each running job takes one
 * more. Both TimescaleDB's own limit and PostgreSQL's bind.
 */
function workerVerdict(facts: ServerFacts, { jobs }: Declared): Verdict {
    const { maxWorkerProcesses, maxBackgroundWorkers, otherSchedulers, otherWorkers } = facts;
    if (maxBackgroundWorkers === null) {
        return noVerdict;
    }
    const launcher = 1;
    const scheduler = 1;
    const byTimescale = maxBackgroundWorkers - otherSchedulers - scheduler;
    const byPostgres = maxWorkerProcesses - launcher - otherWorkers - otherSchedulers - scheduler;
    const free = Math.min(byTimescale, byPostgres);
    const limits =
        `timescaledb.max_background_workers is ${maxBackgroundWorkers} and max_worker_processes ${maxWorkerProcesses}; ` +
        `${otherSchedulers} other databases with TimescaleDB and ${otherWorkers} other workers take theirs, and this database's scheduler takes one`;
    const remedy =
        byTimescale <= byPostgres ? "timescaledb.max_background_workers" : "max_worker_processes";
    if (free < 1) {
        return verdict([
            {
                code: "no_background_worker",
                message:
                    "the server has no background worker to spare, so no policy would ever run",
                detail: limits,
                hint: `raise ${remedy} and restart the server, or drop the extension from databases that do not use it`,
            },
        ]);
    }
    const demand = jobs.reduce(
        (sum, { scheduleInterval, runTime = usualRunTime }) => sum + runTime / scheduleInterval,
        0,
    );
    return verdict(
        [],
        [
            demand > free && {
                code: "few_background_workers",
                message: `${free} free background workers are too few for ${jobs.length} declared jobs`,
                detail: `run time by schedule adds up to ${demand.toFixed(1)} workers; ${limits}`,
                hint: `raise ${remedy}, or let the policies run less often`,
            },
        ],
    );
}

function privilegeVerdict(facts: ServerFacts, declared: Declared): Verdict {
    const { login, existingRoles, databaseExists } = facts;
    const missingRoles = declared.roles.filter((role) => !existingRoles.includes(role));
    return verdict([
        missingRoles.length > 0 &&
            !login.superuser &&
            !login.createRole && {
                code: "may_not_create_roles",
                message: `"${login.user}" may not create roles`,
                detail: `missing on the server: ${missingRoles.join(", ")}`,
                hint: `ALTER ROLE ${login.user} CREATEROLE, or create the roles yourself and set manageAccess to false`,
            },
        !databaseExists &&
            !login.superuser &&
            !login.createDatabase && {
                code: "may_not_create_database",
                message: `"${login.user}" may not create databases`,
                detail: `database "${declared.database}" does not exist on the server`,
                hint: `ALTER ROLE ${login.user} CREATEDB, or create the database yourself and set manageAccess to false`,
            },
    ]);
}

function standingAccessVerdict(facts: ServerFacts, declared: Declared): Verdict {
    const { login, existingRoles, database } = facts;
    const missingRoles = declared.roles.filter((role) => !existingRoles.includes(role));
    return verdict([
        missingRoles.length > 0 && {
            code: "role_missing",
            message: "the server lacks roles of the Observatory",
            detail: `missing: ${missingRoles.join(", ")}; with manageAccess false the program creates none`,
            hint: missingRoles.map((role) => `CREATE ROLE ${role} LOGIN`).join("; "),
        },
        facts.offeredVersion !== null &&
            database?.installedVersion === null && {
                code: "extension_missing",
                message: `database "${declared.database}" has no TimescaleDB`,
                detail: "with manageAccess false the program does not create the extension",
                hint: `run CREATE EXTENSION timescaledb in "${declared.database}"`,
            },
        database?.schemaExists === false && {
            code: "schema_missing",
            message: `schema "${declared.schema}" does not exist`,
            detail: `with manageAccess false the program does not create it in "${declared.database}"`,
            hint: `CREATE SCHEMA ${declared.schema} AUTHORIZATION ${login.user}`,
        },
        database?.schemaExists === true &&
            !database.mayCreateInSchema && {
                code: "may_not_create_in_schema",
                message: `"${login.user}" may not create tables in schema "${declared.schema}"`,
                detail: "the objects of the Observatory belong to this login",
                hint: `GRANT USAGE, CREATE ON SCHEMA ${declared.schema} TO ${login.user}`,
            },
    ]);
}
