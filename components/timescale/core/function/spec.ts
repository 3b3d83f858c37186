/** What a function should be, and the rules that can be checked without a server. */
import { displayName, identifierProblem } from "../identifier";
import { type FunctionGrant, grantsToOthers } from "../relation/grants";
import { declaredComment } from "../relation/tableStatements";
import { canonicalType } from "../relation/types";
import { type IsUnknown, type Problem, shown, Validation } from "../validate";
import { type FunctionHead, isHead, nameIn, parameterTypes, parseHead } from "./head";

/** A function as its program declares it, with everything resolved. */
export interface DesiredFunction {
    readonly schema: string;
    readonly name: string;
    readonly head: FunctionHead;
    readonly definition: string;
    readonly comment: string | null;
    /** The login's own role where it is undefined. */
    readonly owner?: string;
    readonly grants: readonly FunctionGrant[];
    readonly adopt: boolean;
}

export const functionProperties = [
    "connection",
    "databaseUuid",
    "schema",
    "definition",
    "comment",
    "owner",
    "grants",
    "adopt",
] as const;

/** Every problem of the inputs at once; unknown values are passed over. */
export function validateFunction(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, functionProperties, "");
    check.connection(inputs["connection"]);
    if (check.given(inputs["schema"])) check.identifier("schema", inputs["schema"]);
    check.text("databaseUuid", inputs["databaseUuid"]);
    validateDefinition(check, inputs["definition"], inputs["schema"]);
    check.text("comment", inputs["comment"]);
    if (check.given(inputs["owner"])) check.identifier("owner", inputs["owner"]);
    check.grants(inputs["grants"], "function");
    check.boolean("adopt", inputs["adopt"]);
    return check.problems;
}

function validateDefinition(check: Validation, definition: unknown, schema: unknown): void {
    if (check.isUnknown(definition)) return;
    if (typeof definition !== "string") {
        check.add(
            "definition",
            "definition is missing",
            definition === undefined ? undefined : shown(definition),
            "give the whole CREATE FUNCTION text",
        );
        return;
    }
    const head = parseHead(definition);
    if (!isHead(head)) {
        for (const { message, detail, hint } of head)
            check.add("definition", message, detail, hint);
        return;
    }
    if (head.schema === "pg_temp") {
        check.add(
            "definition",
            "the definition makes a temporary object",
            "a SqlFunction declares one function that stays",
            "write another schema, or none",
        );
    }
    const problem = identifierProblem(head.name);
    if (problem !== undefined) {
        check.add(
            "definition",
            `the function's name ${problem}`,
            undefined,
            "give a name of 1 to 63 bytes",
        );
    }
    if (
        head.schema !== undefined &&
        typeof schema === "string" &&
        check.given(schema) &&
        schema !== head.schema
    ) {
        check.add(
            "schema",
            "schema and definition name different schemas",
            `schema is ${JSON.stringify(schema)}, and the definition creates the function in ${JSON.stringify(head.schema)}`,
            "leave one of the two out",
        );
    }
}

/** Fills in the documented defaults; only for inputs that validated without a problem. */
export function desiredFunction(inputs: Readonly<Record<string, unknown>>): DesiredFunction {
    const given = inputs as Partial<DesiredFunction>;
    const definition = given.definition ?? "";
    const parsed = parseHead(definition);
    const head = isHead(parsed)
        ? parsed
        : { schema: undefined, name: "", parameters: "", rest: "()" };
    return {
        ...nameIn(head, given.schema ?? "public"),
        head,
        definition,
        comment: declaredComment(given.comment),
        grants: grantsToOthers(given.grants, inputs),
        adopt: given.adopt ?? false,
        ...(given.owner !== undefined && { owner: given.owner }),
    };
}

/** `schema.name(types)` as the text tells it; undefined for a text that is not known or is none. */
export function functionIdentity(inputs: Readonly<Record<string, unknown>>): string | undefined {
    const { definition, schema } = inputs;
    const head = typeof definition === "string" ? parseHead(definition) : undefined;
    if (head === undefined || !isHead(head)) return undefined;
    const name = nameIn(head, typeof schema === "string" ? schema : "public");
    // Lengths and precisions tell no functions apart.
    const types = parameterTypes(head).map((type) =>
        canonicalType(type.replace(/\([\d\s,]+\)/, "")),
    );
    return `${displayName(name)}(${types.join(", ").replaceAll("character(1)", "character")})`;
}
