/**
 * The difference between an aggregate in the database and its declaration, as typed changes.
 * Pure: both sides are values, and the queries on them are in the server's own words already.
 */
import { escapeIdentifier } from "../identifier";
import { lengthOf, parseInterval, sameLength } from "../interval";
import { commentChanges, grantChanges } from "../plan/objectChanges";
import type { Note } from "../plan/plan";
import type { CompressionDefaults } from "../policies/compressionDiff";
import { newPolicies, policyDiff } from "../policies/diff";
import { desiredRefreshJob } from "../policies/policy";
import { columnDifferences, columnRenames, underNames } from "../relation/columns";
import type { DeclaredParts } from "../relation/hypertableParts";
import { type IndexChange, indexDiff } from "../relation/indexes";
import type {
    AggregateChange,
    AggregateRefusal,
    DesiredQuery,
    QueryDifference,
    Rebuild,
} from "./changes";
import type { ActualAggregate, InspectedAggregate } from "./inspect";
import type { Outcome } from "./keepHistory/inspect";
import { builtIndexName } from "./keepHistory/names";
import { renamedVersions, versionChanges, versionNotes } from "./keepHistory/versionDiff";
import { type DesiredAggregate, windowProblem } from "./spec";

export interface AggregateDiffInput {
    readonly actual: InspectedAggregate;
    readonly desired: DesiredAggregate;
    /** Null when it is known to be the query of the last apply. */
    readonly desiredQuery: DesiredQuery | null;
    /** Where the query differs. */
    readonly rebuild?: Rebuild | undefined;
    /** Where the query differs and history is to be kept, or a version with that query comes back. */
    readonly outcome?: Outcome | undefined;
    /** Versions that stand beside it, those that read others first. */
    readonly versions?: readonly ActualAggregate[];
    /** Whose the aggregate and its jobs are to be. */
    readonly owner: string;
    readonly declared: DeclaredParts;
    /** True when the resource is in state already; otherwise an existing object has to be the same, or adopted. */
    readonly managed: boolean;
}

export interface AggregateDiff {
    readonly changes: readonly AggregateChange[];
    /** Objects that stand on the aggregate and were never declared: reported and kept. */
    readonly notes: readonly Note[];
}

export function diffAggregate(input: AggregateDiffInput): AggregateDiff {
    const { actual, desired } = input;
    switch (actual.kind) {
        case "absent":
            return { changes: creation(desired), notes: input.managed ? [goneNote] : [] };
        case "other": {
            const { relation, owner, movedTo } = actual;
            return refused({
                what: "other",
                relation,
                owner,
                ...(movedTo !== undefined && { movedTo }),
            });
        }
        case "aggregate":
            return actual.finalized ? existing(actual, input) : refused({ what: "notFinalized" });
    }
}

const goneNote: Note = {
    code: "gone",
    message:
        "it stood at the last deployment and is gone: up makes it again and fills it with what raw data still has; older buckets are lost",
};

function refused(reason: AggregateRefusal): AggregateDiff {
    return { changes: [{ kind: "refuse", reason }], notes: [] };
}

export function creation(desired: DesiredAggregate): AggregateChange[] {
    return [
        { kind: "create" },
        ...(desired.chunkTimeInterval === undefined
            ? []
            : [
                  {
                      kind: "chunkTimeInterval",
                      was: "the server's default",
                      will: desired.chunkTimeInterval,
                  } as const,
              ]),
        ...newPolicies(desired),
        ...desired.indexes.map((index) => ({ kind: "createIndex", index }) as const),
        ...commentChanges(null, desired.comment),
        ...grantChanges([], desired.grants),
        { kind: "fill" },
    ];
}

function existing(
    standing: ActualAggregate & { readonly kind: "aggregate" },
    input: AggregateDiffInput,
): AggregateDiff {
    const { desired, owner } = input;
    const query = queryChanges(standing, input);
    if (query.some(({ kind }) => kind === "replace")) {
        // The new version is made as declared, and nothing of the old one is touched.
        return { changes: query, notes: [] };
    }
    if (query.some(({ kind }) => kind === "rebuild")) {
        // Everything else comes with the new one.
        return {
            changes: [
                ...viewChanges(standing),
                ...ownerChanges(standing, owner),
                ...query,
                ...creation(desired),
            ],
            notes: [],
        };
    }
    // Everything else is compared under the names that columns have after they were renamed.
    const renames = query.flatMap((change) =>
        change.kind === "renameColumns" ? change.columns : [],
    );
    const named = new Map(renames.map(({ was, will }) => [was, will]));
    const actual = {
        ...underNames(standing, renames),
        groupColumns: standing.groupColumns.map((column) => named.get(column) ?? column),
    };
    const policies = policyDiff(actual, desired, input.declared, owner, {
        filling: actual.marker.filling,
        defaults: compressionDefaults(actual),
    });
    const indexes = aggregateIndexDiff(actual, desired, input.declared.indexes);
    const chunkTimeInterval = desired.chunkTimeInterval ?? actual.defaultChunkTimeInterval;
    const versions = input.versions ?? [];
    const dropped = versionChanges(versions, desired, query.length > 0);
    const staying = versions.filter((version) => !dropped.some((it) => it.version === version));
    const moved =
        actual.name.schema !== desired.schema || actual.name.name !== desired.name
            ? [
                  {
                      kind: "rename",
                      was: actual.name,
                      versions: renamedVersions(staying, actual.name, desired),
                  } as const,
              ]
            : [];
    const changes: AggregateChange[] = [
        ...viewChanges(standing),
        // Everything behind it calls the aggregate by its new name.
        ...moved,
        ...query,
        ...ownerChanges(actual, owner),
        ...windowChanges(actual, desired),
        ...(actual.materializedOnly === desired.materializedOnly
            ? []
            : [
                  {
                      kind: "materializedOnly",
                      was: actual.materializedOnly,
                      will: desired.materializedOnly,
                  } as const,
              ]),
        ...(sameLength(actual.chunkTimeInterval, chunkTimeInterval)
            ? []
            : [
                  {
                      kind: "chunkTimeInterval",
                      was: actual.chunkTimeInterval,
                      will: chunkTimeInterval,
                  } as const,
              ]),
        ...policies.changes,
        ...indexes.changes,
        ...commentChanges(actual.comment, desired.comment),
        ...grantChanges(actual.grants, desired.grants),
        ...(actual.marker.keptFrom === undefined ? [] : [{ kind: "takeBack" } as const]),
        ...(actual.marker.filling || actual.marker.keptFrom !== undefined
            ? [{ kind: "fill" } as const]
            : []),
        ...dropped,
    ];
    return {
        changes,
        notes: [...policies.notes, ...indexes.notes, ...versionNotes(versions, desired)],
    };
}

/**
 * Indexes of aggregates lie in TimescaleDB's schema, where only a superuser may rename: anybody else
 * builds another one. Those that an exchange of versions left under a name of its own are known.
 */
function aggregateIndexDiff(
    actual: ActualAggregate,
    desired: DesiredAggregate,
    declared: readonly string[],
): ReturnType<typeof indexDiff> {
    const built = desired.indexes.map(({ name }) => builtIndexName(name));
    const { changes, notes } = indexDiff(actual.indexes, desired.indexes, [...declared, ...built]);
    if (actual.superuser) return { changes, notes };
    return {
        changes: changes.flatMap((change): IndexChange[] => {
            const index = desired.indexes.find(({ name }) => change.kind === "renameIndex" && name === change.will); // prettier-ignore
            return change.kind !== "renameIndex" || index === undefined
                ? [change]
                : [
                      { kind: "createIndex", index },
                      { kind: "dropIndex", index: change.was },
                  ];
        }),
        notes,
    };
}

/** What the server takes when compression is switched on without settings. */
export function compressionDefaults(actual: ActualAggregate): CompressionDefaults {
    const { timeColumn, groupColumns } = actual;
    return { timeColumn, segmentBy: groupColumns, orderBy: [escapeIdentifier(timeColumn)] };
}

function viewChanges(actual: ActualAggregate): AggregateChange[] {
    const { view, materialization } = actual;
    switch (view.state) {
        case "intact":
            return [];
        case "replaced":
            return view.fits
                ? [{ kind: "restoreView", actual }]
                : [{ kind: "refuse", reason: { what: "hijacked", materialization } }];
        case "renamed":
            return [{ kind: "restoreView", actual }];
        case "missing":
            return view.candidates.length === 0
                ? [{ kind: "restoreView", actual }]
                : [
                      {
                          kind: "refuse",
                          reason: { what: "ambiguous", candidates: view.candidates },
                      },
                  ];
    }
}

function queryChanges(
    actual: ActualAggregate,
    { desired, desiredQuery, managed, rebuild, outcome }: AggregateDiffInput,
): AggregateChange[] {
    if (desiredQuery === null || desiredQuery.definition === actual.definition) return [];
    if (desiredQuery.underActualNames === actual.definition) {
        const columns = columnRenames(actual.columns, desiredQuery.columns);
        // Without adopt, other names may mean another aggregate.
        if (managed || desired.adopt) return [{ kind: "renameColumns", columns }];
    }
    const query: QueryDifference = {
        was: actual.definition,
        will: desiredQuery.definition,
        columns: columnDifferences(actual.columns, desiredQuery.columns),
    };
    const meant = managed || desired.adopt;
    if (meant && outcome !== undefined && "replacement" in outcome) {
        return [{ kind: "replace", query, replacement: outcome.replacement }];
    }
    if (meant && rebuild !== undefined && isAllowed(rebuild, desired)) {
        return [{ kind: "rebuild", actual, query, stake: rebuild.stake }];
    }
    const what = meant ? "query" : "adopt";
    return [
        {
            kind: "refuse",
            reason: {
                what,
                ...query,
                ...(meant && rebuild !== undefined && { rebuild }),
                ...(meant &&
                    outcome !== undefined &&
                    "problems" in outcome && { problems: outcome.problems }),
            },
        },
    ];
}

/** Nobody reads it, and no more is lost than was accepted. */
function isAllowed(
    { stake, dependants }: Rebuild,
    { acceptLoss, onQueryChange }: DesiredAggregate,
): boolean {
    return onQueryChange === "rebuild" && dependants.length === 0 && stake.rows <= acceptLoss;
}

function ownerChanges(actual: ActualAggregate, owner: string): AggregateChange[] {
    if (actual.owner === owner) return [];
    const change = { was: actual.owner, will: owner };
    return actual.superuser
        ? [{ kind: "owner", ...change }]
        : [{ kind: "refuse", reason: { what: "owner", ...change } }];
}

/** alter_job does not check the two-bucket rule; every later run of the job would fail. */
function windowChanges(actual: ActualAggregate, desired: DesiredAggregate): AggregateChange[] {
    const length = (text: string | null | undefined): number | undefined => {
        const parsed = text == null ? undefined : parseInterval(text);
        return parsed === undefined ? undefined : lengthOf(parsed);
    };
    if (desired.refreshPolicy === undefined) return [];
    const job = desiredRefreshJob(desired.refreshPolicy);
    const start = length(job.offsets["start_offset"]);
    const end = length(job.offsets["end_offset"]);
    if (start === undefined || end === undefined) return [];
    const window = windowProblem(start, end, length(actual.bucketWidth));
    return window === undefined ? [] : [{ kind: "refuse", reason: { what: "window", ...window } }];
}
