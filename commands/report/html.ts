/** HTML as text in which every value is escaped unless it is HTML already. */

const marker: unique symbol = Symbol("html");

export interface Html {
    readonly [marker]: string;
}

type Value = string | number | Html | undefined | readonly Value[];

const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
};

export function escaped(text: string): string {
    return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** A template whose values are escaped; lists are joined, undefined is nothing. */
export function markup(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
    return trusted(texts.map((text, at) => text + rendered(values[at])).join(""));
}

/** Text that is HTML already: of this project, never of a database. */
export function trusted(text: string): Html {
    return { [marker]: text };
}

export function textOf(value: Html): string {
    return value[marker];
}

function rendered(value: Value): string {
    if (value === undefined) return "";
    if (typeof value === "string") return escaped(value);
    if (typeof value === "number") return String(value);
    if (Array.isArray(value)) return (value as readonly Value[]).map(rendered).join("");
    return textOf(value as Html);
}

/** JSON that can stand in a script element: nothing in it ends the element or begins a comment. */
export function jsonOf(value: unknown): Html {
    return trusted(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, unicode));
}

function unicode(character: string): string {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
