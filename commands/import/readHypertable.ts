/** One hypertable, read for an import. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Queryable } from "../../components/timescale/core/connection/session";
import {
    type ActualHypertable,
    inspectHypertable,
} from "../../components/timescale/core/hypertable/inspect";
import { displayName } from "../../components/timescale/core/identifier";
import { readSql } from "../../components/timescale/core/sqlFile";
import type { FoundRelation } from "./discover";
import { hypertableInputs } from "./inputs";
import { oddIndexes, type Part, undeclarable } from "./parts";
import { policyProblems, unknownSettings } from "./policies";
import { ownerRemarks } from "./remarks";
import { passedOver, type Reading, type Undeclared } from "./standing";
import { verifyHypertable } from "./verify";

const what = "hypertable";

export async function readHypertable(
    client: Queryable,
    found: FoundRelation,
    connection: Connection,
): Promise<Reading> {
    const object = displayName(found);
    const kept = (why: string): Reading => passedOver(object, what, why);
    const actual = await inspectHypertable(client, found);
    if (actual.kind !== "hypertable") return kept("it is gone");
    const cut = await strangeDimensions(client, actual.hypertableId);
    if (cut !== undefined) return kept(cut);

    const parts = await undeclarable(client, actual.name);
    const policies = policyProblems(actual, actual.owner);
    const indexes = await strangeIndexes(client, actual);
    const generated = parts.filter(({ kind }) => kind === "generated");
    const inputs = hypertableInputs(actual, connection.user, {
        // A generated column's expression would be taken for its default.
        columns: new Set(generated.map((column) => column.object)),
        indexes: new Set(indexes.map(({ name }) => name)),
        policies: new Set(policies.map(({ property }) => property)),
    });
    const verdict = verifyHypertable(actual, inputs, connection);
    if (!verdict.ok) return kept(verdict.why);
    const undeclared: Undeclared[] = [
        ...parts.map(({ what, why }) => ({ object, what, why })),
        ...[...policies, ...unknownSettings(actual)].map((it) => ({
            object,
            what: it.object,
            why: it.why,
        })),
        ...verdict.leftOut.map(({ property, why }) => ({ object, what: property, why })),
        ...indexes
            // The constraint is listed already.
            .filter(({ constraint }) => !constraint)
            .map(({ name, why }) => ({ object, what: `index ${name}`, why })),
    ];
    return {
        declaration: {
            kind: "Hypertable",
            name: actual.name,
            object,
            oid: found.oid ?? "",
            inputs: verdict.inputs,
            remarks: [...ownerRemarks(found, connection.user), ...columnRemarks(parts)],
        },
        undeclared,
    };
}

async function strangeIndexes(
    client: Queryable,
    { name, indexes }: ActualHypertable,
): Promise<{ readonly name: string; readonly why: string; readonly constraint: boolean }[]> {
    return (await oddIndexes(client, name)).map((odd) => ({
        ...odd,
        constraint: indexes.some(
            (index) => index.name === odd.name && (index.constraint ?? null) !== null,
        ),
    }));
}

async function strangeDimensions(client: Queryable, id: number): Promise<string | undefined> {
    const { rows } = await client.query<{
        dimensions: number;
        integerTime: boolean;
        computedTime: boolean;
    }>(readSql("import/dimensions.sql"), [id]);
    const row = rows[0];
    if (row === undefined) return undefined;
    if (row.integerTime) return "its time column is an integer";
    if (row.computedTime) return "its chunks are cut by a function of its time column";
    return row.dimensions > 1 ? `it is partitioned in ${row.dimensions} dimensions` : undefined;
}

function columnRemarks(parts: readonly Part[]): string[] {
    return parts
        .filter(({ kind }) => kind === "generated" || kind === "identity")
        .map(({ what, why }) => `${what}: ${why}`);
}
