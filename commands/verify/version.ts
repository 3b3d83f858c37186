/** Check 1: a TimescaleDB that this project works with, by numbers and not by letters: 2.9 is older than 2.14. */
import { probe, type ServerFacts } from "../../components/server/preflight";
import { refusals } from "../../components/server/refusals";
import { inspectServer } from "../../components/timescale/core/connection/server";
import type { Session } from "../../components/timescale/core/connection/session";
import type { Finding } from "./result";

/** What of a server's refusals is about the server itself, and not about what a deploy may do on it. */
const ofServer: ReadonlySet<string | undefined> = new Set([
    "extension_not_offered",
    "extension_not_preloaded",
    "apache_license",
    "restoring",
    "extension_missing",
    "version_too_old",
    "version_untested",
    "jobs_fail",
]);

export async function version(session: Session, schema: string): Promise<Finding> {
    const { embedded } = await inspectServer(session.client);
    const { connection } = session;
    const facts = await probe(connection, { database: connection.database, schema, roles: [] });
    return judgeVersion(facts, { database: connection.database, schema, embedded });
}

/** Pure. */
export function judgeVersion(
    facts: ServerFacts,
    { database, schema, embedded }: { database: string; schema: string; embedded: boolean },
): Finding {
    const declared = { roles: [], manageAccess: false, backgroundWorkers: !embedded, jobs: [] };
    const { errors, warnings } = refusals(facts, { ...declared, database, schema });
    const said = (all: typeof errors): string[] =>
        all
            // The embedded server has its library built in.
            .filter(
                ({ code }) =>
                    ofServer.has(code) && !(embedded && code === "extension_not_preloaded"),
            ) // prettier-ignore
            .map(({ message, detail }) =>
                detail === undefined ? message : `${message}: ${detail}`,
            );
    const { postgresVersion } = facts;
    const postgres = `${Math.floor(postgresVersion / 10_000)}.${postgresVersion % 10_000}`;
    return {
        summary: `TimescaleDB ${facts.database?.installedVersion ?? "none"} on PostgreSQL ${postgres}, licence ${facts.license ?? "unknown"}`,
        problems: said(errors),
        notes: said(warnings),
    };
}
