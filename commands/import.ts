/**
 * `npm run import`: from a database that stands to a Pulumi program that declares it, such that
 * `pulumi up` changes nothing.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { Connection } from "../components/timescale/core/connection/connection";
import { withSession } from "../components/timescale/core/connection/session";
import { TimescaleError } from "../components/timescale/core/errors";
import { withPassword } from "./database/password";
import { endWith } from "./ending";
import { slug } from "./import/names";
import { type ImportOptions, parseOptions } from "./import/options";
import { generate } from "./import/program";
import { type Imported, readDatabase } from "./import/read";
import { type Result, resultAsJson, resultAsText, undeclaredTable } from "./import/report";
import { writeProgram } from "./import/write";
import { withStep } from "./progress";

const root = dirname(__dirname);

/** The exit code when something was left out. */
const incomplete = 2;

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const connection = await withPassword(options.server, process.env);
    const imported = await read(connection, options);
    refuseEmpty(imported, connection);
    const folder = resolve(options.out ?? join(root, "imported", folderName(connection.database)));
    const program = generate(imported, {
        connection,
        folder,
        root,
        stack: options.stack,
        versions: versionsOf(["@pulumi/pulumi", "tsx"]),
    });
    writeProgram(folder, program.files, options);
    const { undeclared } = imported;
    const result: Result = { connection, folder, stack: options.stack, program, undeclared };
    process.stdout.write(
        options.json
            ? `${JSON.stringify(resultAsJson(result), null, 2)}\n`
            : `\n${resultAsText(result)}\n`,
    );
    return undeclared.length === 0 ? 0 : incomplete;
}

function read(connection: Connection, { schemas }: ImportOptions): Promise<Imported> {
    return withStep("reading the database", async (step) => {
        const imported = await withSession(connection, (session) =>
            readDatabase(session, {
                schemas,
                onObject: (at, of) => step.report(`reading object ${at} of ${of}`),
            }),
        );
        const { declarations, undeclared, timescaleVersion } = imported;
        const left = undeclared.length === 0 ? "" : `; not declared: ${undeclared.length}`;
        step.done(
            `read ${connection.database}, TimescaleDB ${timescaleVersion}: ${declarations.length} objects${left}`,
        );
        return imported;
    });
}

function refuseEmpty({ declarations, undeclared }: Imported, { database }: Connection): void {
    if (declarations.length > 0) return;
    if (undeclared.length > 0) process.stderr.write(`${undeclaredTable(undeclared)}\n`);
    throw new TimescaleError(`database ${database} holds nothing that can be declared`, {
        code: "nothing_to_import",
        detail: "nothing was written",
        hint: "check --db-name, --schema and the privileges of --db-user",
    });
}

function folderName(database: string): string {
    return /^\w[\w.-]*$/.test(database) ? database : slug(database) || "database";
}

function versionsOf(names: readonly string[]): Readonly<Record<string, string>> {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
        readonly dependencies: Readonly<Record<string, string>>;
    };
    return Object.fromEntries(names.map((name) => [name, manifest.dependencies[name] ?? "*"]));
}

endWith(main());
