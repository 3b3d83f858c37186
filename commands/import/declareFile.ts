/** `declare.ts` of the generated program: one function with every resource. */
import {
    Expression,
    inComment,
    indent,
    printCall,
    printProperties,
    printString,
    printValue,
    type Value,
} from "./code";
import { header } from "./header";
import type { GivenNames } from "./names";
import type { Ordered } from "./order";
import type { Undeclared } from "./standing";

export interface Named extends Ordered {
    readonly names: GivenNames;
}

/** Where the texts lie, below the program. */
export const textFolder = `sql`;

export function declareFile(
    resources: readonly Named[],
    undeclared: readonly Undeclared[],
    database: string,
): string {
    const kinds = [...new Set(resources.map(({ kind }) => kind))];
    const withText = resources.some(({ text }) => text !== undefined);
    const withSources = resources.some(({ reads }) => reads.length > 0);
    const withData = kinds.includes("Hypertable");
    const body = [
        ...(withText
            ? [
                  `    const sql = (file: string): string => readFileSync(join(__dirname, ${printString(textFolder)}, file), "utf8");`,
              ]
            : []),
        ...(withSources
            ? [
                  "    const after = (...dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions => ({",
                  "        ...opts,",
                  "        dependsOn,",
                  "    });",
              ]
            : []),
        ...(withData
            ? [
                  "    // Nothing can compute raw rows anew: a hypertable goes only once it is no longer protected.",
                  "    const data = { protect: true, ...opts };",
              ]
            : []),
    ];
    return [
        header("//", database),
        ...notDeclared(undeclared),
        ...(withText
            ? ['import { readFileSync } from "node:fs";', 'import { join } from "node:path";', ""]
            : []),
        'import type * as pulumi from "@pulumi/pulumi";',
        importLine(["type Connection", ...kinds].sort(byName)),
        "",
        "/** Everything that stands in the database, each object after those that it reads. */",
        "export function declare(",
        "    connection: pulumi.Input<Connection>,",
        "    opts: pulumi.CustomResourceOptions = {},",
        ") {",
        ...body,
        ...resources.flatMap((resource) => ["", ...declaration(resource, resources)]),
        "",
        `    return ${printValue(
            Object.fromEntries(
                resources.map(({ names: { constant } }) => [constant, new Expression(constant)]),
            ),
            1,
            "    return ".length,
        )};`,
        "}",
        "",
    ].join("\n");
}

function notDeclared(undeclared: readonly Undeclared[]): string[] {
    if (undeclared.length === 0) return [""];
    return [
        "//",
        "// Not declared here; pulumi leaves it as it is:",
        ...undeclared.map(
            ({ object, what, why }) => `// - ${inComment(`${object}: ${what}: ${why}`)}`,
        ),
        "",
    ];
}

function importLine(names: readonly string[]): string {
    const line = `import { ${names.join(", ")} } from "pulumi-timescale";`;
    return line.length <= 100
        ? line
        : ["import {", ...names.map((name) => `    ${name},`), '} from "pulumi-timescale";'].join(
              "\n",
          );
}

function byName(one: string, other: string): number {
    return one.replace("type ", "") < other.replace("type ", "") ? -1 : 1;
}

function declaration(resource: Named, resources: readonly Named[]): string[] {
    const { kind, names, remarks, inputs, text, reads } = resource;
    const properties = propertiesOf(inputs, text && { property: text.property, file: names.file });
    return [
        ...remarks.map((remark) => `    // ${inComment(remark)}`),
        `    const ${names.constant} = new ${kind}(`,
        `${indent(2)}${printString(names.resource)},`,
        `${indent(2)}${printProperties(properties, 2)},`,
        `${indent(2)}${options(
            kind,
            reads.map((at) => resources[at]?.names.constant ?? ""),
        )},`,
        "    );",
    ];
}

function options(kind: Named["kind"], sources: readonly string[]): string {
    if (sources.length > 0) return printCall("after", sources, 2);
    return kind === "Hypertable" ? "data" : "opts";
}

/** The connection first, and the text where the reader expects it: after the name. */
function propertiesOf(
    inputs: Named["inputs"],
    text: { readonly property: string; readonly file: string } | undefined,
): Readonly<Record<string, Value>> {
    const all: Record<string, Value> = { connection: new Expression("connection") };
    const withText = (): void => {
        if (text !== undefined && !(text.property in all)) {
            all[text.property] = new Expression(`sql(${printString(`${text.file}.sql`)})`);
        }
    };
    for (const [key, value] of Object.entries(inputs)) {
        if (key !== "schema" && key !== "name") withText();
        all[key] = value as Value;
    }
    withText();
    return all;
}
