/** A function as the catalog has it, and in words. */
import { displayName, type QualifiedName, quoteQualified } from "../identifier";
import type { ActualGrant } from "../relation/grants";
import { createFunction, isHead, parseHead } from "./head";

/** What tells a function from others of its name. */
export interface Signature extends QualifiedName {
    /** Arguments as GRANT, COMMENT and DROP take them. */
    readonly arguments: string;
}

export interface ActualFunction extends QualifiedName {
    readonly oid: string;
    /** Source: pg_proc.prokind */
    readonly kind: string;
    /** Numbers of the argument types, which tell overloads apart. */
    readonly argumentTypes: string;
    readonly identityArguments: string;
    /** The argument types alone, as the server prints them. */
    readonly types: readonly string[];
    /** With names, modes and defaults. */
    readonly arguments: string;
    readonly result: string;
    readonly language: string;
    /** As it was written; empty for one that the server keeps as a tree. */
    readonly body: string;
    /** BEGIN ATOMIC or RETURN: the server prints it in its own words. */
    readonly atomic: boolean;
    /** The whole CREATE OR REPLACE FUNCTION. */
    readonly definition: string;
    /** Volatility, security and the like, by name. */
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
    /** `name=value` of each SET. */
    readonly settings: readonly string[];
    readonly owner: string;
    readonly comment: string | null;
    readonly extension: string | null;
    /** Whether the login may give it to its declared owner. */
    readonly mayGiveAway: boolean;
    readonly grants: readonly ActualGrant[];
}

export function signatureOf({ schema, name, identityArguments }: ActualFunction): Signature {
    return { schema, name, arguments: identityArguments };
}

/** As statements take it. */
export function quoteSignature({ schema, name, arguments: list }: Signature): string {
    return `${quoteQualified({ schema, name })}(${list})`;
}

/** As people read it, such as `public.f(integer)`. */
export function displayFunction({ schema, name, types }: ActualFunction): string {
    return `${displayName({ schema, name })}(${types.join(", ")})`;
}

/** Its text under the declared name, so that the name that it was read under is no line of a diff. */
export function definitionUnder({ definition }: ActualFunction, name: QualifiedName): string {
    const head = parseHead(definition);
    return isHead(head) ? createFunction("CREATE OR REPLACE", displayName(name), head) : definition;
}

/** Source: pg_proc.prokind */
const kinds: Readonly<Record<string, string>> = {
    a: "aggregate",
    p: "procedure",
    w: "window function",
    f: "function",
};

export function functionKind({ kind, extension }: ActualFunction): string {
    const what = kinds[kind] ?? `routine of kind ${kind}`;
    return extension === null ? what : `${what} of extension ${extension}`;
}
