/** Refresh and import: the inputs as the live database has them. */
import { explain, TimescaleError } from "../../core/errors";
import { report } from "../engineLog";
import type { Properties, ResourceKind } from "../resourceKind";
import { documentOf, reportDocument } from "./documents";
import { anySession } from "./sessions";
import { kindOf, subjectOf, urnOf } from "./subject";

export async function read(
    id: string,
    props: Properties,
): Promise<{ id?: string; props?: Record<string, unknown>; inputs?: Record<string, unknown> }> {
    const kind = kindOf(props);
    const unchanged = { id, props: { ...props }, inputs: inputsOf(kind, props) };
    try {
        const planned = await anySession(props, {}, (open) =>
            kind.plan(open, inputsOf(kind, props), props),
        );
        const met = props["metDatabaseUuid"] as string | undefined;
        if (met !== undefined && met !== planned.databaseUuid) {
            report(urnOf(props), "warning", "another database answers: the state is left as it is");
            return unchanged;
        }
        // A refresh runs nothing.
        reportDocument(documentOf(subjectOf(kind, props), planned, inputsOf(kind, props), props), {
            plan: false,
        });
        // Gone means absent in the very database that it was made in; anything less is an outage.
        if (!planned.exists) return planned.plan.refusals.length > 0 ? unchanged : {};
        const inputs = JSON.parse(JSON.stringify(planned.actualInputs)) as Record<string, unknown>;
        return { id, props: { ...omit(props, kind.properties), ...inputs }, inputs };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        report(urnOf(props), "warning", `not read from the live database: ${explain(error)}`);
        return unchanged;
    }
}

function inputsOf(kind: ResourceKind, props: Properties): Record<string, unknown> {
    const names = ["connection", ...kind.properties, "__urn"];
    return Object.fromEntries(
        names.flatMap((name) => (props[name] === undefined ? [] : [[name, props[name]] as const])),
    );
}

function omit(properties: Properties, names: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}
