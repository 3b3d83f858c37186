/** What a view should be, and the rules that can be checked without a server. */
import { blank, trimmed } from "../query/query";
import { type Grant, grantsToOthers } from "../relation/grants";
import { declaredComment } from "../relation/tableStatements";
import { type IsUnknown, type Problem, shown, Validation } from "../validate";

/** A view as its program declares it, with everything resolved. */
export interface DesiredView {
    readonly schema: string;
    readonly name: string;
    readonly query: string;
    readonly comment: string | null;
    /** The login's own role where it is undefined. */
    readonly owner?: string;
    readonly grants: readonly Grant[];
    readonly adopt: boolean;
    readonly securityInvoker: boolean;
    readonly securityBarrier: boolean;
}

export const viewProperties = [
    "connection",
    "databaseUuid",
    "schema",
    "name",
    "query",
    "comment",
    "owner",
    "grants",
    "adopt",
    "securityInvoker",
    "securityBarrier",
] as const;

/** Every problem of the inputs at once; unknown values are passed over. */
export function validateView(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, viewProperties, "");
    check.connection(inputs["connection"]);
    check.identifier("name", inputs["name"]);
    if (check.given(inputs["schema"])) check.identifier("schema", inputs["schema"]);
    check.text("databaseUuid", inputs["databaseUuid"]);
    validateSelect(check, inputs["query"]);
    check.text("comment", inputs["comment"]);
    if (check.given(inputs["owner"])) check.identifier("owner", inputs["owner"]);
    check.grants(inputs["grants"]);
    check.boolean("adopt", inputs["adopt"]);
    check.boolean("securityInvoker", inputs["securityInvoker"]);
    check.boolean("securityBarrier", inputs["securityBarrier"]);
    return check.problems;
}

/** How a query may begin; everything else changes data or is no query. */
const beginnings = ["SELECT", "WITH", "VALUES", "TABLE"];

function validateSelect(check: Validation, query: unknown): void {
    if (check.isUnknown(query)) return;
    if (typeof query !== "string") {
        check.add(
            "query",
            "query is missing",
            query === undefined ? undefined : shown(query),
            "give the SELECT of the view as text",
        );
        return;
    }
    const body = trimmed(blank(query));
    if (body.trim() === "") {
        check.add("query", "the query is empty", undefined, "write one SELECT");
        return;
    }
    if (body.includes(";")) {
        check.add(
            "query",
            "the query holds more than one statement",
            undefined,
            "keep one SELECT; declare anything else as a resource of its own",
        );
    }
    const first = /^[\s(]*([A-Za-z]+)/.exec(body)?.[1]?.toUpperCase();
    if (first === undefined || !beginnings.includes(first)) {
        check.add(
            "query",
            "the query is not a SELECT",
            `it begins with ${first ?? JSON.stringify(query.slice(body.search(/\S/)).slice(0, 20))}`,
            "give only the SELECT; CREATE VIEW and its options are added",
        );
    }
}

/** Fills in the documented defaults; only for inputs that validated without a problem. */
export function desiredView(inputs: Readonly<Record<string, unknown>>): DesiredView {
    const given = inputs as Partial<DesiredView>;
    return {
        schema: given.schema ?? "public",
        name: given.name ?? "",
        query: given.query ?? "",
        comment: declaredComment(given.comment),
        grants: grantsToOthers(given.grants, inputs),
        adopt: given.adopt ?? false,
        securityInvoker: given.securityInvoker ?? false,
        securityBarrier: given.securityBarrier ?? false,
        ...(given.owner !== undefined && { owner: given.owner }),
    };
}
