/** Which database a command works on. */
import { Command } from "commander";

import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
} from "../../commands/database/choice";

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
