/** The API reference in docs/api is what the docstrings say, and its links lead somewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..");
const api = join(root, "docs", "api");

function pages(folder: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
        readdirSync(folder)
            .sort()
            .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );
}

describe("the API reference", () => {
    const folder = mkdtempSync(join(tmpdir(), "observatory-docs-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it("is up to date: npm run docs", () => {
        const command = ["--import", "tsx", "commands/docs.ts", "--out", folder];
        execFileSync(process.execPath, command, { cwd: root, stdio: "pipe" });

        expect(pages(folder)).toEqual(pages(api));
    });

    it("says of every property that may be left out what holds then", () => {
        const silent = Object.entries(pages(api)).flatMap(([page, text]) =>
            text
                .split(/^### /m)
                .filter((part) => /^\w+\?\n/.test(part) && !/^Default: \S/m.test(part))
                .map((part) => `${page}: ${part.split("\n")[0]}`),
        );
        expect(silent).toEqual([]);
    });

    it("names no machine, no line and no commit, which would be others tomorrow", () => {
        const found = Object.values(pages(api)).flatMap((text) => [
            ...text.matchAll(/\.ts:\d+|\b[0-9a-f]{40}\b|file:\/\/\S*/g),
        ]);
        expect(found).toEqual([]);
    });
});

describe("the links", () => {
    const files = ["README.md", "CONTRIBUTING.md"].concat(
        readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith(".md"))
            .map((name) => join("docs", name)),
    );

    it.each(files)("of %s lead to files that are there", (file) => {
        const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
        const missing = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
            .map(([, link = ""]) => link)
            .filter((link) => !existsSync(join(root, dirname(file), link)));
        expect(missing).toEqual([]);
    });
});
