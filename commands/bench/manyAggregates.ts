/** Many small aggregates: declared, made without the engine, and as a program and a state have them. */
import type { automation } from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    type ContinuousAggregateProperties,
} from "../../components/timescale";
import { converge } from "../../components/timescale/core/aggregate/converge";
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import type { Session } from "../../components/timescale/core/connection/session";
import type { ConvergedObject } from "../../components/timescale/core/plan/convergeObject";
import type { PartsMemory } from "../../components/timescale/core/relation/hypertableParts";

const tables = 10;

const policies = {
    refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
    retentionPolicy: { dropAfter: "210 days" },
};

/** The properties of the aggregate of this number, without its connection. */
export function inputsOf(number: number): Omit<ContinuousAggregateProperties, "connection"> {
    return {
        name: `many_${String(number).padStart(4, "0")}`,
        query: `SELECT time_bucket('1 hour', ts) AS bucket, sensor, count(*) AS n, sum(value) AS total
            FROM raw_${number % tables} GROUP BY bucket, sensor`,
        ...policies,
        comment: `aggregate ${number} of many`,
        grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
    };
}

/** A program that declares the aggregates from 0 up to this number. */
export function program(connection: Connection, count: number): automation.PulumiFn {
    return () => {
        for (let number = 0; number < count; number += 1) {
            const inputs = inputsOf(number);
            new ContinuousAggregate(inputs.name, { connection, ...inputs });
        }
        return Promise.resolve({});
    };
}

export async function createTables({ client }: Session): Promise<void> {
    for (let number = 0; number < tables; number += 1) {
        await client.query(
            `CREATE TABLE raw_${number} (ts timestamptz NOT NULL, sensor text, value int)`,
        );
        await client.query(`SELECT create_hypertable('raw_${number}', 'ts')`);
    }
}

/** Makes one aggregate; there is nothing to fill it with. */
export function createAggregate(session: Session, number: number): Promise<ConvergedObject> {
    return converge(session, desiredAggregate(inputsOf(number)), memoryOf(undefined), {
        onStatus: () => undefined,
        onApplied: () => undefined,
        checkDatabase: () => undefined,
    });
}

/** What the provider remembers after it has made an aggregate; before, given nothing. */
export function memoryOf(made: ConvergedObject | undefined): PartsMemory {
    const managed = made !== undefined;
    return {
        managed,
        declared: {
            refreshPolicy: managed,
            retentionPolicy: managed,
            compressionPolicy: false,
            indexes: [],
        },
        ...(made !== undefined && {
            fingerprint: made.fingerprint,
            known: { databaseUuid: made.databaseUuid, objectId: made.objectId },
        }),
    };
}

interface StateResource {
    readonly urn: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly outputs: Readonly<Record<string, unknown>>;
}

export interface ExportedState {
    readonly deployment: { readonly resources: readonly StateResource[] };
}

/**
 * The state that an `up` of all of them leaves, from the state with the first alone: an engine takes
 * minutes to make it.
 */
export function stateOfMany(first: ExportedState, made: readonly ConvergedObject[]): ExportedState {
    const { name } = inputsOf(0);
    const isFirst = ({ urn }: StateResource): boolean => urn.endsWith(`::${name}`);
    const template = first.deployment.resources.find(isFirst);
    if (template === undefined) throw new Error(`there is no ${name} in the state`);
    const copies = made.map(({ fingerprint, objectId }, number) => {
        const inputs = inputsOf(number);
        const urn = template.urn.replace(name, inputs.name);
        return {
            ...template,
            urn,
            id: `public.${inputs.name}`,
            inputs: { ...template.inputs, ...inputs, __urn: urn },
            outputs: { ...template.outputs, ...inputs, __urn: urn, fingerprint, objectId },
        };
    });
    const others = first.deployment.resources.filter((resource) => !isFirst(resource));
    return { ...first, deployment: { ...first.deployment, resources: [...others, ...copies] } };
}
