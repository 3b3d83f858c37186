/** What hangs on a hypertable, be it a table of raw rows or the materialization of an aggregate. */
import type { Queryable } from "../connection/session";
import type { ObjectMemory } from "../memory/memory";
import type { ActualPolicies, DeclaredPolicies } from "../policies/changes";
import { readSql } from "../sqlFile";
import type { ActualIndex } from "./indexes";

export interface HypertableParts extends ActualPolicies {
    readonly indexes: readonly ActualIndex[];
    readonly compressedChunks: number;
    /** Chunks that stand. */
    readonly chunks: number;
}

/** What the program declared of them at the last apply. */
export interface DeclaredParts extends DeclaredPolicies {
    /** Names of the indexes. */
    readonly indexes: readonly string[];
}

export interface PartsMemory extends ObjectMemory {
    readonly declared: DeclaredParts;
}

export async function inspectParts(
    client: Queryable,
    hypertableId: number,
): Promise<HypertableParts> {
    const { rows } = await client.query<HypertableParts & Record<string, unknown>>(
        readSql("catalog/hypertable_parts.sql"),
        [hypertableId],
    );
    const row = rows[0];
    if (row === undefined) {
        return {
            indexes: [],
            chunks: 0,
            jobs: [],
            compressed: false,
            compressedChunks: 0,
            compression: null,
        };
    }
    const { indexes, chunks, jobs, compressed, compressedChunks, compression } = row;
    return {
        indexes,
        chunks,
        jobs,
        compressed,
        compressedChunks,
        compression: compressed ? compression : null,
    };
}
