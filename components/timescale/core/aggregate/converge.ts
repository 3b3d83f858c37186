/** Brings one aggregate to its declaration: inspect, plan, apply, fill, inspect again. */
import { applyStatements } from "../apply";
import { notConverged, refuse, searchPathOf, setSearchPath } from "../converging";
import { TimescaleError } from "../errors";
import { displayName, type QualifiedName } from "../identifier";
import { alterPolicy } from "../jobStatements";
import { keptMarker } from "../marker";
import { normalise, type NormalisedQuery } from "../normalise";
import { isEmpty, type Plan } from "../plan";
import { desiredRefreshJob, policyProcedures } from "../policy";
import type { DeclaredPolicies } from "../policyDiff";
import { inspectServer, type UsableServer } from "../server";
import { serverError } from "../serverErrors";
import { inTransaction, type Queryable, type Session, withObjectLock } from "../session";
import { readSql } from "../sqlFile";
import { diffAggregate } from "./diff";
import { fill } from "./fill";
import { inspectAggregate, type InspectedAggregate, textHash } from "./inspect";
import { markStatement, planAggregate } from "./plan";
import type { DesiredAggregate } from "./spec";

/** What the last apply saw, so that an unchanged query need not be normalised again. */
export interface Fingerprint {
    readonly query: string;
    readonly definition: string;
}

/** What is remembered of an earlier apply; nothing of it decides what the database should be. */
export interface Memory {
    readonly managed: boolean;
    readonly declared: DeclaredPolicies;
    readonly fingerprint?: Fingerprint;
    /** The database that the last apply worked on; null on the first. */
    readonly databaseUuid: string | null;
    /** Its name at the last apply, when the program has given it another one since. */
    readonly formerName?: QualifiedName | undefined;
}

export interface AggregatePlan {
    readonly plan: Plan;
    readonly actual: InspectedAggregate;
    readonly server: UsableServer;
    readonly searchPath: readonly string[];
    readonly databaseUuid: string;
}

/** Where `onDelete: "keep"` left the aggregate standing, if it did. */
async function keptName(
    client: Queryable,
    desired: QualifiedName,
): Promise<QualifiedName | undefined> {
    const { rows } = await client.query<QualifiedName & Record<string, unknown>>(
        readSql("catalog/kept_aggregate.sql"),
        [keptMarker(displayName(desired))],
    );
    return rows[0];
}

interface LiveAggregate {
    readonly server: UsableServer;
    readonly searchPath: string[];
    readonly actual: InspectedAggregate;
    readonly formerName?: QualifiedName;
}

/** Compares the live database with the declaration. Takes no lock that anybody could notice. */
export async function planLive(
    session: Session,
    desired: DesiredAggregate,
    memory: Memory,
): Promise<AggregatePlan> {
    const object = displayName(desired);
    const owner = session.connection.user;
    const read = await inTransaction(
        session,
        { readOnly: true, searchPath: ["pg_catalog"] },
        async (client): Promise<LiveAggregate> => {
            const server = await inspectServer(client);
            const searchPath = searchPathOf(desired, server);
            await setSearchPath(client, searchPath);
            const actual = await inspectAggregate(client, desired);
            if (actual.kind !== "absent") return { server, searchPath, actual };
            const formerName = memory.formerName ?? (await keptName(client, desired));
            if (formerName === undefined) return { server, searchPath, actual };
            const former = await inspectAggregate(client, formerName);
            return former.kind === "aggregate"
                ? { server, searchPath, actual: former, formerName }
                : { server, searchPath, actual };
        },
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "inspect", object });
    });
    const { actual, server, searchPath, formerName } = read;

    const unchanged =
        actual.kind === "aggregate" &&
        memory.fingerprint !== undefined &&
        memory.fingerprint.query === textHash(desired.query) &&
        memory.fingerprint.definition === textHash(actual.definition);
    let desiredDefinition: string | null = null;
    if (!unchanged && actual.kind === "aggregate") {
        const normalised = await normaliseDesired(session, desired, searchPath);
        desiredDefinition = normalised.definition;
    }
    const difference = diffAggregate({
        actual,
        desired,
        desiredDefinition,
        owner,
        declared: memory.declared,
        managed: memory.managed,
        formerName,
    });
    const filling = actual.kind === "aggregate" && actual.marker.filling;
    return {
        plan: planAggregate(difference, desired, filling),
        actual,
        server,
        searchPath,
        databaseUuid: actual.databaseUuid,
    };
}

/** The desired query in the server's words. @throws TimescaleError when the server does not take it */
export async function normaliseDesired(
    session: Session,
    desired: Pick<DesiredAggregate, "schema" | "name" | "query">,
    searchPath: readonly string[],
): Promise<NormalisedQuery> {
    return inTransaction(session, { searchPath, rollback: true }, (client) =>
        normalise(client, desired.query),
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "normalise_query", object: displayName(desired) });
    });
}

/**
 * What the server finds wrong with a query that 2.14 would refuse, or compute wrongly, whatever the
 * version that answers. Empty for one that can be materialized.
 */
export function queryRefusals(normalised: NormalisedQuery, object: string): TimescaleError[] {
    const refusals: TimescaleError[] = [];
    if (normalised.mutableFunctions.length > 0) {
        refusals.push(
            new TimescaleError(`the query of ${object} calls functions that are not immutable`, {
                code: "mutable_functions",
                detail: normalised.mutableFunctions.join(", "),
                hint: "buckets are computed at different times: leave these calls out of the aggregate, and filter when you query it",
                object,
            }),
        );
    }
    const validation = normalised.validation;
    if (validation !== null && !validation.isValid) {
        refusals.push(
            new TimescaleError(
                validation.message ?? `the server does not take the query of ${object}`,
                {
                    code: "invalid_query",
                    detail: validation.detail ?? undefined,
                    hint:
                        validation.hint ??
                        "write one SELECT over one hypertable, grouped by time_bucket",
                    object,
                },
            ),
        );
    }
    return refusals;
}

export interface ConvergeOptions {
    readonly onStatus: (text: string) => void;
    /** Told as soon as the object stands, before the fill: from here on a failure is partial. */
    readonly onApplied: (result: Converged) => void;
    /** @throws when another database answers than the one that is meant */
    readonly checkDatabase: (databaseUuid: string) => void;
}

export interface Converged {
    readonly databaseUuid: string;
    readonly fingerprint: Fingerprint;
}

/**
 * Inspects, applies what differs, fills what is missing and inspects again. Running it again after
 * any failure finishes the work.
 *
 * @throws TimescaleError; `onApplied` tells whether the object stood by then
 */
export async function converge(
    session: Session,
    desired: DesiredAggregate,
    memory: Memory,
    options: ConvergeOptions,
): Promise<Converged> {
    const object = displayName(desired);
    return withObjectLock(session, object, options.onStatus, async () => {
        const before = await planLive(session, desired, memory);
        options.checkDatabase(before.databaseUuid);
        refuse(before.plan.refusals);
        if (before.actual.kind === "absent") {
            const normalised = await normaliseDesired(session, desired, before.searchPath);
            refuse(queryRefusals(normalised, object));
        }
        const { searchPath } = before;
        options.onStatus(
            before.actual.kind === "absent" ? "creating the aggregate" : "applying the plan",
        );
        await applyStatements(session, before.plan.statements, {
            object,
            searchPath,
            onRetry: options.onStatus,
        });
        const standing = await planLive(session, desired, memory);
        if (standing.actual.kind === "aggregate") {
            options.onApplied(result(standing.actual, desired));
        }
        if (standing.plan.fill && standing.actual.kind === "aggregate") {
            await fill(session, {
                name: desired,
                aggregate: standing.actual,
                retention: desired.retentionPolicy?.dropAfter ?? null,
                searchPath,
                extensionSchema: before.server.extensionSchema,
                onProgress: (done, total) => options.onStatus(`backfill ${done}/${total} windows`),
            });
            await applyStatements(session, finishFill(standing.actual, desired), {
                object,
                searchPath,
                onRetry: options.onStatus,
            });
        }
        const after = standing.plan.fill ? await planLive(session, desired, memory) : standing;
        if (!isEmpty(after.plan) || after.actual.kind !== "aggregate")
            throw notConverged(object, after.plan);
        return result(after.actual, desired);
    });
}

function result(
    actual: InspectedAggregate & { kind: "aggregate" },
    desired: DesiredAggregate,
): Converged {
    return {
        databaseUuid: actual.databaseUuid,
        fingerprint: { query: textHash(desired.query), definition: textHash(actual.definition) },
    };
}

function finishFill(
    actual: InspectedAggregate & { kind: "aggregate" },
    desired: DesiredAggregate,
): Parameters<typeof applyStatements>[1] {
    const job = actual.jobs.find(({ procedure }) => procedure === policyProcedures.refresh);
    const policy = desired.refreshPolicy;
    const wanted = policy === undefined ? undefined : desiredRefreshJob(policy);
    return [
        markStatement(desired, null),
        ...(job === undefined || wanted === undefined
            ? []
            : [alterPolicy(job, wanted, { scheduled: wanted.scheduled })]),
    ];
}
