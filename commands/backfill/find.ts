/** Finds the aggregate that is meant by a name on the command line. */
import { nearest } from "../../components/config/problems";
import {
    type ActualAggregate,
    inspectAggregate,
} from "../../components/timescale/core/aggregate/inspect";
import type { Session } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import { displayName, type QualifiedName } from "../../components/timescale/core/identifier";
import { inspecting } from "../../components/timescale/core/plan/converging";

export interface Found {
    readonly aggregate: ActualAggregate;
    readonly searchPath: readonly string[];
    readonly extensionSchema: string;
}

/** @throws TimescaleError with the nearest names when there is none, or with all when there are several */
export async function findAggregate(session: Session, given: string): Promise<Found> {
    const { rows } = await session.client
        .query<{ schema: string; name: string }>(
            `SELECT user_view_schema AS schema, user_view_name AS name FROM _timescaledb_catalog.continuous_agg ORDER BY 1, 2`,
        )
        .then(undefined, (error: unknown) => {
            throw new TimescaleError("the continuous aggregates of this database cannot be read", {
                code: "not_timescale",
                detail: error instanceof Error ? error.message : String(error),
                hint: "check --db-name: the extension timescaledb has to be in it",
                cause: error,
            });
        });
    const name = choose(given, rows, session.connection.database);
    const { found, server, searchPath } = await inspecting(session, name, (client) =>
        inspectAggregate(client, name),
    );
    if (found.kind !== "aggregate") throw unknown(given, rows, session.connection.database);
    return { aggregate: found, searchPath, extensionSchema: server.extensionSchema };
}

/** A name is taken as it stands in the catalog, or with its schema before it. */
export function choose(
    given: string,
    known: readonly QualifiedName[],
    database: string,
): QualifiedName {
    const fits = known.filter(
        (one) =>
            given === one.name ||
            given === `${one.schema}.${one.name}` ||
            given === displayName(one),
    );
    const [first, ...others] = fits;
    if (first === undefined) throw unknown(given, known, database);
    if (others.length > 0) {
        throw new TimescaleError(`there are ${fits.length} continuous aggregates named ${given}`, {
            code: "ambiguous_aggregate",
            detail: `they are ${fits.map(displayName).join(", ")}`,
            hint: "give the name with its schema",
        });
    }
    return first;
}

function unknown(given: string, known: readonly QualifiedName[], database: string): TimescaleError {
    const names = known.flatMap((one) => [one.name, `${one.schema}.${one.name}`]);
    const meant = nearest(given, names);
    const all = known.map(({ schema, name }) => (schema === "public" ? name : `${schema}.${name}`));
    return new TimescaleError(`there is no continuous aggregate ${given}`, {
        code: "unknown_aggregate",
        detail:
            all.length === 0
                ? `database ${database} has none`
                : `database ${database} has ${all.join(", ")}`,
        hint: meant === undefined ? "give one of these names" : `did you mean ${meant}?`,
    });
}
