/** What the rules say of one object against the live database: facts are read first, then judged. */
import type { InspectedAggregate } from "../aggregate/inspect";
import type { DesiredAggregate } from "../aggregate/spec";
import type { UsableServer } from "../connection/server";
import type { Queryable } from "../connection/session";
import type { DesiredHypertable } from "../hypertable/spec";
import { displayName } from "../identifier";
import { judge, type Judged, type ProgramJudgement } from "./finding";
import { inspectForRules, inspectReaders, type Reader, type RuleFacts } from "./inspect";
import { liveFindings, readerFindings } from "./live";
import { aggregateFindings, hypertableFindings } from "./own";
import { productsInTree } from "./products";

export interface AggregateFacts {
    readonly facts: RuleFacts | undefined;
    /** Aggregates over this one that the program does not declare. */
    readonly readers: readonly Reader[];
}

/** @param client in a transaction whose search path is the query's */
export async function inspectAggregateForRules(
    client: Queryable,
    desired: DesiredAggregate,
    actual: InspectedAggregate,
    { sourceDeclared, declaredReaders }: ProgramJudgement,
    { decompressesToDelete }: Pick<UsableServer, "decompressesToDelete">,
): Promise<AggregateFacts> {
    const materializationId = actual.kind === "aggregate" ? actual.materializationId : null;
    const facts = await inspectForRules(client, {
        query: desired.query,
        materializationId,
        source: !sourceDeclared,
        decompresses: decompressesToDelete,
        refresh: desired.refreshPolicy ?? null,
    });
    const readers =
        desired.retentionPolicy === undefined || materializationId === null
            ? []
            : await undeclaredReaders(client, materializationId, declaredReaders);
    return { facts, readers };
}

/** Aggregates over a hypertable that the program does not declare. */
export async function undeclaredReaders(
    client: Queryable,
    hypertableId: number,
    declared: readonly string[],
): Promise<Reader[]> {
    const readers = await inspectReaders(client, hypertableId);
    return readers.filter((reader) => !declared.includes(displayName(reader)));
}

/** @param query the declared one's tree where it is another than the one that stands, null: not known */
export function judgeAggregate(
    desired: DesiredAggregate,
    actual: InspectedAggregate,
    rules: ProgramJudgement,
    { facts, readers }: AggregateFacts,
    { query, embedded }: { query: { products: string | null } | null; embedded: boolean },
): Judged {
    const live =
        facts === undefined
            ? []
            : liveFindings(desired, {
                  facts,
                  backgroundWorkers: !embedded,
                  chunkTimeInterval:
                      actual.kind === "aggregate" ? actual.chunkTimeInterval : undefined,
                  sameQuery: query === null,
              });
    const findings = [
        ...aggregateFindings(desired),
        ...rules.findings,
        ...live,
        ...(query?.products == null ? [] : productsInTree(query.products)),
        ...readerFindings(desired, desired.retentionPolicy, readers),
    ];
    return judge(findings, desired.waive, displayName(desired), true);
}

export function judgeHypertable(
    desired: DesiredHypertable,
    rules: ProgramJudgement,
    readers: readonly Reader[],
): Judged {
    const findings = [
        ...hypertableFindings(desired),
        ...rules.findings,
        ...readerFindings(desired, desired.retentionPolicy, readers),
    ];
    return judge(findings, desired.waive, displayName(desired), true);
}
