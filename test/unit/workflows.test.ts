/** What the workflows must not do, whoever changes them; their syntax is actionlint's business, see test/integration. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(__dirname, "../../.github/workflows");
const workflows = readdirSync(folder).map((name) => {
    return { name, text: readFileSync(join(folder, name), "utf8") };
});

/** `name: line` for every line that matches. */
function lines(pattern: RegExp): string[] {
    return workflows.flatMap(({ name, text }) =>
        text
            .split("\n")
            .filter((line) => pattern.test(line))
            .map((line) => `${name}: ${line.trim()}`),
    );
}

/** The shell of every step. */
function scripts(text: string): string[] {
    return [...text.matchAll(/^( *)(?:- )?run: (.*(?:\n(?:\1 +.*)?)*)/gm)].map(
        ([, , script = ""]) => script,
    );
}

describe("the workflows", () => {
    it("are there", () => {
        expect(workflows.map(({ name }) => name).sort()).toEqual([
            "destroy.yml",
            "drift.yml",
            "review.yml",
            "test.yaml",
            "up-stack.yml",
            "up.yml",
        ]);
        expect(workflows.flatMap(({ text }) => scripts(text)).length).toBeGreaterThan(15);
    });

    it("pin every action by its full commit, and say its version", () => {
        const used = lines(/\buses: /);
        expect(used.length).toBeGreaterThan(10);
        expect(
            used.filter(
                (line) =>
                    !/uses: (?:[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/up-stack\.yml)$/.test(
                        line,
                    ),
            ),
        ).toEqual([]);
    });

    it("pin each action to one commit", () => {
        const pins = new Set(
            lines(/\buses: actions\//).map((line) => line.replace(/^.*uses: /, "")),
        );
        expect([...pins].map((pin) => pin.split("@")[0]).sort()).toEqual([
            "actions/checkout",
            "actions/download-artifact",
            "actions/setup-node",
            "actions/upload-artifact",
        ]);
    });

    it("never run a pull request's code with the rights of the base", () => {
        expect(lines(/^ *(?:pull_request_target|workflow_run|issue_comment)\b/)).toEqual([]);
        expect(
            workflows
                .filter(({ text }) => !/persist-credentials: false/.test(text))
                .map(({ name }) => name),
        ).toEqual(["up.yml"]);
    });

    it("put nothing that comes from outside into a script", () => {
        const injecting = workflows.flatMap(({ name, text }) =>
            scripts(text)
                .filter((script) => script.includes("${{"))
                .map((script) => `${name}: ${script}`),
        );
        expect(injecting).toEqual([]);
    });

    it("begin without any permission but to read, and write nothing but comments and issues", () => {
        expect(
            workflows.filter(
                ({ text }) => !/^permissions:(?: \{\}|\n {2}contents: read)$/m.test(text),
            ),
        ).toEqual([]);
        expect(lines(/: write/)).toEqual([
            "drift.yml: issues: write",
            "review.yml: pull-requests: write",
        ]);
    });

    it("read secrets only in jobs of an environment, and none where something is written", () => {
        for (const { name, text } of workflows) {
            const jobs = text.slice(text.indexOf("\njobs:")).split(/\n(?= {2}\w+:\n)/);
            for (const job of jobs.filter((one) => one.includes("${{ secrets."))) {
                expect([name, /^ {4}environment: /m.test(job), /: write/.test(job)]).toEqual([
                    name,
                    true,
                    false,
                ]);
            }
        }
    });

    it("let one run at a time work on a stack, and approve nothing in advance", () => {
        expect(lines(/npm run pulumi -- (?:up|destroy)/)).toHaveLength(2);
        expect(lines(/group: stack-\$\{\{ inputs\.stack \}\}/)).toHaveLength(2);
        expect(lines(/cancel-in-progress: true/)).toEqual(["test.yaml: cancel-in-progress: true"]);
        const up = workflows.find(({ name }) => name === "up-stack.yml")?.text ?? "";
        expect(up.indexOf("forge -- same")).toBeGreaterThan(0);
        expect(up.indexOf("forge -- same")).toBeLessThan(up.indexOf("pulumi -- up"));
        const destroy = workflows.find(({ name }) => name === "destroy.yml")?.text ?? "";
        expect(destroy.indexOf("forge -- confirm")).toBeLessThan(
            destroy.indexOf("pulumi -- destroy"),
        );
    });
});
