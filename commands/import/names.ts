/** Names that the generated program gives: of resources, of constants in its code, and of files. */
import type { QualifiedName } from "../../components/timescale/core/identifier";

export interface GivenNames {
    /** Such as `llm-metrics-1min`; its identity in Pulumi's state. */
    readonly resource: string;
    /** Such as `llmMetrics1min`. */
    readonly constant: string;
    /** Below the program's folder of SQL texts. */
    readonly file: string;
}

/** Letters, digits and single dashes of a name, in lower case; empty where it has none. */
export function slug(text: string): string {
    return text
        .normalize("NFKD")
        .replace(/\p{M}/gu, "")
        .replace(/[^A-Za-z0-9]+/g, "-")
        .replace(/^-|-$/g, "")
        .toLowerCase();
}

/** Words that a constant cannot have for a name, and those that the generated function uses. */
const taken =
    "arguments await break case catch class const connection continue data debugger declare default delete do else enum eval export extends false finally for function if implements import in instanceof interface after let new null opts package private protected public pulumi return static super switch sql this throw true try typeof undefined var void while with yield ContinuousAggregate Hypertable SqlFunction View join readFileSync".split(
        " ",
    );

/**
 * Names for objects in this order. Those of schema public have no prefix, unless their names would
 * clash; what then still does is counted.
 */
export function giveNames(objects: readonly QualifiedName[]): GivenNames[] {
    const bare = objects.map(({ schema, name }) =>
        schema === "public" ? slug(name) : join(schema, name),
    );
    const clashes = (at: number): boolean => bare.filter((it) => it === bare[at]).length > 1;
    const resources = new Set<string>();
    const constants = new Set(taken);
    const files = new Set<string>();
    return objects.map(({ schema, name }, at) => {
        const wanted = clashes(at) ? join(schema, name) : (bare[at] ?? "");
        const resource = unused(wanted === "" ? "object" : wanted, "-", resources);
        return {
            resource,
            constant: unused(constantOf(resource), "", constants),
            file: unused(`${fileName(schema)}/${fileName(name)}`, "-", files),
        };
    });
}

function join(schema: string, name: string): string {
    return [slug(schema), slug(name)].filter(Boolean).join("-");
}

function unused(wanted: string, separator: string, taken: Set<string>): string {
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}${separator}${count}`;
    taken.add(name);
    return name;
}

function constantOf(resource: string): string {
    const camel = resource.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    return /^[0-9]/.test(camel) ? `_${camel}` : camel;
}

/** Some file systems know no difference of case, and some characters mean something to them. */
function fileName(name: string): string {
    return /^[a-z0-9_][a-z0-9_.-]*$/.test(name) ? name : slug(name) || "object";
}
