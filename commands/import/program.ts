/** The files of the generated program. Pure: what is read and where it goes are given. */
import { relative, sep } from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { declareFile, type Named, textFolder } from "./declareFile";
import { header, jsonHeader } from "./header";
import { giveNames, slug } from "./names";
import type { Imported } from "./read";
import { yamlText } from "./yaml";

export interface ProgramOptions {
    readonly connection: Connection;
    readonly stack: string;
    /** Where the program is going to lie. */
    readonly folder: string;
    /** The checkout of this package. */
    readonly root: string;
    /** Versions that a program outside of the checkout asks for. */
    readonly versions: Readonly<Record<string, string>>;
}

export interface GeneratedFile {
    /** From the program's folder, with slashes. */
    readonly path: string;
    readonly text: string;
}

export interface Program {
    readonly project: string;
    readonly resources: readonly Named[];
    readonly files: readonly GeneratedFile[];
    /** Whether it finds the package by its own name. */
    readonly inside: boolean;
}

export function generate(imported: Imported, options: ProgramOptions): Program {
    const { connection, stack } = options;
    const { database } = connection;
    const project = `imported-${slug(database) || "database"}`;
    const inside = isInside(options);
    const given = giveNames(imported.declarations.map(({ name }) => name));
    const resources = imported.declarations.map((declaration, at): Named => {
        const names = given[at];
        if (names === undefined) throw new Error("every declaration has names");
        return { ...declaration, names };
    });
    const texts = resources.flatMap(({ text, names }) =>
        text === undefined
            ? []
            : [
                  {
                      path: `${textFolder}/${names.file}.sql`,
                      text: `${header("--", database)}\n${text.sql}`,
                  },
              ],
    );
    return {
        project,
        resources,
        inside,
        files: [
            { path: "Pulumi.yaml", text: projectFile(project, database) },
            { path: `Pulumi.${stack}.yaml`, text: stackFile(project, connection) },
            { path: "index.ts", text: indexFile(database) },
            { path: "declare.ts", text: declareFile(resources, imported.undeclared, database) },
            { path: "tsconfig.json", text: compilerFile(options, inside) },
            ...(inside ? [] : [{ path: "package.json", text: packageFile(project, options) }]),
            ...texts,
        ],
    };
}

function isInside({ folder, root }: ProgramOptions): boolean {
    const path = relative(root, folder);
    return path !== "" && !path.split(sep).some((part) => part === ".." || part === "node_modules");
}

function projectFile(project: string, database: string): string {
    const key = (name: string, type: string, description: string, value?: string): string[] => [
        `  ${name}:`,
        `    type: ${type}`,
        ...(value === undefined ? [] : [`    default: ${value}`]),
        `    description: ${description}`,
    ];
    return [
        header("#", database),
        `name: ${project}`,
        `description: ${yamlText(`What stands in database ${database}`)}`,
        "main: index.ts",
        "runtime:",
        "  name: nodejs",
        "  options:",
        "    packagemanager: npm",
        "    typescript: false",
        '    nodeargs: "--import tsx"',
        "",
        "config:",
        ...key("host", "string", "Host name or IP address of the server"),
        ...key("port", "integer", "TCP port of the server", "5432"),
        ...key("database", "string", "Database that everything stands in"),
        ...key("user", "string", "Login that owns what is declared, or acts for its owners"),
        "  password:",
        "    secret: true",
        '    description: "Password of user: pulumi config set --secret password"',
        ...key(
            "sslMode",
            "string",
            "disable, require, verify-ca or verify-full, as libpq has them",
            "verify-full",
        ),
        ...key(
            "sslRootCert",
            "string",
            '"PEM text of the certificate authority to trust; not set: the public ones"',
            '""',
        ),
        "",
    ].join("\n");
}

function stackFile(project: string, connection: Connection): string {
    const { host, port, database, user, sslMode, sslRootCert } = connection;
    const settings = Object.entries({ host, port: String(port), database, user, sslMode });
    return [
        header("#", database),
        "config:",
        ...settings.map(([key, value]) => `  ${project}:${key}: ${JSON.stringify(value)}`),
        ...(sslRootCert === undefined
            ? []
            : [
                  `  ${project}:sslRootCert: |`,
                  ...sslRootCert
                      .trimEnd()
                      .split(/\r?\n/)
                      .map((line) => `    ${line}`),
              ]),
        "",
    ].join("\n");
}

function indexFile(database: string): string {
    return `${header("//", database)}
import * as pulumi from "@pulumi/pulumi";
import type { Connection, SslMode } from "pulumi-timescale";

import { declare } from "./declare";

const config = new pulumi.Config();
const sslRootCert = config.get("sslRootCert");

const connection = config.requireSecret("password").apply((password): Connection => ({
    host: config.require("host"),
    port: config.requireNumber("port"),
    database: config.require("database"),
    user: config.require("user"),
    password,
    sslMode: config.require<SslMode>("sslMode"),
    ...(sslRootCert && { sslRootCert }),
}));

/** URNs of everything that is declared. */
export const declared = Object.values(declare(connection)).map(({ urn }) => urn);
`;
}

function compilerFile({ folder, root }: ProgramOptions, inside: boolean): string {
    const settings = inside
        ? { extends: `${slashes(relative(folder, root))}/tsconfig.json`, include: ["."] }
        : {
              compilerOptions: {
                  target: "ES2022",
                  module: "node16",
                  moduleResolution: "node16",
                  moduleDetection: "force",
                  strict: true,
                  exactOptionalPropertyTypes: true,
                  esModuleInterop: true,
                  skipLibCheck: true,
                  resolveJsonModule: true,
                  noEmit: true,
                  types: ["node"],
              },
              include: ["."],
          };
    return json({ ...jsonHeader, ...settings });
}

function packageFile(project: string, { folder, root, versions }: ProgramOptions): string {
    return json({
        ...jsonHeader,
        name: project,
        private: true,
        dependencies: {
            ...versions,
            "pulumi-timescale": `file:${slashes(relative(folder, root))}`,
        },
    });
}

/** As Prettier lays it out: short lists on one line. */
function json(value: object): string {
    return `${JSON.stringify(value, null, 2).replace(/\[\s+("[^"\n]*")\s+\]/g, "[$1]")}\n`;
}

function slashes(path: string): string {
    return path.split(sep).join("/");
}
