/** Which packages compiled files load. */
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";

/** Names of packages, without the path inside them, in order. Only for source checkouts: tsx. */
export function importedPackages(folder: string): readonly string[] {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".js"))
        .flatMap((file) => specifiers(readFileSync(join(folder, file), "utf8")))
        .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
        .map(packageOf);
    return [...new Set(names)].sort();
}

function specifiers(code: string): readonly string[] {
    return [...code.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name]) => name ?? "");
}

function packageOf(specifier: string): string {
    return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
