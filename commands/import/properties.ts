/** The properties of a resource, as a program gives them. */
export type Inputs = Readonly<Record<string, unknown>>;
