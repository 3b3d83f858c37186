/** Statements that make changes of policies, and the changes that `up` refuses. Pure. */
import { TimescaleError } from "../errors";
import { displayName, escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";
import type { Statement } from "../plan/plan";
import { compressionStatement } from "../relation/tableStatements";
import type { PolicyChange } from "./changes";
import { addPolicy, alterPolicy, deleteJob, removePolicy } from "./jobStatements";
import type { DesiredJob } from "./policy";

export function policyStatements(
    change: PolicyChange,
    relation: QualifiedName,
    table: "MATERIALIZED VIEW" | "TABLE",
    { pauseRefresh = false }: { readonly pauseRefresh?: boolean } = {},
): Statement[] {
    const scheduled = (job: DesiredJob): boolean =>
        job.scheduled && !(pauseRefresh && job.kind === "refresh");
    switch (change.kind) {
        case "compression":
            return [compressionStatement(table, relation, change.will)];
        case "addPolicy":
            return [addPolicy(relation, change.job, { scheduled: scheduled(change.job) })];
        case "alterPolicy":
            return [alterPolicy(change.actual, change.job, { scheduled: scheduled(change.job) })];
        case "removePolicy":
            return [removePolicy(relation, change.policy)];
        case "deleteJob":
            return [deleteJob(change.actual)];
        // The old job goes before the role is taken that the new one belongs to: see ownerStatements.
        case "replaceJob":
            return [addPolicy(relation, change.job, { scheduled: scheduled(change.job) })];
        // Refusals: they stop before the first statement.
        case "jobOwner":
        case "compressedChunks":
            return [];
    }
}

/** Statements that the login runs as itself, before it takes the owner's role. */
export function ownerStatements(changes: readonly { readonly kind: string }[]): Statement[] {
    return (changes as readonly PolicyChange[]).flatMap((change) =>
        change.kind === "replaceJob" ? [deleteJob(change.actual)] : [],
    );
}

export function policyRefusals(
    changes: readonly { readonly kind: string }[],
    relation: QualifiedName,
): TimescaleError[] {
    const object = displayName(relation);
    return (changes as readonly PolicyChange[]).flatMap((change) => {
        if (change.kind === "jobOwner") {
            const { actual } = change;
            return [
                new TimescaleError(
                    `job ${actual.id} of ${object} still belongs to ${actual.owner}`,
                    {
                        code: "another_job_owner",
                        detail: "a change of owner leaves the jobs behind; they then fail with: must be owner of view",
                        hint: `run SELECT delete_job(${actual.id}) as ${actual.owner} or a superuser; the next deployment adds the policy again`,
                        object,
                    },
                ),
            ];
        }
        if (change.kind === "compressedChunks") {
            return [
                new TimescaleError(
                    `compression of ${object} cannot be switched off while chunks are compressed`,
                    {
                        code: "compressed_chunks",
                        detail: `${change.chunks} chunks are compressed, and TimescaleDB does not decompress them by itself`,
                        hint: `run SELECT decompress_chunk(c, true) FROM show_chunks(${escapeLiteral(quoteQualified(relation))}) c first, which takes time and space; or keep compressionPolicy with paused: true`,
                        object,
                    },
                ),
            ];
        }
        return [];
    });
}
