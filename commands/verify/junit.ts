/**
 * The ten checks as JUnit XML, the form that CI servers read: one test suite, one test case a check.
 * Source: the schema of Jenkins' xUnit plugin, whose elements and attributes all of them understand.
 */
import type { Result } from "./result";

/** @param subject what was verified, such as a database's address */
export function junit(results: readonly Result[], subject: string, started: Date): string {
    const count = (outcome: Result["outcome"]): number =>
        results.filter((result) => result.outcome === outcome).length;
    const total = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const counts = `tests="${results.length}" failures="${count("failed")}" errors="0" skipped="${count("skipped")}" time="${seconds(total)}"`;
    return [
        '<?xml version="1.0" encoding="UTF-8"?>',
        `<testsuites name="npm run verify" ${counts}>`,
        `  <testsuite name="${escaped(subject)}" ${counts} timestamp="${started.toISOString().slice(0, 19)}">`,
        ...results.map((result) => testCase(result)),
        "  </testsuite>",
        "</testsuites>",
        "",
    ].join("\n");
}

function testCase({
    number,
    name,
    outcome,
    summary,
    problems,
    notes,
    milliseconds,
}: Result): string {
    const head = `    <testcase classname="verify" name="${number} ${escaped(name)}" time="${seconds(milliseconds)}"`;
    const said = escaped([summary, ...notes].join("\n"));
    const text = escaped(problems.join("\n"));
    const first = escaped(problems[0] ?? "");
    const inside = {
        passed: [],
        failed: [`      <failure message="${first}" type="${escaped(name)}">${text}</failure>`],
        skipped: [`      <skipped message="${first}"/>`],
    }[outcome];
    return [
        `${head}>`,
        ...inside,
        `      <system-out>${said}</system-out>`,
        "    </testcase>",
    ].join("\n");
}

function seconds(milliseconds: number): string {
    return (milliseconds / 1000).toFixed(3);
}

/** Also what XML 1.0 cannot hold in any form: most control characters and halves of surrogate pairs. */
function escaped(text: string): string {
    return text

        .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu, "\ufffd")
        .replace(/&/g, "&amp;")
        .replace(/</g, "&lt;")
        .replace(/>/g, "&gt;")
        .replace(/"/g, "&quot;")
        .replace(/[\t\n\r]/g, (white) => `&#${white.charCodeAt(0)};`);
}
