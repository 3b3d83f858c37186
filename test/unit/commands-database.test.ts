/** Which database a command works on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Command } from "commander";

import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
} from "../../commands/database/choice";
import { overridesIn } from "../../commands/database/overrides";
import { stackName } from "../../commands/database/stackName";
import { bindToReview } from "../../commands/start/reviewedFile";
import { defaultTarget } from "../../components/observatory/slaTargets";
import { reviewedVariable } from "../../components/timescale/provider/reviewed";

function choose(args: readonly string[], environment: NodeJS.ProcessEnv = {}): DatabaseChoice {
    const command = addDatabaseOptions(new Command("x").exitOverride());
    command.parse([...args], { from: "user" });
    return databaseChoice(command.opts(), environment);
}

describe("the database of a command", () => {
    it("is that of the stack of npm start, whatever libpq's variables say", () => {
        expect(choose([], { PGHOST: "elsewhere" })).toEqual({
            server: undefined,
            stack: undefined,
        });
    });

    it("is that of a stack by its name, also one of the plain CLI", () => {
        expect(choose(["--stack", "docker"]).stack).toBe("docker");
        expect(choose(["--stack", "acme/llm-observatory/prod"]).stack).toBe(
            "acme/llm-observatory/prod",
        );
    });

    it("is one that the options name, with libpq's variables for the rest", () => {
        expect(
            choose(["--db-host", "db.example.com"], { PGUSER: "me", PGDATABASE: "d" }),
        ).toMatchObject({
            server: { host: "db.example.com", port: 5432, database: "d", user: "me" },
            stack: undefined,
        });
    });

    it("is not two", () => {
        expect(() => choose(["--stack", "docker", "--db-name", "y"])).toThrow(
            expect.objectContaining({
                message: "--stack and the --db options name two databases",
                code: "invalid_option",
            }) as Error,
        );
    });
});

describe("the name of a stack", () => {
    it.each(["prod", "deploy-db.example.com-5432-metrics-1f3a5c", "me/llm-observatory/prod"])(
        "may be %s",
        (name) => expect(stackName(name)).toBe(name),
    );

    it.each(["", "../x", "a/../b", "..", "a b", "a/b/c/d", "x".repeat(101)])("is not %j", (name) =>
        expect(() => stackName(name)).toThrow("A stack's name has"),
    );
});

describe("the review that a command is bound to", () => {
    const folder = mkdtempSync(join(tmpdir(), "bound-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it("is read before anything is begun, from the folder in which the user stands", () => {
        writeFileSync(join(folder, "reviewed.json"), '{"steps": [], "changeSummary": {}}');
        const environment = { INIT_CWD: folder, [reviewedVariable]: "reviewed.json" };
        bindToReview(environment);

        expect(environment[reviewedVariable]).toBe(join(folder, "reviewed.json"));
        expect(() => bindToReview({ INIT_CWD: folder, [reviewedVariable]: "none.json" })).toThrow(
            expect.objectContaining({
                code: "reviewed_preview",
                detail: expect.stringContaining(join(folder, "none.json")) as string,
            }) as Error,
        );
        expect(() => bindToReview({})).not.toThrow();
    });
});

describe("what a stack declares otherwise", () => {
    const read = (config: object) =>
        overridesIn(
            "prod",
            JSON.stringify(
                Object.fromEntries(
                    Object.entries(config).map(([key, value]) => [`llm-observatory:${key}`, { value: value as string }]), // prettier-ignore
                ),
            ),
        );

    it("is read from its config, and is nothing where that is the program's defaults", () => {
        const changes = { llm_traces: { retentionPolicy: { dropAfter: "30 days" } } };

        expect(
            read({
                policies: JSON.stringify(changes),
                slaTargets: '[{"model": "m", "p95Ms": 1}]',
                schema: "metrics",
                helpers: "false",
                target: "nonsense",
            }),
        ).toEqual({
            policies: changes,
            slaTargets: [{ ...defaultTarget, model: "m", p95Ms: 1 }, defaultTarget],
            schema: "metrics",
            helpers: false,
        });
        const nothing = { policies: {}, slaTargets: [defaultTarget], schema: "public", helpers: true }; // prettier-ignore
        expect(read({})).toEqual(nothing);
        expect(read({ policies: "", slaTargets: "" })).toEqual(nothing);
        expect(overridesIn("prod", '{"other:policies": {"value": "x"}}')).toEqual(nothing);
    });

    it("is refused with every problem, as up would", () => {
        expect(() => read({ policies: "{", slaTargets: "{}" })).toThrow(
            expect.objectContaining({
                message: "the configuration of stack prod cannot be used",
                detail: expect.stringMatching(/policies cannot be used.*slaTargets is not a list/s) as string, // prettier-ignore
            }) as Error,
        );
    });
});
