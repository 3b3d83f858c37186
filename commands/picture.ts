/**
 * The picture of what stands: read from the database itself, as the owner, after an `up`.
 */
import { inspectAggregate } from "../components/timescale/core/aggregate/inspect";
import type { Connection } from "../components/timescale/core/connection/connection";
import { inspectServer } from "../components/timescale/core/connection/server";
import { inTransaction, withSession } from "../components/timescale/core/connection/session";
import { TimescaleError } from "../components/timescale/core/errors";
import { inspectHypertable } from "../components/timescale/core/hypertable/inspect";
import { displayName, type QualifiedName } from "../components/timescale/core/identifier";
import {
    type ActualJob,
    type PolicyKind,
    policyProcedures,
} from "../components/timescale/core/policies/policy";

export interface Declared {
    readonly hypertables: readonly QualifiedName[];
    readonly aggregates: readonly QualifiedName[];
}

export interface Picture {
    readonly timescaleVersion: string;
    /** Such as `15.18`. */
    readonly postgresVersion: string;
    readonly hypertables: readonly HypertablePicture[];
    readonly aggregates: readonly AggregatePicture[];
}

/** Intervals are in the server's spelling; null stands for "none". */
export interface HypertablePicture {
    readonly name: string;
    readonly chunkTimeInterval: string;
    readonly compressAfter: string | null;
    readonly dropAfter: string | null;
}

export interface AggregatePicture {
    readonly name: string;
    readonly bucket: string | null;
    /** How often the refresh policy runs, and the window it refreshes, counted back from now. */
    readonly schedule: string | null;
    readonly startOffset: string | null;
    readonly endOffset: string | null;
    readonly compressAfter: string | null;
    readonly dropAfter: string | null;
}

/**
 * Reads what stands and checks that everything declared is among it.
 *
 * @throws TimescaleError that names every declared object that does not stand
 */
export async function describe(connection: Connection, declared: Declared): Promise<Picture> {
    return withSession(connection, async (session) => {
        const server = await inspectServer(session.client);
        const searchPath = ["public", server.extensionSchema];
        return inTransaction(session, { readOnly: true, searchPath }, async (client) => {
            const missing: string[] = [];
            const hypertables: HypertablePicture[] = [];
            for (const table of declared.hypertables) {
                const actual = await inspectHypertable(client, table);
                if (actual.kind === "hypertable") {
                    hypertables.push({
                        name: displayName(table),
                        chunkTimeInterval: actual.chunkTimeInterval,
                        compressAfter: offset(actual.jobs, "compression", "compress_after"),
                        dropAfter: offset(actual.jobs, "retention", "drop_after"),
                    });
                } else {
                    missing.push(`hypertable ${displayName(table)} is ${inWords(actual)}`);
                }
            }
            const aggregates: AggregatePicture[] = [];
            for (const aggregate of declared.aggregates) {
                const actual = await inspectAggregate(client, aggregate);
                if (actual.kind === "aggregate") {
                    aggregates.push({
                        name: displayName(aggregate),
                        bucket: actual.bucketWidth,
                        schedule: job(actual.jobs, "refresh")?.scheduleInterval ?? null,
                        startOffset: offset(actual.jobs, "refresh", "start_offset"),
                        endOffset: offset(actual.jobs, "refresh", "end_offset"),
                        compressAfter: offset(actual.jobs, "compression", "compress_after"),
                        dropAfter: offset(actual.jobs, "retention", "drop_after"),
                    });
                } else {
                    missing.push(`aggregate ${displayName(aggregate)} is ${inWords(actual)}`);
                }
            }
            if (missing.length > 0) {
                throw new TimescaleError("not everything that was declared stands", {
                    code: "not_standing",
                    detail: missing.join("; "),
                    hint: "run npm start again: it makes what is missing",
                });
            }
            const { rows } = await client.query<{ readonly version: string }>(
                "SELECT current_setting('server_version') AS version",
            );
            return {
                timescaleVersion: server.timescaleVersion,
                // Packagers add their own words: "15.18 (Debian 15.18-1)".
                postgresVersion: (rows[0]?.version ?? "unknown").split(" ")[0] ?? "unknown",
                hypertables,
                aggregates,
            };
        });
    });
}

function job(jobs: readonly ActualJob[], kind: PolicyKind): ActualJob | undefined {
    return jobs.find(({ procedure }) => procedure === policyProcedures[kind]);
}

function offset(jobs: readonly ActualJob[], kind: PolicyKind, name: string): string | null {
    const value = job(jobs, kind)?.config[name];
    return typeof value === "string" ? value : null;
}

function inWords(
    actual:
        | { readonly kind: "absent" }
        | { readonly kind: "orphan" }
        | { readonly kind: "other"; readonly relation: string },
): string {
    switch (actual.kind) {
        case "absent":
            return "absent";
        case "orphan":
            return "known to TimescaleDB without its view";
        case "other":
            return `a ${actual.relation}`;
    }
}
