/** Inputs as the engine passes them: the resource class adds the provider's line and its own URN. */
import { providerText } from "../../components/timescale/resource";
import type { Properties } from "./providerProcess";

export type Kind =
    | "ContinuousAggregate"
    | "ExtensionVersion"
    | "Hypertable"
    | "LoginPassword"
    | "SqlFunction"
    | "View";

export function urnOf(kind: Kind, name: string): string {
    return `urn:pulumi:test::llm-observatory::timescale:observatory:Observatory$pulumi-nodejs:dynamic/timescale:${kind}::${name}`;
}

export function resource(kind: Kind, name: string, inputs: Properties): Properties {
    return { ...inputs, __provider: providerText, __urn: urnOf(kind, name) };
}

export const rawTable: Properties = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "model", type: "text" },
        { name: "v", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};

export const hourly = {
    name: "requests_hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, sum(v) AS total FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
    retentionPolicy: { dropAfter: "210 days" },
    comment: "hourly",
    grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
};
