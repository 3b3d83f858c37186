/** The project's tracked files as commits that a test makes of them, and checkouts of these. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { temporaryFolder } from "../programFolder";

const root = dirname(dirname(dirname(__dirname)));

/** Changed files by path: the text before in, the text after out. */
export type Edits = Readonly<Record<string, (text: string) => string>>;

export interface Project {
    /** A new commit, the newest of its branch; gives its id. */
    readonly commit: (edits: Edits, parent?: string) => string;
    /** Puts the files of a commit into an empty folder, with the dependencies. */
    readonly checkout: (into: string, commit: string) => void;
}

export function openProject(): Project {
    const commits = new Map<string, string>();
    const checkout: Project["checkout"] = (into, commit) => {
        const from = commits.get(commit);
        if (from === undefined) throw new Error(`there is no commit ${commit}`);
        cpSync(from, into, { recursive: true });
        symlinkSync(join(root, "node_modules"), join(into, "node_modules"));
    };
    const commit: Project["commit"] = (edits, parent) => {
        const id = (commits.size + 1).toString(16).padStart(40, "c0ffee");
        const folder = temporaryFolder("observatory-commit-");
        if (parent === undefined) copyTracked(folder);
        else cpSync(commits.get(parent) ?? "", folder, { recursive: true });
        for (const [path, edit] of Object.entries(edits)) {
            const file = join(folder, path);
            const before = readFileSync(file, "utf8");
            const after = edit(before);
            if (after === before) throw new Error(`an edit of ${path} changes nothing`);
            writeFileSync(file, after);
        }
        commits.set(id, folder);
        return id;
    };
    return { commit, checkout };
}

function copyTracked(folder: string): void {
    const listed = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
    for (const path of listed.split("\0").filter(Boolean)) {
        // One that is deleted and not yet committed.
        if (!existsSync(join(root, path))) continue;
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        cpSync(join(root, path), join(folder, path));
    }
}
