/** JSON objects of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** No list, and not null. */
export function isFields(value: unknown): value is Fields {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
