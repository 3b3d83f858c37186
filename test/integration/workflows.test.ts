/** The workflows as actionlint reads them: on PATH, else built from its Go module. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { recordEnvironment } from "../helpers/environment";

const root = join(__dirname, "../..");
const folder = ".github/workflows";
const pinned = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

type Linter = readonly [command: string, ...args: readonly string[]];

function run(
    [command, ...first]: Linter,
    args: readonly string[],
    input?: string,
): ReturnType<typeof spawnSync> {
    return spawnSync(command, [...first, ...args], {
        cwd: root,
        encoding: "utf8",
        timeout: 150_000,
        input,
    });
}

const ways: readonly Linter[] = [["actionlint"], ["go", "run", pinned]];

describe("actionlint", () => {
    it("finds nothing in the workflows, and something in a wrong one", () => {
        const linter = ways.find((way) => run(way, ["-version"]).status === 0);
        if (linter === undefined) {
            recordEnvironment(
                `not run: actionlint: neither on PATH nor to be had by go run ${pinned}`,
            );
            return;
        }
        const files = readdirSync(join(root, folder)).map((name) => join(folder, name));
        const linted = run(linter, ["-no-color", ...files]);
        const wrong = run(
            linter,
            ["-no-color", "-"],
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ foo.bar }}\n",
        );

        expect([linted.stdout, linted.stderr]).toEqual(["", ""]);
        expect(linted.status).toBe(0);
        expect([wrong.status, wrong.stdout]).toEqual([
            1,
            expect.stringContaining("undefined variable"),
        ]);
    });
});
