/** Everything that people made in a database, by name; the objects themselves are read one by one. */
import type { Queryable } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { QualifiedName } from "../../components/timescale/core/identifier";
import { readSql } from "../../components/timescale/core/sqlFile";
import type { Owned } from "./remarks";

export interface FoundRelation extends QualifiedName, Owned {
    /** Null where the catalog of TimescaleDB alone knows it. */
    readonly oid: string | null;
    /** Whether the login may use its schema. */
    readonly usable: boolean;
    /** `hypertable`, `aggregate`, or pg_class.relkind. */
    readonly kind: string;
}

export interface FoundRoutine extends QualifiedName, Owned {
    readonly oid: string;
    readonly usable: boolean;
    /** Source: pg_proc.prokind */
    readonly kind: string;
    /** Its argument types, which tell it from others of its name. */
    readonly arguments: string;
}

/** What no resource declares. */
export interface FoundOther {
    readonly schema: string | null;
    readonly name: string;
    readonly what: string;
}

/** One reads the other; both by oid. */
export interface Dependency {
    readonly reader: string;
    readonly source: string;
}

export interface Discovered {
    readonly relations: readonly FoundRelation[];
    readonly routines: readonly FoundRoutine[];
    readonly others: readonly FoundOther[];
    readonly dependencies: readonly Dependency[];
}

/** @param schemas none: all of them */
export async function discover(client: Queryable, schemas: readonly string[]): Promise<Discovered> {
    await refuseUnknown(client, schemas);
    const wanted = [schemas.length === 0 ? null : schemas];
    const rows = async <Row>(file: string, values: unknown[]): Promise<readonly Row[]> => {
        const result = await client.query<Record<string, unknown>>(readSql(file), values);
        return result.rows as unknown as readonly Row[];
    };
    return {
        relations: await rows<FoundRelation>("import/relations.sql", wanted),
        routines: await rows<FoundRoutine>("import/routines.sql", wanted),
        others: await rows<FoundOther>("import/others.sql", wanted),
        dependencies: await rows<Dependency>("import/dependencies.sql", []),
    };
}

async function refuseUnknown(client: Queryable, schemas: readonly string[]): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
        "SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1::text[])",
        [schemas],
    );
    const missing = schemas.filter((schema) => !rows.some(({ name }) => name === schema));
    if (missing.length === 0) return;
    throw new TimescaleError(
        `schema ${missing.map((name) => JSON.stringify(name)).join(", ")} does not exist`,
        {
            code: "3F000",
            detail: "--schema takes a name as PostgreSQL stores it, without quotes",
            hint: "correct the name, or leave --schema out to read every schema",
        },
    );
}
