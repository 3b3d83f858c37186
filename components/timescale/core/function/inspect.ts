/** Functions as the catalog has them. */
import type { Queryable } from "../connection/session";
import type { QualifiedName } from "../identifier";
import { readSql } from "../sqlFile";
import type { ActualFunction } from "./routine";

export interface InspectedFunctions {
    readonly databaseUuid: string;
    readonly schemas: readonly string[];
    readonly functions: readonly ActualFunction[];
}

/** All functions of the name, and the one with the number. */
export async function inspectFunctions(
    client: Queryable,
    { schema, name }: QualifiedName,
    owner: string,
    oid: string | number | null = null,
): Promise<InspectedFunctions> {
    const { rows } = await client.query<
        Omit<ActualFunction, "oid" | "definition"> & {
            oid: string | null;
            definition: string | null;
            databaseUuid: string;
            schemas: string[];
        } & Record<string, unknown>
    >(readSql("catalog/function.sql"), [schema, name, oid, owner]);
    return {
        databaseUuid: rows[0]?.databaseUuid ?? "",
        schemas: rows[0]?.schemas ?? [],
        functions: rows.flatMap(({ databaseUuid: _1, schemas: _2, oid, definition, ...row }) =>
            oid === null ? [] : [{ ...row, oid, definition: definition ?? "" }],
        ),
    };
}
