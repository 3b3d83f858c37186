/** The API reference as Markdown, by TypeDoc, out of what `components/timescale/index.ts` exports. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";

/**
 * Writes the folder anew.
 *
 * @throws TimescaleError when something that is exported has no docstring, or names what is not exported
 */
export async function writeReference(root: string, out: string): Promise<void> {
    const folder = resolve(out);
    const { Application } = await import("typedoc");
    const application = await Application.bootstrapWithPlugins({
        plugin: ["typedoc-plugin-markdown"],
        entryPoints: [join(root, "components", "timescale", "index.ts")],
        tsconfig: join(root, "tsconfig.package.json"),
        outputs: [{ name: "markdown", path: folder }],
        name: "pulumi-timescale",
        readme: "none",
        basePath: root,
        // The same from every checkout and commit.
        disableGit: true,
        gitRevision: "none",
        sourceLinkTemplate: "{path}",
        hideGenerator: true,
        excludeExternals: true,
        excludeProtected: true,
        excludePrivate: true,
        sort: ["source-order"],
        validation: { notDocumented: true, notExported: true, invalidLink: true },
        requiredToBeDocumented: ["Class", "Interface", "Property", "Function", "TypeAlias"],
        intentionallyNotExported: ["sslModes", "privileges", "functionPrivileges", "rules"],
        logLevel: "Warn",
        ...layout,
    });
    const project = await application.convert();
    if (project !== undefined) application.validate(project);
    if (
        project === undefined ||
        application.logger.hasErrors() ||
        application.logger.hasWarnings()
    ) {
        throw new TimescaleError("the reference cannot be written", {
            code: "docs_failed",
            detail: "TypeDoc has said above what it misses",
            hint: "document it, or export it from components/timescale/index.ts",
        });
    }
    await application.generateOutputs(project);
    for (const name of readdirSync(folder)) {
        const file = join(folder, name);
        writeFileSync(file, tidy(readFileSync(file, "utf8")));
    }
}

/** Options of typedoc-plugin-markdown: a page for each name, side by side. */
const layout: object = {
    router: "member",
    flattenOutputFiles: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    parametersFormat: "table",
};

/**
 * The page with what it is for kept: where the name is defined, without the line, which would be another
 * one after most edits; and each default on one line, whatever TypeDoc takes it for.
 */
export function tidy(page: string): string {
    let first = true;
    return page
        .replace(/^Defined in: \[([^\]:]+):\d+\]\([^)]*\)\n\n/gm, (_, file: string) => {
            const kept = first ? `Defined in [${file}](../../${file}).\n\n` : "";
            first = false;
            return kept;
        })
        .replace(
            /^#+ Default\n\n(?:```ts\n([\s\S]*?)\n```|(\S[\s\S]*?))\n(?=\n|$(?![\s\S]))/gm,
            asLine,
        )
        .replace(/^#+ (?:Inherited from|Overrides)\n\n.*\n\n?/gm, "");
}

function asLine(_: string, code: string | undefined, prose: string | undefined): string {
    const text = (code ?? prose ?? "").replace(/^- /, "").replaceAll(/\s+/g, " ");
    return `Default: ${text}.\n`;
}
