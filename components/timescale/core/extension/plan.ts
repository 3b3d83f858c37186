/** What has to be done so that TimescaleDB's objects in a database fit the server's library. */
import { TimescaleError } from "../errors";
import { escapeIdentifier, escapeLiteral } from "../identifier";
import type { Plan, Statement } from "../plan/plan";

/** TimescaleDB in one database. */
export interface ActualExtension {
    readonly database: string;
    /** Null: the extension is not created there. */
    readonly installed: string | null;
    readonly wanted: string;
    /** Whether the server has what the wanted version needs. */
    readonly offered: boolean;
    /** Whether there are scripts from the installed version to the wanted one. */
    readonly reachable: boolean;
    /** Whether the login may stop TimescaleDB's workers. */
    readonly superuser: boolean;
}

export function differs({ installed, wanted }: ActualExtension): boolean {
    return installed !== null && installed !== wanted;
}

export function planExtension(actual: readonly ActualExtension[]): Plan {
    const changing = actual.filter(differs);
    return {
        lines: changing.map(({ database, installed, wanted, superuser }) => ({
            code: "extension_version",
            property: `extension timescaledb in database ${database}`,
            was: installed ?? "none",
            will: `${wanted}, by ALTER EXTENSION UPDATE${superuser ? " with jobs stopped" : ""}`,
        })),
        statements: changing.map(updateStatement),
        fill: false,
        refusals: changing.flatMap(refusal),
        notes: [],
        hazards: changing.map(({ database, superuser }) => ({
            name: "RESTARTS_JOB",
            message: superuser
                ? `jobs in database ${database} are stopped until its extension is updated, and started again`
                : `jobs in database ${database} are started again by the server when its extension is updated`,
        })),
    };
}

/** The first statement of its session, which must not have loaded the version that goes. */
export function updateStatement({ database, wanted }: ActualExtension): Statement {
    return {
        name: "alter_extension",
        // A name may hold anything, also what would end a comment.
        sql: `ALTER EXTENSION timescaledb UPDATE TO ${escapeLiteral(wanted)} -- in database ${database.replace(/\s/g, " ")}`,
        // Each in a session of its own, in its database.
        outside: {},
        // On no table that others read: with jobs stopped, whoever asks TimescaleDB meanwhile gets the old version.
        lock: null,
    };
}

function refusal(actual: ActualExtension): TimescaleError[] {
    const { database, installed, wanted, offered, reachable } = actual;
    const object = `extension timescaledb in database ${escapeIdentifier(database)}`;
    if (!offered) {
        return [
            new TimescaleError(`the server has no TimescaleDB ${wanted}`, {
                code: "extension_not_offered",
                detail: `database ${database} has ${installed}`,
                hint: "install that version on the server, or take an image that has it",
                object,
            }),
        ];
    }
    if (reachable) return [];
    return [
        new TimescaleError(`TimescaleDB ${installed} cannot be updated to ${wanted}`, {
            code: "extension_version",
            detail: `the server has no scripts from ${installed} to ${wanted}, in database ${database}; there is no way back to an older version`,
            hint: `use a server or an image with TimescaleDB ${installed} or newer`,
            object,
        }),
    ];
}
