/** One function, read for an import; procedures and aggregate functions have no resource. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Queryable } from "../../components/timescale/core/connection/session";
import { inspectFunctions } from "../../components/timescale/core/function/inspect";
import { displayFunction } from "../../components/timescale/core/function/routine";
import { displayName } from "../../components/timescale/core/identifier";
import type { FoundRoutine } from "./discover";
import { functionInputs } from "./inputs";
import { ownerRemarks } from "./remarks";
import { noResource, passedOver, type Reading } from "./standing";
import { verifyFunction } from "./verify";

/** Source: pg_proc.prokind */
const routineKinds: Readonly<Record<string, string>> = {
    f: "function",
    p: "procedure",
    a: "aggregate function",
    w: "window function",
};

export async function readRoutine(
    client: Queryable,
    found: FoundRoutine,
    connection: Connection,
): Promise<Reading> {
    const what = routineKinds[found.kind] ?? "routine";
    if (what !== "function") return noResource(`${displayName(found)}(${found.arguments})`, what);
    const { functions } = await inspectFunctions(client, found, found.owner);
    const actual = functions.find(({ oid }) => oid === found.oid);
    if (actual === undefined) return passedOver(displayName(found), what, "it is gone");
    const object = displayFunction(actual);
    const sql = `${actual.definition.trim()}\n`;
    const inputs = functionInputs(actual, connection.user);
    const verdict = verifyFunction(actual, { ...inputs, definition: sql }, connection);
    if (!verdict.ok) return passedOver(object, what, verdict.why);
    return {
        declaration: {
            kind: "SqlFunction",
            name: { schema: actual.schema, name: actual.name },
            object,
            oid: actual.oid,
            inputs,
            text: { property: "definition", sql },
            remarks: ownerRemarks(found, connection.user),
        },
        undeclared: [],
    };
}
