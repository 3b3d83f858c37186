/**
 * What the state says was declared.
 */
import type { QualifiedName } from "../../components/timescale/core/identifier";
import type { Declared } from "../picture";
import type { ExportedState, StateResource } from "./pending";

export function declaredIn({ deployment }: ExportedState): Declared {
    const resources = deployment.resources ?? [];
    return {
        hypertables: namesOf(resources, "pulumi-nodejs:dynamic/timescale:Hypertable"),
        aggregates: namesOf(resources, "pulumi-nodejs:dynamic/timescale:ContinuousAggregate"),
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
