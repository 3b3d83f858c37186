/** Writes the generated program: all of it or nothing, and never over what somebody wrote. */
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";
import { isGenerated } from "./header";
import type { GeneratedFile } from "./program";

/** @throws TimescaleError before anything is written, if a file stands in the way */
export function writeProgram(
    folder: string,
    files: readonly GeneratedFile[],
    { force }: { readonly force: boolean },
): void {
    const standing = files.filter(({ path }) => existsSync(join(folder, path)));
    const foreign = standing.filter(({ path }) => !isOurs(join(folder, path)));
    if (foreign.length > 0) {
        throw new TimescaleError(`${folder} holds files that npm run import did not write`, {
            code: "file_exists",
            detail: `they are never overwritten, not even with --force: ${listed(foreign)}`,
            hint: "choose another folder with --out, or move them away",
        });
    }
    if (standing.length > 0 && !force) {
        throw new TimescaleError(`${folder} holds an earlier import`, {
            code: "file_exists",
            detail: `${standing.length} files would be overwritten: ${listed(standing)}`,
            hint: "choose another folder with --out, or overwrite them with --force; commit them first, to see what changes",
        });
    }
    for (const { path, text } of files) {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
    }
}

function isOurs(file: string): boolean {
    return lstatSync(file).isFile() && isGenerated(readFileSync(file, "utf8"));
}

function listed(files: readonly GeneratedFile[]): string {
    const names = files.slice(0, 5).map(({ path }) => path);
    return [...names, ...(files.length > 5 ? [`and ${files.length - 5} more`] : [])].join(", ");
}
