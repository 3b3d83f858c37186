import * as pulumi from "@pulumi/pulumi";

import {
    aggregates as declarations,
    commentOf,
    onQueryChange,
    queryOf,
} from "./observatory/aggregates";
import { functions } from "./observatory/functions";
import { helperFunctions, helperViews } from "./observatory/helpers";
import { hypertables, tableComment } from "./observatory/hypertables";
import { keptOf } from "./observatory/kept";
import { type PolicyChanges, withPolicies } from "./observatory/policies";
import { defaultTarget, type SlaTarget } from "./observatory/slaTargets";
import type { StandingAccess } from "./server/server";
import { grantsOf } from "./server/standingAccess";
import { type Connection, ContinuousAggregate, Hypertable, SqlFunction, View } from "./timescale";

export interface ObservatoryArgs {
    /** As observatory_owner. */
    readonly connection: pulumi.Input<Connection>;
    readonly schema: string;
    /** Whether raw data is protected, and history that raw data lost is kept from deletion. */
    readonly protectData: boolean;
    /** Whether what stands already and differs is taken over. @default false */
    readonly adopt?: boolean;
    /** Folder that rows are written to before a table or an aggregate is removed. @default none */
    readonly backup?: string | undefined;
    /** Whether the views and functions for dashboards are made. @default true */
    readonly helpers?: boolean;
    /** What policies have otherwise than they are declared, by table or aggregate. @default - nothing */
    readonly policies?: PolicyChanges;
    /** Of llm_sla_monitoring. @default - 2000 ms, 5000 ms and 1 %, for every model */
    readonly slaTargets?: readonly SlaTarget[];
    /** What others may do in the database, which is kept. @default - grants are those declared here */
    readonly standing?: StandingAccess | undefined;
    /** The database, if the program makes it: tables go with it and need no statement of their own. */
    readonly database?: pulumi.Resource | undefined;
    /**
     * Which database may answer: its identity, or `"any"` where the server is made with the stack.
     *
     * @default - the one that the first `up` met
     */
    readonly databaseUuid?: string;
}

/** Everything the Observatory declares inside its database: three hypertables, aggregates, views and functions. */
export class Observatory extends pulumi.ComponentResource {
    /** Qualified names of the aggregates. */
    readonly aggregates: pulumi.Output<string[]>;

    constructor(name: string, args: ObservatoryArgs, opts?: pulumi.ComponentResourceOptions) {
        super("timescale:observatory:Observatory", name, {}, opts);
        const { connection, schema, protectData, standing } = args;
        const { tables, aggregates } = inEnvironment(args.policies);
        const place = {
            connection,
            schema,
            ...(args.databaseUuid !== undefined && { databaseUuid: args.databaseUuid }),
            ...(args.adopt === true && { adopt: true }),
        };
        const rows = { ...place, ...(args.backup !== undefined && { backup: args.backup }) };
        for (const table of tables) {
            new Hypertable(
                resourceName(table.name),
                {
                    ...rows,
                    ...table,
                    ...grantsOf(standing, table.name, table.grants),
                    comment: tableComment(table),
                },
                {
                    parent: this,
                    protect: protectData,
                    // With the database nothing would be asked to write its backup.
                    ...(args.database !== undefined &&
                        args.backup === undefined && { deletedWith: args.database }),
                },
            );
        }
        const declared = aggregates.map((declaration) => {
            const { file: _file, ...aggregate } = declaration;
            return new ContinuousAggregate(
                resourceName(aggregate.name),
                {
                    ...rows,
                    ...aggregate,
                    ...grantsOf(standing, aggregate.name, aggregate.grants),
                    query: queryOf(declaration),
                    comment: commentOf(declaration),
                    onQueryChange,
                    // Where the data goes with the stack, so does its history.
                    ...(!protectData && { acceptLoss: { upToRows: Number.MAX_SAFE_INTEGER } }),
                },
                { parent: this },
            );
        });
        const helpers = args.helpers ?? true;
        for (const view of helpers
            ? helperViews(args.slaTargets ?? [defaultTarget], aggregates)
            : []) {
            const grants = grantsOf(standing, view.name, view.grants);
            new View(resourceName(view.name), { ...place, ...view, ...grants }, { parent: this });
        }
        const kept = keptOf([...tables, ...aggregates]);
        const called = [...functions(schema, kept), ...(helpers ? helperFunctions(schema) : [])];
        for (const { name: functionName, ...declaration } of called) {
            // What it reads is in texts that it builds, and in those of the functions that it calls.
            new SqlFunction(
                resourceName(functionName),
                {
                    ...place,
                    ...declaration,
                    ...grantsOf(standing, functionName, declaration.grants),
                },
                { parent: this, dependsOn: declared },
            );
        }
        this.aggregates = pulumi.all(
            declared.map((aggregate) => pulumi.interpolate`${schema}.${aggregate.name}`),
        );
        this.registerOutputs({ aggregates: this.aggregates });
    }
}

/** llm_metrics_1min in the database is llm-metrics-1min in the stack. */
function resourceName(name: string): string {
    return name.replaceAll("_", "-");
}

/** Tables and aggregates with the policies that they have in one environment. */
export function inEnvironment(changes: PolicyChanges = {}) {
    return {
        tables: hypertables.map((table) => withPolicies(table, changes)),
        aggregates: declarations.map((aggregate) => withPolicies(aggregate, changes)),
    };
}

export interface DeclaredJob {
    readonly name: string;
    readonly scheduleInterval: string;
}

/** What background workers will have to do, for the check that there are enough of them. */
export function declaredJobsOf(changes: PolicyChanges = {}): readonly DeclaredJob[] {
    const { tables, aggregates } = inEnvironment(changes);
    return [
        ...aggregates.flatMap(({ name, refreshPolicy, retentionPolicy, compressionPolicy }) => [
            { name: `refresh ${name}`, scheduleInterval: refreshPolicy.scheduleInterval },
            ...(compressionPolicy === undefined
                ? []
                : [{ name: `compression ${name}`, scheduleInterval: "12 hours" }]),
            ...(retentionPolicy === undefined
                ? []
                : [
                      {
                          name: `retention ${name}`,
                          scheduleInterval: retentionPolicy.scheduleInterval ?? "1 day",
                      },
                  ]),
        ]),
        ...tables.flatMap(({ name, retentionPolicy, compressionPolicy }) => [
            ...(retentionPolicy === undefined
                ? []
                : [{ name: `retention ${name}`, scheduleInterval: "1 day" }]),
            ...(compressionPolicy === undefined
                ? []
                : [{ name: `compression ${name}`, scheduleInterval: "12 hours" }]),
        ]),
    ];
}

export const declaredJobs = declaredJobsOf();
