import { exitCodeOf } from "../../commands/test/exitCode";

describe("the exit code of npm test", () => {
    it.each([
        ["everything passed", 0, "10 passed, 0 failed, 2 skipped\n", 0],
        ["something failed and Jest says so", 1, "9 passed, 1 failed, 0 skipped\n", 1],
        ["something failed and Jest does not say so", 0, "9 passed, 1 failed, 0 skipped\n", 1],
        ["Jest itself was ended", 130, undefined, 130],
        ["nothing was run", 0, undefined, 0],
    ])("is right where %s", (_what, code, totals, expected) => {
        expect(exitCodeOf(code, totals)).toBe(expected);
    });
});
