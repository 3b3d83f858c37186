/**
 * Validation of what a program wrote, before anything is connected to. Every rule reports through
 * one collector, so that all problems of a resource are shown at once.
 */
import { sslModes } from "./connection/connection";
import { identifierProblem } from "./identifier";
import { lengthOf, parseInterval } from "./interval";
import { parseInstant } from "./policies/policy";
import { functionPrivileges, privileges as tablePrivileges } from "./relation/grants";
import type { RuleCode } from "./rules/codes";

/** One problem: the top-level property it is on, and the text in message, detail, hint form. */
export interface Problem {
    readonly property: string;
    readonly reason: string;
}

/** Stands for a value that is not known yet during a preview; rules on it are skipped. */
export type IsUnknown = (value: unknown) => boolean;

export class Validation {
    readonly problems: Problem[] = [];

    constructor(
        readonly inputs: Readonly<Record<string, unknown>>,
        readonly isUnknown: IsUnknown,
    ) {}

    /** @param rule its code, where programs may look for it */
    add(
        property: string,
        message: string,
        detail: string | undefined,
        hint: string,
        rule?: RuleCode,
    ): void {
        const title = rule === undefined ? message : `${message} (${rule})`;
        const lines = [title, detail && `  detail: ${detail}`, `  hint:   ${hint}`];
        this.problems.push({ property, reason: lines.filter(Boolean).join("\n") });
    }

    /** Whether there is something to check: present, and known already. */
    given(value: unknown): boolean {
        return value !== undefined && value !== null && !this.isUnknown(value);
    }

    /** Reports properties that do not exist, with the nearest one that does. */
    onlyKnown(value: object, known: readonly string[], path: string): void {
        for (const key of Object.keys(value)) {
            if (key.startsWith("__") || known.includes(key)) continue;
            const near = known.find(
                (name) => name.toLowerCase() === key.toLowerCase().replace(/[_-]/g, ""),
            );
            this.add(
                topLevel(path, key),
                `there is no property ${path}${key}`,
                `known are ${known.join(", ")}`,
                near === undefined ? "correct or remove it" : `write ${near}`,
            );
        }
    }

    identifier(property: string, value: unknown): void {
        if (this.isUnknown(value)) return;
        const problem = value === undefined ? "is missing" : identifierProblem(value);
        if (problem !== undefined) {
            this.add(
                property,
                `${property} ${problem}`,
                shown(value),
                "give a name of 1 to 63 bytes",
            );
        }
    }

    text(property: string, value: unknown, path = property): boolean {
        if (!this.given(value)) return false;
        if (typeof value === "string") return true;
        this.add(property, `${path} must be a string`, shown(value), "write it in quotes");
        return false;
    }

    boolean(property: string, value: unknown, path = property): void {
        if (this.given(value) && typeof value !== "boolean") {
            this.add(
                property,
                `${path} must be true or false`,
                shown(value),
                "write true or false without quotes",
            );
        }
    }

    /** The length in microseconds of a valid interval; problems are reported. */
    interval(
        property: string,
        path: string,
        value: unknown,
        { required = false, positive = false }: { required?: boolean; positive?: boolean } = {},
    ): number | undefined {
        if (value === undefined || value === null) {
            if (required) {
                this.add(
                    property,
                    `${path} is missing`,
                    undefined,
                    'give an interval such as "30 seconds" or "1 day"',
                );
            }
            return undefined;
        }
        if (this.isUnknown(value) || !this.text(property, value, path)) return undefined;
        const parsed = parseInterval(value as string);
        if (parsed === undefined) {
            this.add(
                property,
                `${path} is not an interval`,
                shown(value),
                'write a number and a unit, such as "30 seconds", "90 minutes" or "37 days"',
            );
            return undefined;
        }
        const length = lengthOf(parsed);
        if (positive && length <= 0) {
            this.add(
                property,
                `${path} must be longer than zero`,
                shown(value),
                'give an interval such as "1 hour"',
            );
            return undefined;
        }
        return length;
    }

    /** An object, or a report that it is none. */
    object(property: string, value: unknown): Readonly<Record<string, unknown>> | undefined {
        if (!this.given(value)) return undefined;
        if (typeof value === "object" && !Array.isArray(value))
            return value as Record<string, unknown>;
        this.add(
            property,
            `${property} must be an object`,
            shown(value),
            "see the reference for its fields",
        );
        return undefined;
    }

    list(property: string, value: unknown, path = property): readonly unknown[] {
        if (!this.given(value)) return [];
        if (Array.isArray(value)) return value as unknown[];
        this.add(property, `${path} must be a list`, shown(value), "write it in square brackets");
        return [];
    }

    connection(value: unknown): void {
        if (this.isUnknown(value)) return;
        // Values of the connection are never shown: one of them is a password.
        const connection =
            typeof value === "object" && !Array.isArray(value)
                ? (value as Readonly<Record<string, unknown>> | null)
                : undefined;
        if (connection === undefined || connection === null) {
            this.add(
                "",
                this.given(value) ? "connection must be an object" : "connection is missing",
                undefined,
                "pass { host, port, database, user, password, sslMode }",
            );
            return;
        }
        for (const field of ["host", "database", "user", "password"]) {
            const text = connection[field];
            if (this.isUnknown(text)) continue;
            if (typeof text !== "string" || text === "") {
                this.add(
                    "",
                    `connection.${field} is missing`,
                    undefined,
                    `give connection.${field} as a string`,
                );
            }
        }
        const { sslMode, sslRootCert } = connection;
        if (!this.isUnknown(sslMode) && !(sslModes as readonly unknown[]).includes(sslMode)) {
            this.add(
                "",
                "connection.sslMode is not an SSL mode",
                undefined,
                `write ${sslModes.slice(0, -1).join(", ")} or ${sslModes.at(-1)}`,
            );
        }
        if (this.given(sslRootCert) && typeof sslRootCert !== "string") {
            this.add(
                "",
                "connection.sslRootCert is not a certificate",
                undefined,
                "give the authority's certificate as PEM text",
            );
        }
        const port = connection["port"];
        if (
            !this.isUnknown(port) &&
            !(Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536)
        ) {
            this.add(
                "",
                "connection.port is not a port",
                undefined,
                "give a number from 1 to 65535",
            );
        }
    }

    /** @param on - what is granted on, which decides what there is to grant */
    grants(value: unknown, on: "table" | "function" = "table"): void {
        const privileges = on === "table" ? tablePrivileges : functionPrivileges;
        const seen = new Set<string>();
        this.list("grants", value).forEach((entry, index) => {
            if (this.isUnknown(entry)) return;
            const path = `grants[${index}]`;
            const grant = entry as { role?: unknown; privileges?: unknown };
            if (typeof entry !== "object" || entry === null) {
                this.add(
                    "grants",
                    `${path} must be { role, privileges }`,
                    shown(entry),
                    "see the reference",
                );
                return;
            }
            this.onlyKnown(entry, ["role", "privileges"], `${path}.`);
            if (!this.isUnknown(grant.role)) {
                const problem = grant.role === undefined ? "is missing" : roleProblem(grant.role);
                if (problem !== undefined) {
                    this.add(
                        "grants",
                        `${path}.role ${problem}`,
                        shown(grant.role),
                        "name a role, or public",
                    );
                } else if (seen.has(String(grant.role))) {
                    this.add(
                        "grants",
                        `role ${String(grant.role)} is granted to twice`,
                        undefined,
                        "put its privileges into one entry",
                    );
                }
                seen.add(String(grant.role));
            }
            const list = this.list("grants", grant.privileges, `${path}.privileges`);
            if (grant.privileges === undefined || grant.privileges === null) {
                this.add(
                    "grants",
                    `${path}.privileges is missing`,
                    undefined,
                    `list what the role may do: ${privileges.join(", ")}`,
                );
            }
            for (const privilege of list) {
                if (this.isUnknown(privilege)) continue;
                if (!(privileges as readonly unknown[]).includes(privilege)) {
                    this.add(
                        "grants",
                        `${path} names no ${on} privilege: ${JSON.stringify(privilege)}`,
                        `known are ${privileges.join(", ")}`,
                        "write it in capitals, one entry a privilege",
                    );
                }
            }
        });
    }

    jobSettings(
        property: string,
        settings: Readonly<Record<string, unknown>>,
        required: boolean,
    ): void {
        this.interval(property, `${property}.scheduleInterval`, settings["scheduleInterval"], {
            required,
            positive: true,
        });
        this.interval(property, `${property}.maxRuntime`, settings["maxRuntime"]);
        this.interval(property, `${property}.retryPeriod`, settings["retryPeriod"]);
        this.boolean(property, settings["paused"], `${property}.paused`);
        this.text(property, settings["timezone"], `${property}.timezone`);
        const start = settings["initialStart"];
        if (
            this.text(property, start, `${property}.initialStart`) &&
            Number.isNaN(parseInstant(start as string))
        ) {
            this.add(
                property,
                `${property}.initialStart is not a point in time`,
                shown(start),
                'write it as "2026-01-31T00:00:00Z"',
            );
        }
        const retries = settings["maxRetries"];
        if (this.given(retries) && !(Number.isInteger(retries) && Number(retries) >= -1)) {
            this.add(
                property,
                `${property}.maxRetries must be a whole number from -1`,
                shown(retries),
                "-1 retries for ever",
            );
        }
    }
}

/** In SQL everyone is PUBLIC, however it is written; as a name, only `public` can be no role's. */
function roleProblem(role: unknown): string | undefined {
    return typeof role === "string" && role !== "public" && role.toLowerCase() === "public"
        ? "must be written public where it is everyone"
        : identifierProblem(role);
}

/** CheckFailures name top-level properties only: the engine looks no deeper. */
function topLevel(path: string, key: string): string {
    return path === "" ? key : (/^[A-Za-z]+/.exec(path)?.[0] ?? key);
}

export function shown(value: unknown): string {
    return `got ${JSON.stringify(value) ?? "nothing"}`;
}

export const jobSettingNames = [
    "scheduleInterval",
    "initialStart",
    "timezone",
    "paused",
    "maxRuntime",
    "maxRetries",
    "retryPeriod",
] as const;
