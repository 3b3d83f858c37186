/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { displayName, escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";
import { fillMarker } from "../memory/marker";
import { nameLine, ownerLine } from "../plan/objectChanges";
import {
    type ChangeLine,
    commentLine,
    type Plan,
    type Statement,
    transactionFirst,
} from "../plan/plan";
import { policyLines } from "../policies/lines";
import { ownerStatements, policyRefusals, policyStatements } from "../policies/statements";
import { statementBody } from "../query/query";
import { renameColumnLines, renameColumnStatements } from "../relation/columns";
import { grantLines } from "../relation/grants";
import { indexLines, type IndexPlace, indexStatements } from "../relation/indexes";
import {
    chunkIntervalStatement,
    commentStatement,
    grantStatements,
    ownerStatement,
    renameStatements,
    roleStatements,
} from "../relation/tableStatements";
import { describeTime } from "../removal/extent";
import type { AggregateChange } from "./changes";
import { type AggregateDiff, creation } from "./diff";
import { type AggregateFacts, aggregateHazards } from "./hazards";
import { describeStake, type HistoryAtStake } from "./history";
import type { ActualAggregate } from "./inspect";
import { planReplacement, queryLine, versionLine } from "./keepHistory/plan";
import { dropVersionStatements, renameVersionStatements } from "./keepHistory/statements";
import { markStatement } from "./mark";
import { rebuildStatements } from "./rebuild";
import { refusalError } from "./refusals";
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
    /** Where TimescaleDB's functions are. Default: public. */
    readonly extensionSchema?: string;
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
            extensionSchema: options.extensionSchema ?? "public",
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
            `WITH (timescaledb.continuous, timescaledb.materialized_only = ${desired.materializedOnly}${desired.createGroupIndexes ? "" : ", timescaledb.create_group_indexes = false"})`,
            "AS",
            statementBody(desired.query),
            "WITH NO DATA",
        ].join("\n"),
    };
}
