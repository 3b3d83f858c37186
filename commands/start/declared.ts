/**
 * What the state says was declared.
 */
import { displayName, type QualifiedName } from "../../components/timescale/core/identifier";
import type { Declared } from "../picture";
import type { ExportedState, StateResource } from "./pending";

/**
 * Hypertables by name, aggregates in the order of the program. The state has them in the order in which
 * they happened to be done.
 */
export function declaredIn(
    { deployment }: ExportedState,
    aggregatesInOrder: readonly string[],
): Declared {
    const resources = deployment.resources ?? [];
    const position = (name: QualifiedName): number => aggregatesInOrder.indexOf(displayName(name));
    return {
        hypertables: [...namesOf(resources, "pulumi-nodejs:dynamic/timescale:Hypertable")].sort(
            (one, other) => (displayName(one) < displayName(other) ? -1 : 1),
        ),
        aggregates: [
            ...namesOf(resources, "pulumi-nodejs:dynamic/timescale:ContinuousAggregate"),
        ].sort((one, other) => position(one) - position(other)),
    };
}

function namesOf(resources: readonly StateResource[], type: string): readonly QualifiedName[] {
    return resources
        .filter((resource) => resource.type === type)
        .flatMap(({ outputs }) => {
            const { schema = "public", name } = outputs ?? {};
            return typeof schema === "string" && typeof name === "string" ? [{ schema, name }] : [];
        });
}
