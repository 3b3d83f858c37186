/** What an import finds: what can be declared, and what stands beside it. */
import type { QualifiedName } from "../../components/timescale/core/identifier";
import type { Inputs } from "./properties";

export type Kind = "Hypertable" | "ContinuousAggregate" | "View" | "SqlFunction";

/** One object as a program declares it. */
export interface Declaration {
    readonly kind: Kind;
    readonly name: QualifiedName;
    /** As people read it, such as `public.f(integer)`. */
    readonly object: string;
    /** Its number in the catalog, by which others depend on it. */
    readonly oid: string;
    /** But for the connection and the text. */
    readonly inputs: Inputs;
    /** A text of SQL, which gets a file of its own. */
    readonly text?: { readonly property: "query" | "definition"; readonly sql: string };
    readonly remarks: readonly string[];
}

/** What is not declared, and so stays as it is. */
export interface Undeclared {
    readonly object: string;
    readonly what: string;
    readonly why: string;
}

/** What reading one object gave; without a declaration, at least one reason why. */
export interface Reading {
    readonly declaration?: Declaration;
    readonly undeclared: readonly Undeclared[];
    /** Relations that are a part of it, whatever they look like. */
    readonly parts?: readonly QualifiedName[];
}

export const withoutResource = "there is no resource for it; it is kept";

export function noResource(object: string, what: string): Reading {
    return passedOver(object, what, withoutResource);
}

export function passedOver(object: string, what: string, why: string): Reading {
    return { undeclared: [{ object, what, why }] };
}
