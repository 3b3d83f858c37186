/** What the tests of the workflows make of GitHub's expressions, and that they do not guess. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { condition, resolve } from "../helpers/workflows/expressions";
import { readWorkflow } from "../helpers/workflows/read";

const contexts = {
    github: { event: { number: 7, head: { repo: "o/r" } }, repository: "O/R" },
    needs: { gate: { result: "failure" } },
    steps: {},
};
const scope = { contexts, success: true };

describe("an expression", () => {
    it.each([
        ["${{ github.event.number }}", "7"],
        ["a ${{ github.repository }}/${{ github.event.head.repo }}", "a O/R/o/r"],
        ["${{ github.event.head.repo != github.repository }}", "false"],
        ["${{ needs.gate.result == 'success' || !always() }}", "false"],
        ["${{ (needs.gate.result == 'success' || true) && 'yes' }}", "yes"],
    ])("%s is %j", (text, value) => {
        expect(resolve(text, scope)).toBe(value);
    });

    it.each([
        ["${{ secrets.TOKEN }}", "there is no secrets.TOKEN"],
        ["${{ steps.review.outputs.code }}", "there is no steps.review.outputs.code"],
        ["${{ github.event }}", "there is no github.event"],
        ["${{ github.event['number'] }}", "what is \"['number'] \""],
        ["${{ fromJSON('1') }}", "there is no fromJSON"],
        ["${{ github.repository == }}", "it ends too early"],
        ["${{ (true }}", "a bracket is not closed"],
        ["${{ github.event.constructor }}", "there is no github.event.constructor"],
    ])("%s is none that they know", (text, why) => {
        expect(() => resolve(text, scope)).toThrow(why);
    });
});

describe("a condition", () => {
    it.each([
        [undefined, true, true],
        [undefined, false, false],
        ["needs.gate.result == 'failure'", false, false],
        ["needs.gate.result == 'failure'", true, true],
        ["always() && needs.gate.result == 'failure'", false, true],
        ["${{ failure() }}", false, true],
        ["failure()", true, false],
    ])("%j after success %j is %j", (text, success, runs) => {
        expect(condition(text, { contexts, success })).toBe(runs);
    });
});

it("a workflow with a key that they do not know is not run", () => {
    const folder = mkdtempSync(join(tmpdir(), "observatory-workflow-"));
    const file = join(folder, "x.yml");
    writeFileSync(
        file,
        "on: push\njobs:\n  a:\n    steps:\n      - run: true\n        shell: pwsh\n",
    );
    expect(() => readWorkflow(file)).toThrow('do not know what "shell" of a step does');
    rmSync(folder, { recursive: true });
});
