/** Names of the database, its schema and its identity. */
import { identifierProblem } from "../timescale/core/identifier";
import { type KeyName, keys, type Target } from "./keys";
import { problem, type Problems } from "./problems";
import { isSet, type RawConfig, text } from "./values";

export function nameProblem(problems: Problems, key: KeyName, value: string): boolean {
    const what = identifierProblem(value);
    if (what === undefined) {
        return false;
    }
    problem(problems, `${key} ${what}`, {
        detail: `it is "${value}"`,
        hint: `pulumi config set ${key} with a name of 1 to 63 bytes`,
    });
    return true;
}

export function database(raw: RawConfig, problems: Problems, manageAccess: boolean): string {
    const value = text(raw, "database");
    if (nameProblem(problems, "database", value)) {
        return value;
    }
    if (["postgres", "template0", "template1"].includes(value) && manageAccess) {
        problem(problems, `database "${value}" is the server's own`, {
            detail: "with manageAccess the database is created by the program and dropped by pulumi destroy",
            hint: `pulumi config set database ${keys.database.default}`,
        });
    } else if (/['/?#%&\\\s]/.test(value) && manageAccess) {
        problem(
            problems,
            `database "${value}" has a character that @pulumi/postgresql cannot pass on`,
            {
                detail: "it puts the name into a URL and into SQL text: no white space and none of ' / ? # % & \\",
                hint: "choose another name, or create database and roles yourself and set manageAccess to false",
            },
        );
    }
    return value;
}

export function schema(raw: RawConfig, problems: Problems): string {
    const value = text(raw, "schema");
    if (
        !nameProblem(problems, "schema", value) &&
        /^(pg_|information_schema$|_timescaledb_|timescaledb_information$|timescaledb_experimental$)/.test(
            value,
        )
    ) {
        problem(problems, `schema "${value}" belongs to the server`, {
            detail: "schemas of PostgreSQL and TimescaleDB take no tables of others",
            hint: "pulumi config set schema public",
        });
    }
    return value;
}

export function databaseUuid(
    raw: RawConfig,
    problems: Problems,
    target: Target | undefined,
): string | undefined {
    if (target !== "external") {
        return "any";
    }
    const value = text(raw, "databaseUuid");
    if (isSet(raw, "databaseUuid") && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
        problem(problems, "databaseUuid is not the identity of a database", {
            detail: `it is "${value}"; the identity is a UUID in TimescaleDB's catalog`,
            hint: "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
        });
        return;
    }
    return value === "" ? undefined : value.toLowerCase();
}
