/** The changelog has a section for the present version, which says what changes a preview. */
import { version } from "../../package.json";
import { changelogSections, previewChangesSince } from "../helpers/changelog";

const sections = changelogSections();

it("has a section for the present version", () => {
    expect(sections.map((section) => section.version)).toContain(version);
});

it.each(sections.map((section) => [section.version, section.text]))(
    "says what changes a preview in %s",
    (_, section) => {
        expect(section).toMatch(/^### Changes a preview\n\n\S/m);
        expect(section).toMatch(/^### For users\n\n\S/m);
    },
);

it("tells what changes a preview between two versions", () => {
    const section = (one: string, changes: string): { version: string; text: string } => ({
        version: one,
        text: `${one}\n\n### Changes a preview\n\n${changes}\n\n### For users\n\n- others\n`,
    });
    const all = [section("0.3.0", "`a` shows"), section("0.2.0", "`b` shows"), section("0.1.0", "`c`")]; // prettier-ignore

    expect(previewChangesSince("0.1.0", all).match(/`\w`/g)).toEqual(["`a`", "`b`"]);
    expect(previewChangesSince("0.2.0", all).match(/`\w`/g)).toEqual(["`a`"]);
    expect(previewChangesSince("0.3.0", all)).toBe("");
});
