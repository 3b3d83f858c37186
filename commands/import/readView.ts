/** One plain view, read for an import. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Queryable } from "../../components/timescale/core/connection/session";
import { displayName } from "../../components/timescale/core/identifier";
import { inspectView } from "../../components/timescale/core/view/inspect";
import type { FoundRelation } from "./discover";
import { viewInputs } from "./inputs";
import { ownerRemarks } from "./remarks";
import { passedOver, type Reading } from "./standing";
import { verifyView } from "./verify";

const what = "view";

export async function readView(
    client: Queryable,
    found: FoundRelation,
    connection: Connection,
): Promise<Reading> {
    const object = displayName(found);
    const kept = (why: string): Reading => passedOver(object, what, why);
    const actual = await inspectView(client, found, found.owner);
    if (actual.kind !== "view") {
        return kept(actual.kind === "absent" ? "it is gone" : `it is a ${actual.relation}`);
    }
    const sql = `${actual.definition.trim()}\n`;
    const inputs = viewInputs(actual, connection.user);
    const verdict = verifyView(actual, { ...inputs, query: sql }, connection);
    if (!verdict.ok) return kept(verdict.why);
    return {
        declaration: {
            kind: "View",
            name: actual.name,
            object,
            oid: actual.oid,
            inputs,
            text: { property: "query", sql },
            remarks: ownerRemarks(found, connection.user),
        },
        undeclared: actual.attached.map((part) => ({
            object,
            what: part,
            why: "no property says it; it is kept while the view is not made anew",
        })),
    };
}
