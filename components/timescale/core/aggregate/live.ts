/** The plan for one aggregate against the live database: reads only, but for a view that is rolled back. */
import type { UsableServer } from "../connection/server";
import type { Queryable, Session } from "../connection/session";
import { TimescaleError } from "../errors";
import { indexesInServersWords } from "../hypertable/normalise";
import { displayName, type QualifiedName } from "../identifier";
import { keptMarker } from "../memory/marker";
import { isRemembered } from "../memory/memory";
import { inspecting, trying } from "../plan/converging";
import { newRetention } from "../plan/hazards";
import type { Plan } from "../plan/plan";
import { normalise, type NormalisedQuery, normaliseUnder } from "../query/normalise";
import type { PartsMemory } from "../relation/hypertableParts";
import { relationsIn } from "../relation/relations";
import { inspectExtent } from "../removal/inspectExtent";
import { dependantsOf } from "../removal/removal";
import { type ProgramJudgement, withRules } from "../rules/finding";
import { inspectAggregateForRules, judgeAggregate } from "../rules/judgeLive";
import { readSql } from "../sqlFile";
import type { AggregateChange, DesiredQuery, Rebuild } from "./changes";
import { type AggregateDiff, diffAggregate } from "./diff";
import { type AggregateFacts, needsSource } from "./hazards";
import { historyAtStake } from "./history";
import { type ActualAggregate, inspectAggregate, type InspectedAggregate } from "./inspect";
import { inspectReplacement, type Outcome } from "./keepHistory/inspect";
import type { Replacement } from "./keepHistory/replacement";
import { isReplaced, versionsBeside } from "./keepHistory/versions";
import { planAggregate } from "./plan";
import type { DesiredAggregate } from "./spec";

export interface AggregatePlan {
    readonly plan: Plan;
    /** Set where a new version takes the place of the one that stands. */
    readonly replacement?: Replacement;
    readonly actual: InspectedAggregate;
    readonly server: UsableServer;
    readonly searchPath: readonly string[];
    readonly databaseUuid: string;
    /** Versions that were replaced, and that the plan drops with what only they hold. */
    readonly droppedVersions: readonly ActualAggregate[];
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

/** By its name, else where the last apply, a former name or `onDelete: "keep"` says that it stands. */
async function find(
    client: Queryable,
    desired: DesiredAggregate,
    memory: PartsMemory,
): Promise<InspectedAggregate> {
    const actual = await inspectAggregate(client, desired, memory.known);
    if (actual.kind !== "absent") return actual;
    const elsewhere = memory.formerName ?? (await keptName(client, desired));
    if (elsewhere === undefined) return actual;
    const former = await inspectAggregate(client, elsewhere);
    return former.kind === "aggregate" ? former : actual;
}

/**
 * Compares the live database with the declaration. Takes no lock that anybody could notice.
 *
 * @param rules what the program found of the rules; without it none is looked at
 */
export async function planLive(
    session: Session,
    desired: DesiredAggregate,
    memory: PartsMemory,
    rules?: ProgramJudgement,
): Promise<AggregatePlan> {
    const login = session.connection.user;
    const {
        found: { actual, facts, versions },
        server,
        searchPath,
    } = await inspecting(session, desired, async (client, server) => {
        const actual = await find(client, desired, memory);
        const facts =
            rules && (await inspectAggregateForRules(client, desired, actual, rules, server));
        const versions = actual.kind === "aggregate" ? await versionsBeside(client, actual.name) : []; // prettier-ignore
        return { actual, facts, versions };
    });
    const query =
        actual.kind === "aggregate" && !isRemembered(memory, desired.query, actual.definition)
            ? await desiredQuery(session, desired, actual, searchPath)
            : null;
    const change =
        actual.kind === "aggregate" && isOther(query, actual)
            ? await whatChangeDoes(session, desired, actual, query, versions, searchPath)
            : undefined;
    const compare = (declared: DesiredAggregate): AggregateDiff =>
        diffAggregate({
            actual,
            rebuild: change?.rebuild,
            outcome: change?.outcome,
            versions,
            desired: declared,
            desiredQuery: query,
            owner: desired.owner ?? login,
            declared: memory.declared,
            managed: memory.managed,
        });
    let [declared, difference] = [desired, compare(desired)];
    if (actual.kind === "aggregate" && difference.changes.some(isReplacedIndex)) {
        const { indexes, columns } = actual;
        const object = displayName(desired);
        const words = await indexesInServersWords(session, desired.indexes, indexes, columns, searchPath, object); // prettier-ignore
        declared = { ...desired, indexes: words };
        difference = compare(declared);
    }
    let plan = planAggregate(difference, declared, {
        filling: actual.kind === "aggregate" && actual.marker.filling,
        login,
        extensionSchema: server.extensionSchema,
        // One session serves all clients of the embedded server, and cannot commit between chunks.
        perChunk: !server.embedded && actual.kind === "aggregate" && actual.chunks > 0,
        ...(actual.kind === "aggregate" && {
            internalSchema: actual.materialization.schema,
            standing: actual.view.state === "renamed" ? actual.view.to : actual.name,
        }),
        facts: await inspectFacts(session, desired, actual, difference),
    });
    if (rules !== undefined && facts !== undefined) {
        const stands = actual.kind === "aggregate" && (query?.definition ?? actual.definition) === actual.definition; // prettier-ignore
        const tree = stands
            ? null
            : { products: null, ...(query ?? (await declaredTree(session, desired, searchPath))) };
        plan = withRules(
            plan,
            judgeAggregate(desired, actual, rules, facts, {
                query: tree,
                embedded: server.embedded,
            }),
        );
    }
    const replacing = change?.outcome;
    const replaces = plan.refusals.length === 0 && replacing !== undefined && "replacement" in replacing; // prettier-ignore
    return {
        plan,
        actual,
        server,
        searchPath,
        databaseUuid: actual.databaseUuid,
        droppedVersions: difference.changes.flatMap((change) =>
            change.kind === "dropVersion" && isReplaced(change.version) ? [change.version] : [],
        ),
        ...(replaces && { replacement: replacing.replacement }),
    };
}

/** Of a query that stands nowhere yet. What the server has against it is told elsewhere. */
async function declaredTree(
    session: Session,
    desired: DesiredAggregate,
    searchPath: readonly string[],
): Promise<{ readonly products: string | null }> {
    try {
        return await normaliseDesired(session, desired, searchPath);
    } catch (error) {
        if (error instanceof TimescaleError) return { products: null };
        throw error;
    }
}

function isReplacedIndex(change: AggregateChange): boolean {
    return change.kind === "createIndex" && change.instead?.valid === true;
}

/** What preview says of locks and hazards, beyond what the comparison took. */
async function inspectFacts(
    session: Session,
    desired: DesiredAggregate,
    actual: InspectedAggregate,
    { changes }: AggregateDiff,
): Promise<AggregateFacts> {
    const standing = actual.kind === "aggregate" ? actual : undefined;
    const retention = standing === undefined ? undefined : newRetention(changes);
    if (retention === undefined && !needsSource(changes)) return {};
    const { found } = await inspecting(session, desired, async (client) => {
        const source = await inspectExtent(
            client,
            standing?.sourceId ?? relationsIn(desired.query),
        );
        const beyond =
            standing === undefined || retention === undefined
                ? undefined
                : await inspectExtent(client, standing.materializationId, {
                      measured: true,
                      olderThan: retention,
                  });
        return {
            ...(source !== undefined && { source }),
            ...(beyond !== undefined && { beyond }),
        };
    });
    return found;
}

/** Whether the query is really another: names of columns alone change in place. */
function isOther(query: DesiredQuery | null, actual: ActualAggregate): query is DesiredQuery {
    return (
        query !== null &&
        query.definition !== actual.definition &&
        query.underActualNames !== actual.definition
    );
}

/** What each way of changing the query would do; what reads it, and what only it still has. */
async function whatChangeDoes(
    session: Session,
    desired: DesiredAggregate,
    actual: ActualAggregate,
    query: DesiredQuery,
    versions: readonly ActualAggregate[],
    searchPath: readonly string[],
): Promise<{ readonly rebuild: Rebuild; readonly outcome: Outcome | undefined }> {
    const { found: rebuild } = await inspecting(session, desired, async (client) => ({
        dependants: await dependantsOf(client, actual.name),
        stake: await historyAtStake(client, actual),
    }));
    const of = displayName(actual.name);
    const former = versions
        .filter(({ marker }) => marker.replacedFrom === of)
        .find(({ definition }) => definition === query.definition);
    const wanted = former !== undefined || desired.onQueryChange === "keepHistory";
    const outcome = wanted
        ? await inspectReplacement(
              session,
              {
                  ...{ actual, desired, query, stake: rebuild.stake },
                  ...(former !== undefined && { former }),
              },
              searchPath,
          )
        : undefined;
    return { rebuild, outcome };
}

async function desiredQuery(
    session: Session,
    desired: DesiredAggregate,
    actual: ActualAggregate,
    searchPath: readonly string[],
): Promise<DesiredQuery> {
    return trying(session, desired, searchPath, "normalise_query", async (client) => {
        const { definition, columns, products } = await normalise(client, desired.query);
        const sameNumber = columns.length === actual.columns.length;
        const underActualNames =
            definition === actual.definition || !sameNumber
                ? null
                : await normaliseUnder(
                      client,
                      desired.query,
                      actual.columns.map(({ name }) => name),
                  );
        return { definition, columns, underActualNames, products };
    });
}

/** The desired query in the server's words. @throws TimescaleError when the server does not take it */
export function normaliseDesired(
    session: Session,
    desired: Pick<DesiredAggregate, "schema" | "name" | "query">,
    searchPath: readonly string[],
): Promise<NormalisedQuery> {
    return trying(session, desired, searchPath, "normalise_query", (client) =>
        normalise(client, desired.query),
    );
}

/**
 * What the server finds wrong with a query that 2.14 would refuse, or compute wrongly, whatever the
 * version that answers. Empty for one that can be materialized.
 */
export function queryRefusals(
    normalised: Pick<NormalisedQuery, "mutableFunctions" | "validation">,
    object: string,
): TimescaleError[] {
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
