/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { TimescaleError } from "../errors";
import { displayName, type QualifiedName, quoteQualified } from "../identifier";
import type { StatementName } from "../plan/locks";
import {
    goneNote,
    nameLine,
    nameTakenDetail,
    ownerLine,
    ownerRefusal,
} from "../plan/objectChanges";
import { type ChangeLine, commentLine, type Plan, type Statement } from "../plan/plan";
import { definitionDiff } from "../query/definitionDiff";
import { statementBody } from "../query/query";
import { describeColumns, renameColumnLines, renameColumnStatements } from "../relation/columns";
import { grantDifferences, grantLines } from "../relation/grants";
import {
    commentStatement,
    grantStatements,
    ownerStatement,
    renameStatements,
    roleStatements,
} from "../relation/tableStatements";
import {
    declaredOptions,
    type OptionChange,
    type QueryDifference,
    type ViewChange,
    type ViewRefusal,
} from "./diff";
import type { DesiredView } from "./spec";

export interface ViewPlanOptions {
    /** Who is logged in, where the view is to be somebody else's. Default: its owner. */
    readonly login?: string;
    /** Whether the last apply made it. */
    readonly managed?: boolean;
}

export function planView(
    changes: readonly ViewChange[],
    desired: DesiredView,
    { login, managed = false }: ViewPlanOptions = {},
): Plan {
    const name: QualifiedName = { schema: desired.schema, name: desired.name };
    const made = changes.find(({ kind }) => kind === "create" || kind === "recreate");
    // A new text brings its options along, a new view begins without comment and grants.
    const covered = (kind: ViewChange["kind"]): boolean =>
        made !== undefined
            ? ["option", "comment", "grants"].includes(kind)
            : kind === "option" && changes.some((change) => change.kind === "replace");
    const statements = changes.flatMap((change) =>
        covered(change.kind) ? [] : statementsOf(change, name, desired),
    );
    if (made !== undefined) statements.push(...dressing(name, desired));
    // What the login does as itself comes before it takes the owner's role.
    const standing = changes.find((change) => change.kind === "rename")?.was ?? name;
    const asLogin = changes.flatMap((change) =>
        change.kind === "owner" ? [ownerStatement("VIEW", standing, change.will)] : [],
    );
    const role = statements.length > 0 ? roleStatements(desired.owner, login) : [];
    const gone = managed && changes.some(({ kind }) => kind === "create");
    return {
        // Several refusals may be about one query.
        lines: changes
            .flatMap((change) => linesOf(change, name))
            .filter(
                ({ code }, at, all) =>
                    all.findIndex((line) => line.code === code) === at || code !== "query",
            ),
        statements: [...asLogin, ...role, ...statements],
        fill: false,
        places: {
            kind: "view",
            object: displayName(name),
            standing: changes.some(({ kind }) => kind === "create") ? null : displayName(standing),
        },
        refusals: changes.flatMap((change) =>
            change.kind === "refuse" ? [refusalError(change.reason, name)] : [],
        ),
        notes: gone ? [goneNote] : [],
    };
}

/** Comment and grants of a view that has just been made. */
function dressing(name: QualifiedName, desired: DesiredView): Statement[] {
    return [
        ...(desired.comment === null ? [] : [commentStatement("VIEW", name, desired.comment)]),
        ...grantDifferences([], desired.grants).flatMap((one) => grantStatements(name, one)),
    ];
}

function statementsOf(change: ViewChange, name: QualifiedName, desired: DesiredView): Statement[] {
    switch (change.kind) {
        case "create":
            return [createStatement("CREATE VIEW", "create_view", desired)];
        case "replace":
            return [createStatement("CREATE OR REPLACE VIEW", "replace_view", desired)];
        case "recreate":
            return [
                { name: "drop_view", sql: `DROP VIEW ${quoteQualified(name)}` },
                createStatement("CREATE VIEW", "create_view", desired),
            ];
        case "rename":
            return renameStatements("VIEW", change.was, name);
        case "renameColumns":
            return renameColumnStatements("VIEW", name, change.columns);
        case "option":
            return [optionStatement(change.change, name)];
        case "comment":
            return [commentStatement("VIEW", name, change.will)];
        case "grants":
            return grantStatements(name, change.difference);
        case "owner":
        case "refuse":
            return [];
    }
}

/** Options that are not written are reset, also by OR REPLACE. */
function createStatement(verb: string, name: StatementName, desired: DesiredView): Statement {
    const options = Object.entries(declaredOptions(desired)).flatMap(([option, value]) =>
        value ? [`${option} = true`] : [],
    );
    const clause = options.length === 0 ? "" : ` WITH (${options.join(", ")})`;
    return {
        name,
        sql: `${verb} ${quoteQualified(desired)}${clause} AS\n${statementBody(desired.query)}`,
    };
}

function optionStatement({ option, will }: OptionChange, name: QualifiedName): Statement {
    const action = will === null ? `RESET (${option})` : `SET (${option} = ${will})`;
    return { name: "alter_view", sql: `ALTER VIEW ${quoteQualified(name)} ${action}` };
}

/** Options by the names that a program gives them. */
const optionProperties: Readonly<Record<string, string>> = {
    security_barrier: "securityBarrier",
    security_invoker: "securityInvoker",
    check_option: "checkOption",
};

function linesOf(change: ViewChange, name: QualifiedName): ChangeLine[] {
    switch (change.kind) {
        case "create":
            return [{ code: "create", property: "create the view" }];
        case "rename":
            return [nameLine(change.was, name)];
        case "owner":
            return [ownerLine(change)];
        case "renameColumns":
            return renameColumnLines(change.columns);
        case "replace":
        case "recreate":
            return [queryLine(change.query)];
        case "option": {
            const { option, was, will } = change.change;
            const declared = option in optionProperties && option !== "check_option";
            return [
                {
                    code: "option",
                    property: optionProperties[option] ?? option,
                    was,
                    will: will ?? (declared ? "false" : undefined),
                },
            ];
        }
        case "comment":
            return [commentLine(change.was, change.will)];
        case "grants":
            return grantLines(change.difference);
        case "refuse":
            return refusedLines(change.reason);
    }
}

function refusedLines(reason: ViewRefusal): ChangeLine[] {
    return "query" in reason && reason.query !== null ? [queryLine(reason.query)] : [];
}

function queryLine({ was, will, columns }: QueryDifference): ChangeLine {
    return { code: "query", property: "query", was, will, columns };
}

function refusalError(reason: ViewRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "other":
            return new TimescaleError(
                reason.relation === "view"
                    ? `${object} exists already, and is another view than that of the last deployment`
                    : `${object} exists already, and is a ${reason.relation}`,
                {
                    code: "another_relation",
                    detail: nameTakenDetail(reason, {
                        one: "a view",
                        itself: "the view",
                    }),
                    hint: "choose another name, or rename or drop what stands there",
                    object,
                },
            );
        case "adopt":
            return new TimescaleError(`a view ${object} exists already and differs`, {
                code: "exists_and_differs",
                detail: [
                    ...(reason.owner === null
                        ? []
                        : [`it belongs to ${reason.owner.was}, not to ${reason.owner.will}`]),
                    ...(reason.query === null
                        ? []
                        : [definitionDiff(reason.query.was, reason.query.will)]),
                ].join("\n"),
                hint: "declare what it is, choose another name, or set adopt: true to take it over and change it",
                object,
            });
        case "owner":
            return ownerRefusal(reason, object, {
                alter: `ALTER VIEW ${quoteQualified(name)}`,
                login: "neither a superuser nor a member of both roles",
            });
        case "dependants":
            return new TimescaleError(
                `view ${object} would have to be dropped, and others use it`,
                {
                    code: "dependants",
                    detail: [
                        reason.why,
                        ...describeColumns(reason.query),
                        `used by ${reason.named.join(", ")}`,
                    ].join("\n"),
                    hint: "keep the columns and add new ones at the end, declare the query as a view of another name, or drop what uses it first; nothing is ever dropped with CASCADE",
                    object,
                },
            );
        case "attached":
            return new TimescaleError(
                `view ${object} would have to be dropped, and what is attached to it would be lost`,
                {
                    code: "attached",
                    detail: [reason.why, `not declared, and lost: ${reason.named.join(", ")}`].join(
                        "\n",
                    ),
                    hint: "keep the columns and add new ones at the end, or drop these first and make them again afterwards",
                    object,
                },
            );
    }
}
