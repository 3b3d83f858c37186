/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { describeColumns, renameColumnLines, renameColumnStatements } from "../columns";
import { definitionDiff } from "../definitionDiff";
import { TimescaleError } from "../errors";
import { describeTime } from "../extent";
import { grantLines } from "../grants";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { indexLines, type IndexPlace, indexStatements } from "../indexes";
import { fillMarker } from "../marker";
import { nameLine, nameTakenDetail, ownerLine, ownerRefusal } from "../objectChanges";
import { type ChangeLine, commentLine, type Plan, type Statement, transactionFirst } from "../plan";
import { ownerStatements, policyLines, policyRefusals, policyStatements } from "../policyDiff";
import { statementBody } from "../query";
import {
    chunkIntervalStatement,
    commentStatement,
    grantStatements,
    ownerStatement,
    renameStatements,
    roleStatements,
} from "../tableStatements";
import {
    type AggregateChange,
    type AggregateDiff,
    type AggregateRefusal,
    creation,
    type QueryRefusal,
    type Rebuild,
} from "./diff";
import { type AggregateFacts, aggregateHazards } from "./hazards";
import { describeStake, type HistoryAtStake } from "./history";
import type { ActualAggregate } from "./inspect";
import { planReplacement, queryLine, versionLine } from "./keepHistory/plan";
import { dropVersionStatements, renameVersionStatements } from "./keepHistory/statements";
import { markStatement } from "./mark";
import { rebuildStatements } from "./rebuild";
import type { DesiredAggregate } from "./spec";
import { restoreViewStatements } from "./view";

export interface AggregatePlanOptions {
    /** Its first fill has not reached the present: the refresh job waits. */
    readonly filling: boolean;
    /** Who is logged in, where the aggregate is to be somebody else's. Default: its owner. */
    readonly login?: string;
    /** Whether the aggregate holds chunks, which an index is then built on one by one. */
    readonly perChunk?: boolean;
    /** Schema of the materialization, and of its indexes. */
    readonly internalSchema?: string;
    /** The name under which it stands, where that is not the declared one. */
    readonly standing?: QualifiedName;
    /** What hazards and locks are told with. Default: nothing was inspected for them. */
    readonly facts?: AggregateFacts;
}

export function planAggregate(
    { changes, notes }: AggregateDiff,
    desired: DesiredAggregate,
    options: AggregatePlanOptions,
): Plan {
    const name: QualifiedName = { schema: desired.schema, name: desired.name };
    const creating = changes.some(({ kind }) => kind === "create" || kind === "takeBack");
    const rebuilding = changes.some(({ kind }) => kind === "rebuild");
    const context: StatementContext = {
        name,
        desired,
        pauseRefresh: creating || options.filling,
        place: {
            relation: name,
            schema: options.internalSchema ?? "_timescaledb_internal",
            perChunk: options.perChunk ?? false,
        },
    };
    const replacing = changes.find((change) => change.kind === "replace");
    if (replacing !== undefined) {
        return planReplacement(replacing, {
            login: options.login ?? desired.owner ?? "",
            creation: creationStatements,
        });
    }
    const statements = changes.flatMap((change) => statementsOf(change, context));
    // What the login does as itself comes before it takes the owner's role.
    const asLogin = [
        ...changes.flatMap((change) =>
            change.kind === "owner"
                ? [ownerStatement("MATERIALIZED VIEW", standingName(changes, name), change.will)]
                : [],
        ),
        ...ownerStatements(changes),
    ];
    const role = roleStatements(desired.owner, options.login);
    const object = displayName(name);
    const { facts = {} } = options;
    const standing = options.standing ?? (creating && !rebuilding ? null : name);
    const fill = changes.some(({ kind }) => kind === "fill");
    return {
        // What is made anew with the aggregate was there before, and goes without saying.
        lines: changes
            .filter(({ kind }) => !rebuilding || ["restoreView", "owner", "rebuild"].includes(kind))
            .flatMap((change) => line(change, desired)),
        statements:
            statements.length + asLogin.length === 0
                ? []
                : transactionFirst([...asLogin, ...role, ...statements]),
        fill,
        ...(fill && { filling: fillingStatements(name, desired, facts) }),
        places: {
            kind: "aggregate",
            object,
            standing: standing === null ? null : displayName(standing),
            source: facts.source?.object,
        },
        refusals: [
            ...changes.flatMap((change) =>
                change.kind === "refuse" ? [refusalError(change.reason, name)] : [],
            ),
            ...policyRefusals(changes, name),
        ],
        notes,
        hazards: aggregateHazards(changes, desired, object, facts),
    };
}

/** Everything that makes a new aggregate as it is declared, but for its fill. */
export function creationStatements(desired: DesiredAggregate): Statement[] {
    const changes = creation(desired);
    return planAggregate({ changes, notes: [] }, desired, { filling: true }).statements.slice();
}

/** What fill.ts runs, and what then says that it is done. */
function fillingStatements(
    name: QualifiedName,
    { refreshPolicy }: DesiredAggregate,
    { source }: AggregateFacts,
): Statement[] {
    const from =
        source === undefined
            ? ""
            : `; ${source.object} ${source.begins === null ? "holds nothing yet" : `begins ${describeTime(source.begins)}`}`;
    return [
        {
            name: "refresh_continuous_aggregate",
            sql: `CALL refresh_continuous_aggregate(${escapeLiteral(quoteQualified(name))}::regclass, …, …)`,
            outside: { each: `window of buckets, oldest first${from}` },
        },
        markStatement(name, null),
        ...(refreshPolicy === undefined || refreshPolicy.paused === true
            ? []
            : [
                  {
                      name: "alter_refresh_policy",
                      sql: "SELECT alter_job(…, scheduled => true)",
                  },
              ]),
    ];
}

/** The name that the aggregate has before it is renamed. */
function standingName(changes: readonly AggregateChange[], name: QualifiedName): QualifiedName {
    const rename = changes.find((change) => change.kind === "rename");
    return rename?.was ?? name;
}

function line(change: AggregateChange, desired: QualifiedName): ChangeLine[] {
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "replaceJob":
        case "jobOwner":
        case "compressedChunks":
            return policyLines(change);
        case "createIndex":
        case "dropIndex":
        case "renameIndex":
            return indexLines(change);
        case "create":
            return [{ code: "create", property: "create the continuous aggregate" }];
        case "takeBack":
            return [{ code: "take_back", property: "take it back into service" }];
        case "rename":
            return [nameLine(change.was, desired)];
        case "fill":
            return [{ code: "fill", property: "fill it, oldest buckets first" }];
        case "refuse":
            return change.reason.what === "query" || change.reason.what === "adopt"
                ? [queryLine(change.reason)]
                : [];
        case "owner":
            return [ownerLine(change)];
        case "rebuild":
            return [
                queryLine(change.query),
                {
                    code: "rebuild",
                    property: [
                        "drop it and create it again, with new jobs, and fill it from raw data",
                        ...(change.stake.rows === 0 ? [] : [lossOf(change.stake)]),
                    ].join("; "),
                },
            ];
        // Shown by itself; see keepHistory/plan.ts.
        case "replace":
            return [];
        case "dropVersion":
            return [versionLine(change.version)];
        case "restoreView":
            return [viewLine(change.actual)];
        case "renameColumns":
            return renameColumnLines(change.columns);
        case "materializedOnly":
            return [
                {
                    code: "materialized_only",
                    property: "materializedOnly",
                    was: String(change.was),
                    will: String(change.will),
                },
            ];
        case "chunkTimeInterval":
            return [
                {
                    code: "chunk_time_interval",
                    property: "chunkTimeInterval",
                    was: change.was,
                    will: change.will,
                },
            ];
        case "comment":
            return [commentLine(change.was, change.will)];
        case "grants":
            return grantLines(change.difference);
    }
}

/** What acceptLoss covers. */
function lossOf(stake: HistoryAtStake): string {
    return `lost with it, as acceptLoss allows: ${describeStake(stake)}`;
}

function viewLine({ view }: ActualAggregate): ChangeLine {
    const will = "the view that TimescaleDB made";
    switch (view.state) {
        case "renamed":
            return {
                code: "view_renamed",
                property: "view",
                was: `renamed to ${displayName(view.to)} by ALTER TABLE, which orphans the aggregate`,
                will,
            };
        case "missing":
            return {
                code: "view_missing",
                property: "view",
                was: "dropped, and the aggregate orphaned",
                will,
            };
        case "replaced":
        case "intact":
            return {
                code: "view_replaced",
                property: "view",
                was: "another query, by CREATE OR REPLACE VIEW",
                will,
            };
    }
}

interface StatementContext {
    readonly name: QualifiedName;
    readonly desired: DesiredAggregate;
    readonly pauseRefresh: boolean;
    readonly place: IndexPlace;
}

function statementsOf(change: AggregateChange, context: StatementContext): Statement[] {
    const { name, desired, pauseRefresh, place } = context;
    switch (change.kind) {
        case "create":
            return [createStatement(desired), markStatement(name, fillMarker)];
        case "takeBack":
            return [markStatement(name, fillMarker)];
        case "rename":
            return [
                ...renameStatements("MATERIALIZED VIEW", change.was, name),
                ...renameVersionStatements(change.versions),
            ];
        // Filling runs outside the transaction, the owner changes before it takes the owner's role;
        // a refusal stops before the first statement.
        case "fill":
        case "owner":
        case "refuse":
        case "replace":
            return [];
        case "dropVersion":
            return dropVersionStatements(change.version);
        case "rebuild":
            return rebuildStatements(change.actual, desired.acceptLoss);
        case "restoreView":
            return restoreViewStatements(change.actual);
        case "renameColumns":
            return renameColumnStatements("MATERIALIZED VIEW", name, change.columns);
        case "materializedOnly":
            return [
                {
                    name: "set_materialized_only",
                    sql: `ALTER MATERIALIZED VIEW ${quoteQualified(name)} SET (timescaledb.materialized_only = ${change.will})`,
                },
            ];
        case "chunkTimeInterval":
            return [chunkIntervalStatement(name, change.will)];
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "replaceJob":
        case "jobOwner":
        case "compressedChunks":
            return policyStatements(change, name, "MATERIALIZED VIEW", { pauseRefresh });
        case "createIndex":
        case "dropIndex":
        case "renameIndex":
            return indexStatements(change, place);
        case "comment":
            return [commentStatement("VIEW", name, change.will)];
        case "grants":
            return grantStatements(name, change.difference);
    }
}

function createStatement(desired: DesiredAggregate): Statement {
    return {
        name: "create_continuous_aggregate",
        sql: [
            `CREATE MATERIALIZED VIEW ${quoteQualified(desired)}`,
            `WITH (timescaledb.continuous, timescaledb.materialized_only = ${desired.materializedOnly})`,
            "AS",
            statementBody(desired.query),
            "WITH NO DATA",
        ].join("\n"),
    };
}

function queryRefusal(reason: QueryRefusal, object: string): TimescaleError {
    const { rebuild, problems } = reason;
    if (problems !== undefined) return historyRefusal(reason, problems, object);
    const lost = rebuild === undefined || rebuild.stake.rows === 0 ? [] : [describeStake(rebuild.stake)]; // prettier-ignore
    const readers =
        rebuild === undefined || rebuild.dependants.length === 0
            ? []
            : [`it is read by ${rebuild.dependants.join(", ")}`];
    return new TimescaleError(`the query of continuous aggregate ${object} has changed`, {
        code: "query_changed",
        detail: [
            "TimescaleDB can only drop and create it again, and history that raw data no longer has would be gone",
            ...lost,
            ...readers,
            definitionDiff(reason.was, reason.will),
            ...describeColumns(reason),
        ].join("\n"),
        hint: queryHint(rebuild),
        object,
    });
}

/** Everything that keeps history from being kept, so that none hides another. */
function historyRefusal(
    reason: QueryRefusal,
    problems: readonly TimescaleError[],
    object: string,
): TimescaleError {
    const [first] = problems;
    return new TimescaleError(
        `the query of continuous aggregate ${object} has changed, and its history cannot be kept`,
        {
            code: first?.code ?? "query_changed",
            detail: [
                ...problems.map(({ message, detail }) =>
                    [message, detail].filter(Boolean).join(": "),
                ),
                definitionDiff(reason.was, reason.will),
                ...describeColumns(reason),
            ].join("\n"),
            hint: [...new Set(problems.map(({ hint }) => hint))].filter(Boolean).join("; "),
            object,
        },
    );
}

/** The choices, as far as they are open. */
function queryHint(rebuild: Rebuild | undefined): string {
    const choices = [
        'set onQueryChange: "keepHistory", which builds the new version beside this one and keeps its history',
        "or declare the new one under another name",
        "or put the query back",
    ];
    if (rebuild === undefined) return choices.join(", ");
    const { stake, dependants } = rebuild;
    return [
        ...choices,
        dependants.length > 0
            ? 'or drop what reads it and set onQueryChange: "rebuild": nothing is ever dropped with CASCADE'
            : stake.rows === 0
              ? 'or set onQueryChange: "rebuild", which drops it and fills the new one from raw data: nothing is lost by it'
              : `or accept the loss with onQueryChange: "rebuild" and acceptLoss: { upToRows: ${stake.rows} }`,
    ].join(", ");
}

function refusalError(reason: AggregateRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "query":
            return queryRefusal(reason, object);
        case "adopt":
            return new TimescaleError(
                `a continuous aggregate ${object} with another query exists already`,
                {
                    code: "exists_and_differs",
                    detail: [
                        definitionDiff(reason.was, reason.will),
                        ...describeColumns(reason),
                    ].join("\n"),
                    hint: "declare the query that it has, choose another name, or set adopt: true to take it over: columns that are only named otherwise are then renamed, and any other query is a change of query",
                    object,
                },
            );
        case "other":
            return new TimescaleError(`${object} exists already, and is a ${reason.relation}`, {
                code: "another_relation",
                detail: nameTakenDetail(reason, {
                    one: "a continuous aggregate",
                    itself: "the aggregate",
                }),
                hint: "choose another name, or rename or drop what stands there",
                object,
            });
        case "ambiguous":
            return new TimescaleError(`the view of continuous aggregate ${object} is gone`, {
                code: "orphan",
                detail: `TimescaleDB's catalog still knows it, and several views read its buckets: ${reason.candidates.map(displayName).join(", ")}`,
                hint: `rename the one that it was back with ALTER TABLE … RENAME TO ${escapeIdentifier(name.name)}, or drop the others`,
                object,
            });
        case "hijacked":
            return new TimescaleError(`the view of continuous aggregate ${object} was replaced`, {
                code: "hijacked",
                detail: "its view is not the one that TimescaleDB made, and has other columns, so it cannot be put back in its place",
                hint: `rename it away with ALTER TABLE ${quoteQualified(name)} RENAME TO …, after a look at what reads it; the next deployment makes the view over ${displayName(reason.materialization)} again`,
                object,
            });
        case "notFinalized":
            return new TimescaleError(
                `continuous aggregate ${object} has the form from before TimescaleDB 2.7`,
                {
                    code: "not_finalized",
                    detail: "its buckets hold partial states, which this package neither reads nor compares",
                    hint: `run CALL cagg_migrate(${escapeLiteral(quoteQualified(name))}) first`,
                    object,
                },
            );
        case "owner":
            return ownerRefusal(reason, object, {
                alter: `ALTER MATERIALIZED VIEW ${quoteQualified(name)}`,
                login: "no superuser, and only one can give it away",
            });
        case "window":
            return new TimescaleError(reason.message, {
                code: "refresh_window",
                detail: reason.detail,
                hint: reason.hint,
                object,
            });
    }
}
