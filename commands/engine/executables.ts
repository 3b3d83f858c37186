/**
 * Finds executables on PATH without running them.
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The folder on PATH that has this executable, or undefined. */
export function folderOnPath(
    name: string,
    path: string = process.env["PATH"] ?? "",
): string | undefined {
    return path
        .split(delimiter)
        .find((folder) => folder !== "" && isExecutable(join(folder, name)));
}

export function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
    } catch {
        // Absent, unreadable and not executable are all the same to a search.
        return false;
    }
}
