/** The workflows as the tests run them: their YAML, of which every key has to be known here. */
import { readFileSync } from "node:fs";

import { parse } from "yaml";

export interface Workflow {
    readonly file: string;
    readonly jobs: Readonly<Record<string, Job>>;
}

export interface Job {
    readonly needs?: string | readonly string[];
    readonly if?: string;
    readonly permissions?: Readonly<Record<string, string>>;
    readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
    readonly environment?: string;
    readonly outputs?: Readonly<Record<string, string>>;
    readonly steps?: readonly Step[];
    /** Another workflow instead of steps. */
    readonly uses?: string;
    readonly with?: Readonly<Record<string, string>>;
}

export interface Step {
    readonly id?: string;
    readonly name?: string;
    readonly if?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly run?: string;
    readonly uses?: string;
    readonly with?: Readonly<Record<string, string | number | boolean>>;
    readonly "continue-on-error"?: boolean;
}

/** Keys that say nothing of what is run: triggers are chosen by the tests, which have no other runs at the same time. */
const known = {
    workflow: ["name", "on", "permissions", "concurrency", "jobs"],
    job: [
        ...["needs", "if", "runs-on", "timeout-minutes", "permissions", "strategy", "environment"],
        ...["concurrency", "outputs", "steps", "uses", "with", "secrets"],
    ],
    strategy: ["fail-fast", "matrix"],
    matrix: ["stack"],
    step: ["id", "name", "if", "env", "run", "uses", "with", "continue-on-error"],
};

/** @throws Error at a key that is not known */
export function readWorkflow(file: string): Workflow {
    const workflow = parse(readFileSync(file, "utf8")) as Workflow;
    check(file, "workflow", workflow);
    for (const job of Object.values(workflow.jobs)) {
        check(file, "job", job);
        check(file, "strategy", job.strategy ?? {});
        check(file, "matrix", job.strategy?.matrix ?? {});
        for (const step of job.steps ?? []) check(file, "step", step);
    }
    return { ...workflow, file };
}

function check(file: string, what: keyof typeof known, value: object): void {
    for (const key of Object.keys(value)) {
        if (known[what].includes(key)) continue;
        throw new Error(`${file}: the tests do not know what "${key}" of a ${what} does`);
    }
}
