/** From changes to the statements that make them, and to the lines that preview shows. */
import { escapeIdentifier, escapeLiteral, quoteQualified } from "../identifier";
import type { StatementName } from "../plan/locks";
import { goneNote, nameLine, ownerLine } from "../plan/objectChanges";
import { type ChangeLine, commentLine, type Plan, type Statement } from "../plan/plan";
import { grantDifferences, grantLines } from "../relation/grants";
import { privilegeStatements, roleStatements } from "../relation/tableStatements";
import {
    attributeDifferences,
    type DefinitionDifference,
    type FunctionChange,
    type FunctionRefusal,
    newGrants,
} from "./diff";
import { createFunction } from "./head";
import { refusalError } from "./refusals";
import {
    type ActualFunction,
    definitionUnder,
    displayFunction,
    quoteSignature,
    signatureOf,
} from "./routine";
import type { DesiredFunction } from "./spec";

export interface FunctionPlanOptions {
    /** Who is logged in, where the function is to be somebody else's. Default: its owner. */
    readonly login?: string;
    /** Arguments as GRANT takes them; undefined while the server cannot read the text. */
    readonly identityArguments: string | undefined;
    /** What people know it by, such as `public.f(integer)`. */
    readonly object: string;
    /** Whether the last apply made it. */
    readonly managed?: boolean;
}

export function planFunction(
    changes: readonly FunctionChange[],
    desired: DesiredFunction,
    { login, identityArguments, object, managed = false }: FunctionPlanOptions,
): Plan {
    const { schema, name } = desired;
    const signature =
        identityArguments === undefined
            ? quoteQualified({ schema, name })
            : quoteSignature({ schema, name, arguments: identityArguments });
    const made = changes.some(({ kind }) => kind === "create" || kind === "recreate");
    const dressed = (kind: FunctionChange["kind"]): boolean =>
        made && ["comment", "grants"].includes(kind);
    const statements = changes.flatMap((change) =>
        dressed(change.kind) ? [] : statementsOf(change, desired, signature),
    );
    if (made) statements.push(...dressing(desired, signature));
    // What the login does as itself comes before it takes the owner's role.
    const asLogin = changes.flatMap((change) =>
        change.kind === "owner"
            ? [alter("alter_owner", change.standing, `OWNER TO ${escapeIdentifier(change.will)}`)]
            : [],
    );
    const role = statements.length > 0 ? roleStatements(desired.owner, login) : [];
    const replaced = changes.some(({ kind }) => kind === "dropStale" || kind === "refuse");
    const gone = managed && !replaced && changes.some(({ kind }) => kind === "create");
    return {
        lines: changes.flatMap((change) => linesOf(change, desired, object)),
        statements: [...asLogin, ...role, ...statements],
        fill: false,
        places: { kind: "function", object, standing: object },
        refusals: changes.flatMap((change) =>
            change.kind === "refuse" ? [refusalError(change.reason, object, desired)] : [],
        ),
        notes: gone ? [goneNote] : [],
    };
}

/** Comment and grants of a function that has just been made. */
function dressing(desired: DesiredFunction, signature: string): Statement[] {
    return [
        ...(desired.comment === null ? [] : [commentOn(signature, desired.comment)]),
        ...grantDifferences(newGrants, desired.grants).flatMap((difference) =>
            privilegeStatements(`ON FUNCTION ${signature}`, difference),
        ),
    ];
}

function statementsOf(
    change: FunctionChange,
    desired: DesiredFunction,
    signature: string,
): Statement[] {
    const create = (verb: string, name: StatementName): Statement => ({
        name,
        sql: createFunction(verb, quoteQualified(desired), desired.head),
    });
    switch (change.kind) {
        case "create":
            return [create("CREATE", "create_function")];
        case "replace":
            return [create("CREATE OR REPLACE", "replace_function")];
        case "recreate":
            return [
                { name: "drop_function", sql: `DROP FUNCTION ${signature}` },
                create("CREATE", "create_function"),
            ];
        case "dropStale":
            return [dropFunction(change.standing)];
        case "rename":
            return renameStatements(change.was, desired);
        case "comment":
            return [commentOn(signature, change.will)];
        case "grants":
            return privilegeStatements(`ON FUNCTION ${signature}`, change.difference);
        case "owner":
        case "refuse":
            return [];
    }
}

export function dropFunction(standing: ActualFunction): Statement {
    return {
        name: "drop_function",
        sql: `DROP FUNCTION ${quoteSignature(signatureOf(standing))}`,
    };
}

function commentOn(signature: string, comment: string | null): Statement {
    const text = comment === null ? "NULL" : escapeLiteral(comment);
    return { name: "comment", sql: `COMMENT ON FUNCTION ${signature} IS ${text}` };
}

function alter(name: StatementName, standing: ActualFunction, action: string): Statement {
    const signature = quoteSignature(signatureOf(standing));
    return { name, sql: `ALTER FUNCTION ${signature} ${action}` };
}

/** In place: grants, comment and what calls it in a view follow. */
function renameStatements(was: ActualFunction, will: DesiredFunction): Statement[] {
    const moved = { ...was, schema: will.schema };
    return [
        ...(was.schema === will.schema
            ? []
            : [alter("set_schema", was, `SET SCHEMA ${escapeIdentifier(will.schema)}`)]),
        ...(was.name === will.name
            ? []
            : [alter("rename", moved, `RENAME TO ${escapeIdentifier(will.name)}`)]),
    ];
}

function linesOf(change: FunctionChange, desired: DesiredFunction, object: string): ChangeLine[] {
    switch (change.kind) {
        case "create":
            return [{ code: "create", property: "create the function" }];
        case "rename":
            return [nameLine(change.was, desired)];
        case "dropStale":
            return [signatureLine(change.standing, object)];
        case "owner":
            return [ownerLine(change)];
        case "replace":
        case "recreate":
            return definitionLines(change.difference, desired);
        case "comment":
            return [commentLine(change.was, change.will)];
        case "grants":
            return grantLines(change.difference);
        case "refuse":
            return refusedLines(change.reason, desired, object);
    }
}

function refusedLines(
    reason: FunctionRefusal,
    desired: DesiredFunction,
    object: string,
): ChangeLine[] {
    switch (reason.what) {
        case "adopt":
            return reason.difference === null ? [] : definitionLines(reason.difference, desired);
        case "dependants":
            return definitionLines(reason.difference, desired);
        case "stale":
            return [signatureLine(reason.stale.standing, object)];
        case "other":
        case "owner":
        case "jobs":
            return [];
    }
}

function signatureLine(was: ActualFunction, object: string): ChangeLine {
    return { code: "signature", property: "signature", was: displayFunction(was), will: object };
}

/** The texts where more than attributes differs, and each attribute that does. */
function definitionLines(difference: DefinitionDifference, desired: DesiredFunction): ChangeLine[] {
    return [
        ...(difference.text
            ? [
                  {
                      code: "definition" as const,
                      property: "definition",
                      was: definitionUnder(difference.was, desired),
                      will: definitionUnder(difference.will, desired),
                  },
              ]
            : []),
        ...attributeDifferences(difference).map((line) => ({ code: "option" as const, ...line })),
    ];
}
