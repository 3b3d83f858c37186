/** The LLM Observatory's TimescaleDB: config in, components composed, outputs out. */
import type * as pulumi from "@pulumi/pulumi";

import { access } from "./components/access";
import { loadConfig } from "./components/config";
import { declaredJobsOf, Observatory } from "./components/observatory";
import { server } from "./components/server";
import type { Connection } from "./components/timescale/core/connection/connection";

interface Outputs {
    /** Login as observatory_owner. Secret, like the other two. */
    readonly connection: pulumi.Output<Connection>;
    readonly writer: pulumi.Output<Connection>;
    readonly reader: pulumi.Output<Connection>;
    /** Qualified names of the continuous aggregates. */
    readonly aggregates: pulumi.Output<string[]>;
}

/**
 * Declares the whole stack. Every call declares it anew, so that it can be an inline program of the
 * Automation API as well as what `pulumi up` runs.
 */
async function program(): Promise<Outputs> {
    const config = await loadConfig();
    const target = await server(config, declaredJobsOf(config.policies));
    const { owner, writer, reader, database } = access(config, target);
    const observatory = new Observatory("observatory", {
        connection: owner,
        schema: config.schema,
        protectData: config.protectData,
        adopt: config.adopt,
        backup: config.backup,
        helpers: config.helpers,
        policies: config.policies,
        slaTargets: config.slaTargets,
        standing: target.standing,
        database,
        ...(config.databaseUuid !== undefined && { databaseUuid: config.databaseUuid }),
    });
    return { connection: owner, writer, reader, aggregates: observatory.aggregates };
}

export = program;
