/** The changelog has a section for the present version, which says what changes a preview. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { version } from "../../package.json";

const text = readFileSync(join(__dirname, "..", "..", "CHANGELOG.md"), "utf8");
const sections = text
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => [section.split("\n")[0] ?? "", section]);

it("has a section for the present version", () => {
    expect(sections.map(([title]) => title)).toContain(version);
});

it.each(sections)("says what changes a preview in %s", (_, section) => {
    expect(section).toMatch(/^### Changes a preview\n\n\S/m);
    expect(section).toMatch(/^### For users\n\n\S/m);
});
