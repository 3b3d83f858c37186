/** What is verified: the objects that the Observatory declares, as inputs of their resources. */
import { inEnvironment } from "../../components/observatory";
import { commentOf, onQueryChange, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { tableComment } from "../../components/observatory/hypertables";
import { keptOf } from "../../components/observatory/kept";
import { measures } from "../../components/observatory/measures";
import type { PolicyChanges } from "../../components/observatory/policies";
import { defaultTarget, type SlaTarget } from "../../components/observatory/slaTargets";
import { continuousAggregateKind } from "../../components/timescale/provider/continuousAggregateKind";
import { hypertableKind } from "../../components/timescale/provider/hypertableKind";
import type { Properties, ResourceKind } from "../../components/timescale/provider/resourceKind";
import { sqlFunctionKind } from "../../components/timescale/provider/sqlFunctionKind";
import { viewKind } from "../../components/timescale/provider/viewKind";

export interface VerifiedObject {
    readonly kind: ResourceKind;
    readonly name: string;
    /** Without the connection. */
    readonly inputs: Properties;
    /** A view or function for dashboards, of which it is not known whether the stack does without. */
    readonly helper: boolean;
}

export interface ObjectOptions {
    /** @default "public" */
    readonly schema?: string | undefined;
    /** @default one target for every model */
    readonly slaTargets?: readonly SlaTarget[] | undefined;
    /** Whether the views and functions for dashboards are declared. @default not known */
    readonly helpers?: boolean | undefined;
    /** What policies of the environment have otherwise than they are declared. @default nothing */
    readonly policies?: PolicyChanges | undefined;
}

/** In an order in which they can be made: what is read comes before what reads it. */
export function observatoryObjects({
    schema = "public",
    slaTargets = [defaultTarget],
    policies,
    helpers,
}: ObjectOptions = {}): readonly VerifiedObject[] {
    const object = (kind: ResourceKind, name: string, inputs: Properties, helper = false) => ({
        kind,
        name,
        inputs: { ...inputs, schema },
        helper,
    });
    const { tables, aggregates } = inEnvironment(policies);
    const forDashboards = helpers === undefined;
    const kept = keptOf([...tables, ...aggregates]);
    return [
        ...tables.map((table) =>
            object(hypertableKind, table.name, { ...table, comment: tableComment(table) }),
        ),
        ...aggregates.map((declaration) => {
            const { file: _file, ...inputs } = declaration;
            const query = queryOf(declaration);
            const comment = commentOf(declaration);
            return object(continuousAggregateKind, inputs.name, { ...inputs, query, comment, onQueryChange }); // prettier-ignore
        }),
        ...(helpers === false ? [] : helperViews(slaTargets, aggregates)).map((view) =>
            object(viewKind, view.name, { ...view }, forDashboards),
        ),
        ...functions(schema, kept).map(({ name, ...rest }) => object(sqlFunctionKind, name, rest)),
        ...(helpers === false ? [] : helperFunctions(schema)).map(({ name, ...rest }) =>
            object(sqlFunctionKind, name, rest, forDashboards),
        ),
    ];
}

export function isAggregate({ kind }: VerifiedObject): boolean {
    return kind === continuousAggregateKind;
}

export function isHypertable({ kind }: VerifiedObject): boolean {
    return kind === hypertableKind;
}

export function isFunction({ kind }: VerifiedObject): boolean {
    return kind === sqlFunctionKind;
}

/** Of aggregates that are declared alike for several measures, those of the first; for a check that is quick. */
export function withoutRepetition(objects: readonly VerifiedObject[]): readonly VerifiedObject[] {
    const [first, ...others] = measures.map(({ bins }) => `${bins}_`);
    return objects.filter(
        ({ name }) => name.startsWith(first ?? "") || !others.some((bins) => name.startsWith(bins)),
    );
}
