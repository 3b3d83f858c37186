/** What others may do in a database that they have set up: read, to be kept. */
import type { ExternalConfig } from "../config/stackConfig";
import type { Connection } from "../timescale/core/connection/connection";
import { serverError } from "../timescale/core/connection/serverErrors";
import { withSession } from "../timescale/core/connection/session";
import { readSql } from "../timescale/core/sqlFile";
import type { ServerFacts } from "./preflight";
import type { StandingAccess, StandingGrant } from "./server";

/**
 * Grants are whole, so what a program does not declare is revoked. In somebody else's database that would
 * take rights from applications that it knows nothing of: there it declares those as well.
 */
export async function standingAccess(
    connection: Connection,
    { schema }: Pick<ExternalConfig, "schema">,
    { existingRoles }: Pick<ServerFacts, "existingRoles">,
): Promise<StandingAccess> {
    const grants: Record<string, StandingGrant[]> = {};
    await withSession(connection, async ({ client }) => {
        const { rows } = await client
            .query<StandingGrant & { name: string } & Record<string, unknown>>(
                readSql("preflight/standing_grants.sql"),
                [schema],
            )
            .then(undefined, (error: unknown) => {
                throw serverError(error, { statement: "standing_grants", object: schema });
            });
        for (const { name, role, privileges } of rows) {
            (grants[name] ??= []).push({ role, privileges });
        }
    });
    return { roles: existingRoles, grants };
}

/**
 * The property `grants` of an object: what is declared, to roles that exist, and what others have.
 *
 * @param name of the object
 */
export function grantsOf<
    Grant extends { readonly role: string; readonly privileges: readonly string[] },
>(
    access: StandingAccess | undefined,
    name: string,
    declared: readonly Grant[] | undefined,
): { readonly grants?: readonly Grant[] } {
    if (access === undefined) return declared === undefined ? {} : { grants: declared };
    const possible = (declared ?? []).filter(({ role }) => access.roles.includes(role));
    const all = [...possible, ...((access.grants[name] ?? []) as readonly Grant[])];
    const grants = [...new Set(all.map(({ role }) => role))].map((role) => {
        const given = all.filter((grant) => grant.role === role);
        const privileges = [...new Set(given.flatMap((grant) => grant.privileges))];
        return { role, privileges } as unknown as Grant;
    });
    return { grants };
}
