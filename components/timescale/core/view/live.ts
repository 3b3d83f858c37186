/** The plan for one view against the live database: reads only, but for a view that is rolled back. */
import { DatabaseError } from "pg";

import type { Queryable, Session } from "../connection/session";
import { isRemembered, type ObjectMemory } from "../memory/memory";
import { type Inspected, inspecting, trying } from "../plan/converging";
import type { Plan } from "../plan/plan";
import { extended, normaliseUnder, viewOver } from "../query/normalise";
import { statementBody } from "../query/query";
import { type Dependant, inspectDependants } from "../relation/dependants";
import { type DesiredQuery, diffView } from "./diff";
import { type ActualView, type InspectedView, inspectView } from "./inspect";
import { planView } from "./plan";
import type { DesiredView } from "./spec";

export interface ViewPlan {
    readonly plan: Plan;
    readonly actual: InspectedView;
    readonly searchPath: readonly string[];
    readonly databaseUuid: string;
}

/** Compares the live database with the declaration. Takes no lock that anybody could notice. */
export async function planLiveView(
    session: Session,
    desired: DesiredView,
    memory: ObjectMemory,
): Promise<ViewPlan> {
    const login = session.connection.user;
    const owner = desired.owner ?? login;
    const { found: actual, searchPath } = await findView(session, desired, owner, memory);
    const desiredQuery =
        actual.kind === "view" && !isRemembered(memory, desired.query, actual.definition)
            ? await inServersWords(session, desired, actual, searchPath)
            : null;
    const { managed } = memory;
    const dropped = actual.kind === "view" && (desiredQuery?.irreplaceable ?? null) !== null;
    const dependants = dropped ? await dependantsOf(session, desired, actual) : [];
    const changes = diffView({ actual, desired, desiredQuery, dependants, owner, managed });
    const plan = planView(changes, desired, { login, managed });
    return { plan, actual, searchPath, databaseUuid: actual.databaseUuid };
}

async function dependantsOf(
    session: Session,
    desired: DesiredView,
    { oid }: ActualView,
): Promise<readonly Dependant[]> {
    const { found } = await inspecting(session, desired, (client) =>
        inspectDependants(client, "pg_class", oid),
    );
    return found;
}

/** By its name, else where the last apply or a former name says that it stands. */
export function findView(
    session: Session,
    desired: DesiredView,
    owner: string,
    memory: ObjectMemory,
): Promise<Inspected<InspectedView>> {
    return inspecting(session, desired, async (client) => {
        const actual = await inspectView(client, desired, owner, memory.known);
        if (actual.kind !== "absent" || memory.formerName === undefined) return actual;
        const former = await inspectView(client, memory.formerName, owner);
        return former.kind === "view" ? former : actual;
    });
}

function inServersWords(
    session: Session,
    desired: DesiredView,
    actual: ActualView,
    searchPath: readonly string[],
): Promise<DesiredQuery> {
    return trying(session, desired, searchPath, "normalise_query", async (client) => {
        const { definition, columns } = await viewOver(client, statementBody(desired.query));
        const alike = definition === actual.definition || columns.length !== actual.columns.length;
        const names = actual.columns.map(({ name }) => name);
        const same = definition === actual.definition;
        return {
            definition,
            columns,
            underActualNames: alike ? null : await normaliseUnder(client, desired.query, names),
            irreplaceable: same ? null : await whyNotReplaced(client, desired, actual),
        };
    });
}

/** Why PostgreSQL does not replace the one by the other in place; null: it does. Tried on a copy. */
async function whyNotReplaced(
    client: Queryable,
    desired: DesiredView,
    actual: ActualView,
): Promise<string | null> {
    const copy = "VIEW pg_temp.pulumi_timescale_standing AS";
    await extended(client, `CREATE ${copy}\n${statementBody(actual.definition)}`);
    await client.query("SAVEPOINT replaced");
    try {
        await extended(client, `CREATE OR REPLACE ${copy}\n${statementBody(desired.query)}`);
        return null;
    } catch (error) {
        // invalid_table_definition: a column would go, or be another one.
        if (error instanceof DatabaseError && error.code === "42P16") return error.message;
        throw error;
    } finally {
        await client.query("ROLLBACK TO SAVEPOINT replaced");
    }
}

/** @throws TimescaleError when the server does not take the query */
export async function checkQuery(
    session: Session,
    desired: DesiredView,
    searchPath: readonly string[],
): Promise<void> {
    await trying(session, desired, searchPath, "normalise_query", (client) =>
        viewOver(client, statementBody(desired.query)),
    );
}
