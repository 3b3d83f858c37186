/** What an import says at its end. */
import { relative } from "node:path";

import Table from "cli-table3";

import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Program } from "./program";
import type { Undeclared } from "./standing";

export interface Result {
    readonly connection: Connection;
    readonly folder: string;
    readonly stack: string;
    readonly program: Program;
    readonly undeclared: readonly Undeclared[];
}

/** Without the password. */
export function resultAsJson(result: Result): object {
    const { connection, folder, stack, program, undeclared } = result;
    const { host, port, database, user, sslMode } = connection;
    return {
        server: { host, port, database, user, sslMode },
        folder,
        project: program.project,
        stack,
        files: program.files.map(({ path }) => path),
        declared: program.resources.map(({ kind, object, names }) => ({
            resource: names.resource,
            kind,
            object,
        })),
        undeclared,
        next: nextSteps(result),
    };
}

export function resultAsText(result: Result): string {
    const { undeclared, program } = result;
    const remarks = program.resources.flatMap(({ object, remarks }) =>
        remarks.map((remark) => `  ${object}: ${remark}`),
    );
    return [
        ...(undeclared.length === 0
            ? []
            : ["Not declared, and left as it is:", undeclaredTable(undeclared)]),
        ...(remarks.length === 0 ? [] : [["Worth knowing:", ...remarks].join("\n")]),
        ["Next:", ...nextSteps(result).map((step) => `  ${step}`)].join("\n"),
    ].join("\n\n");
}

export function undeclaredTable(undeclared: readonly Undeclared[]): string {
    const table = new Table({
        head: [...columns],
        // Colours of the table's own would ignore NO_COLOR.
        style: { head: [], border: [], compact: true },
        colWidths: columns.map((column) => {
            const lengths = undeclared.map((row) => row[column].length);
            return Math.min(Math.max(column.length, ...lengths), widest) + 2;
        }),
        wordWrap: true,
    });
    table.push(...undeclared.map((row) => columns.map((column) => row[column])));
    return table.toString();
}

const columns = ["object", "what", "why"] as const;
const widest = 50;

/** Commands to run, in order. */
export function nextSteps({ folder, stack, program }: Result): string[] {
    const path = relative(process.cwd(), folder) || ".";
    return [
        `cd ${shell(path.startsWith("..") ? folder : path)}`,
        ...(program.inside ? [] : ["npm install"]),
        `pulumi stack select --create ${stack}`,
        "pulumi config set --secret password      # that of the login",
        "pulumi preview                           # takes everything over, and changes none of it",
        "pulumi up",
    ];
}

function shell(path: string): string {
    return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
