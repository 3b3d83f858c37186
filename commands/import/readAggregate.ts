/** One continuous aggregate, read for an import. */
import {
    type ActualAggregate,
    inspectAggregate,
    type ViewState,
} from "../../components/timescale/core/aggregate/inspect";
import { queryRefusals } from "../../components/timescale/core/aggregate/live";
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Queryable } from "../../components/timescale/core/connection/session";
import { displayName } from "../../components/timescale/core/identifier";
import type { NormalisedQuery } from "../../components/timescale/core/query/normalise";
import { validation } from "../../components/timescale/core/query/normalise";
import type { Waiver } from "../../components/timescale/core/rules/finding";
import { productsInTree } from "../../components/timescale/core/rules/products";
import { readSql } from "../../components/timescale/core/sqlFile";
import type { FoundRelation } from "./discover";
import { aggregateInputs } from "./inputs";
import { oddIndexes, undeclarable } from "./parts";
import { policyProblems, unknownSettings } from "./policies";
import { ownerRemarks } from "./remarks";
import { passedOver, type Reading, type Undeclared } from "./standing";
import { verifyAggregate } from "./verify";
import { waiversFor } from "./waivers";

const what = "continuous aggregate";

export async function readAggregate(
    client: Queryable,
    found: FoundRelation,
    connection: Connection,
): Promise<Reading> {
    const object = displayName(found);
    const kept = (why: string): Reading => passedOver(object, what, why);
    const actual = await inspectAggregate(client, found);
    if (actual.kind !== "aggregate") {
        return kept(
            actual.kind === "absent" ? "it is gone" : `a ${actual.relation} stands in its place`,
        );
    }
    const damage = damaged(actual);
    if (damage !== undefined) {
        const { view } = actual;
        return { ...kept(damage), parts: view.state === "renamed" ? [view.to] : [] };
    }
    const { refusals, waive } = await judgeQuery(client, actual, object);
    if (refusals.length > 0) return kept(refusals.join("; "));

    const policies = [...policyProblems(actual, actual.owner)];
    const indexes = (await oddIndexes(client, actual.materialization)).filter(({ name }) =>
        actual.indexes.some((index) => index.name === name),
    );
    const inputs = aggregateInputs(actual, connection.user, {
        columns: new Set(),
        indexes: new Set(indexes.map(({ name }) => name)),
        policies: new Set(policies.map(({ property }) => property)),
    });
    const sql = `${actual.definition.trim()}\n`;
    const verdict = verifyAggregate(
        actual,
        { ...inputs, ...(waive.length > 0 && { waive }), query: sql },
        connection,
    );
    if (!verdict.ok) return kept(verdict.why);
    const { query: _text, ...declared } = verdict.inputs;
    const undeclared: Undeclared[] = [
        ...[...policies, ...unknownSettings(actual)].map((it) => ({
            object,
            what: it.object,
            why: it.why,
        })),
        ...verdict.leftOut.map(({ property, why }) => ({ object, what: property, why })),
        ...indexes.map(({ name, why }) => ({ object, what: `index ${name}`, why })),
        ...(await undeclarable(client, actual.materialization)).map(({ what, why }) => ({
            object,
            what,
            why,
        })),
    ];
    return {
        declaration: {
            kind: "ContinuousAggregate",
            name: actual.name,
            object,
            oid: found.oid ?? "",
            inputs: declared,
            text: { property: "query", sql },
            remarks: ownerRemarks(found, connection.user),
        },
        undeclared,
    };
}

/** Why it cannot be declared as it stands, though the catalog knows it. */
function damaged({
    finalized,
    marker,
    view,
    materialization,
}: ActualAggregate): string | undefined {
    if (marker.keptFrom !== undefined) {
        return `it was kept when its resource was deleted; a ContinuousAggregate named ${marker.keptFrom} takes it back`;
    }
    if (marker.filling)
        return "its first fill has not ended: finish it with the program that made it";
    if (!finalized) {
        return "it has the form from before TimescaleDB 2.7: convert it with cagg_migrate, then import again";
    }
    const lost = lostView(view);
    return lost === undefined
        ? undefined
        : `${lost}; its buckets are in ${displayName(materialization)}`;
}

function lostView(view: ViewState): string | undefined {
    switch (view.state) {
        case "intact":
            return undefined;
        case "replaced":
            return "CREATE OR REPLACE VIEW has put another query in its place";
        case "renamed":
            return `its view was renamed to ${displayName(view.to)}, and TimescaleDB lost it: rename it back with ALTER TABLE`;
        case "missing":
            return "its view was dropped";
    }
}

/** What `pulumi preview` would refuse its query for, and what it has to waive for `up` not to. */
async function judgeQuery(
    client: Queryable,
    { materializationId, definition }: ActualAggregate,
    object: string,
): Promise<{ refusals: string[]; waive: Waiver[] }> {
    const { rows: views } = await client.query<{ name: string }>(
        readSql("import/direct_view.sql"),
        [materializationId],
    );
    const { rows } = await client.query<
        Pick<NormalisedQuery, "mutableFunctions" | "products"> & Record<string, unknown>
    >(readSql("catalog/normalised_query.sql"), [views[0]?.name]);
    const refusals = queryRefusals(
        {
            mutableFunctions: rows[0]?.mutableFunctions ?? [],
            validation: await validation(client, definition.trim().replace(/;$/, "")),
        },
        object,
    );
    const tree = rows[0]?.products ?? null;
    return {
        refusals: refusals.map(({ message, detail }) =>
            [message, detail].filter(Boolean).join(": "),
        ),
        waive: tree === null ? [] : waiversFor(productsInTree(tree)),
    };
}
