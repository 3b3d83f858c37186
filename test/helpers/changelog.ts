/** CHANGELOG.md by version, the newest first. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface ChangelogSection {
    readonly version: string;
    readonly text: string;
}

export function changelogSections(): readonly ChangelogSection[] {
    const text = readFileSync(join(__dirname, "..", "..", "CHANGELOG.md"), "utf8");
    return text
        .split(/^## /m)
        .slice(1)
        .map((section) => ({ version: section.split("\n")[0] ?? "", text: section }));
}

/** What versions after this one say under "Changes a preview". */
export function previewChangesSince(
    version: string,
    sections: readonly ChangelogSection[] = changelogSections(),
): string {
    const at = sections.findIndex((section) => section.version === version);
    return sections
        .slice(0, Math.max(0, at))
        .map(
            ({ text }) =>
                /^### Changes a preview\n([^]*?)(?=^### |$(?![^]))/m.exec(text)?.[1] ?? "",
        )
        .join("\n");
}
