/** Runs the `declare.ts` of a generated program, with classes that only remember what they were given. */
import { join } from "node:path";

import typescript from "typescript";

import type { GeneratedFile } from "../../commands/import/program";

export interface DeclaredResource {
    readonly kind: string;
    readonly resource: string;
    /** With the connection. */
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly opts: { readonly protect?: boolean; readonly dependsOn?: readonly unknown[] };
}

interface Module {
    readonly declare: (connection: unknown, opts?: object) => Readonly<Record<string, unknown>>;
}

/**
 * @param modules what its imports give, beside Node's own
 * @param read gives the text of a file beside it
 */
export function loadDeclare(
    code: string,
    modules: Readonly<Record<string, unknown>>,
    read: (path: string) => string,
): Module {
    const { outputText } = typescript.transpileModule(code, {
        compilerOptions: {
            target: typescript.ScriptTarget.ES2022,
            module: typescript.ModuleKind.CommonJS,
        },
    });
    const module = { exports: {} as Module };
    const known: Readonly<Record<string, unknown>> = {
        "node:fs": { readFileSync: (path: string) => read(path) },
        "node:path": { join },
        ...modules,
    };
    const require = (name: string): unknown => {
        if (name in known) return known[name];
        throw new Error(`the generated program imports ${name}`);
    };
    // In this very context: Pulumi takes the lists of another one for objects.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const run = new Function("module", "exports", "require", "__dirname", outputText) as (
        ...values: readonly unknown[]
    ) => void;
    run(module, module.exports, require, "");
    return module.exports;
}

/** Everything that a generated program declares, in its order. */
export function declaredBy(
    files: readonly GeneratedFile[],
    connection: unknown,
): DeclaredResource[] {
    const declared: DeclaredResource[] = [];
    const remember = (kind: string) =>
        function (resource: string, inputs: object, opts: object): void {
            declared.push({ kind, resource, inputs: { ...inputs }, opts });
        };
    const text = (path: string): string => {
        const file = files.find((it) => it.path === path);
        if (file === undefined) throw new Error(`there is no file ${path}`);
        return file.text;
    };
    const kinds = ["Hypertable", "ContinuousAggregate", "View", "SqlFunction"];
    const { declare } = loadDeclare(
        text("declare.ts"),
        { "pulumi-timescale": Object.fromEntries(kinds.map((kind) => [kind, remember(kind)])) },
        text,
    );
    declare(connection);
    return declared;
}
