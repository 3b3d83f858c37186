/**
 * The workflows, run as they are written: their steps by bash, in checkouts of this project, with a real engine and
 * database and a server that plays GitHub's API. What the forge itself does, such as waiting for a reviewer, is not here.
 */
import { join } from "node:path";

import type { TestDatabase } from "../helpers/databases";
import { testServers } from "../helpers/databases";
import { describeOnServers } from "../helpers/engineStack";
import { type JobRun, runWorkflow, together, type Trigger } from "../helpers/workflows/run";
import { createStage, type Stage } from "../helpers/workflows/stage";
import { query } from "./readings";

const aggregatesFile = "components/observatory/aggregates.ts";
const workflows = join(__dirname, "../../.github/workflows");
const approval = "destructive-approved";

// A test here has up to eight runs of the engine, of which each takes ten seconds where nothing else runs.
jest.setTimeout(900_000);

/** Every job by its name and stack. */
function results(runs: readonly JobRun[]): Readonly<Record<string, string>> {
    return Object.fromEntries(
        runs.map(({ job, stack, result }) => [stack === "" ? job : `${job} ${stack}`, result]),
    );
}

function of(runs: readonly JobRun[], job: string, stack: string): JobRun {
    const found = runs.find((one) => one.job === job && one.stack === stack);
    if (found === undefined) throw new Error(`${job} of ${stack} did not run`);
    return found;
}

const reworded = {
    [aggregatesFile]: (text: string) => text.replace("with status ERROR", "that failed"),
};

const withoutSummary = {
    [aggregatesFile]: (text: string) =>
        text.replace(/ {4}\{\n {8}name: "llm_error_summary",[^]*?\n {4}\},\n/, ""),
};

/** As somebody would who wants it to be open. */
const withoutGate = {
    "commands/forge.ts": (text: string) => text.replace("endWith(main());", "process.exit(0);"),
};

describeOnServers(
    "the workflows",
    (server) => {
        let stage: Stage;
        const databases: Record<string, TestDatabase> = {};

        const run = (
            file: string,
            trigger?: Trigger,
            runner = stage.runner,
        ): Promise<readonly JobRun[]> => runWorkflow(runner, join(workflows, file), trigger);

        /** What the forge does when a pull request is opened, moves or is labelled. */
        const review = (
            head: string,
            trigger: Trigger = {},
            from = stage.runner.forge.repository,
            runner = stage.runner,
        ): Promise<readonly JobRun[]> => {
            const { pull } = stage.runner.forge;
            pull.head = head;
            const pull_request = {
                number: pull.number,
                head: { sha: head, repo: { full_name: from } },
                base: { sha: stage.main },
            };
            return run("review.yml", { ...trigger, event: { pull_request } }, runner);
        };

        /** The one on the pull request. */
        const commentAt = (stack: string): string => {
            const bodies = stage.runner.forge.comments.map(({ body }) => body);
            return bodies.find((body) => body.includes(`review of llm-observatory/${stack}`)) ?? "";
        };

        const sql = <T extends Record<string, unknown>>(
            stack: string,
            text: string,
        ): Promise<T[]> => query<T>(databases[stack]!.owner, text);

        /** Somebody changes how often the last aggregate of prod is refreshed. */
        const everyMinutes = (minutes: number): Promise<unknown> =>
            sql(
                "prod",
                `SELECT alter_job(job_id, schedule_interval => '${minutes} minutes') FROM timescaledb_information.jobs
                 WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config->>'mat_hypertable_id' = (
                     SELECT mat_hypertable_id::text FROM _timescaledb_catalog.continuous_agg
                     WHERE user_view_name = 'llm_metrics_1day')`,
            );

        /** The one in the database, on the aggregate that the pull request is about. */
        const commentIn = async (stack: string): Promise<string | undefined> => {
            const read = "SELECT obj_description('llm_error_summary'::regclass) AS comment";
            return (await sql<{ comment: string }>(stack, read))[0]?.comment;
        };

        beforeAll(async () => {
            for (const stack of ["staging", "prod"]) {
                databases[stack] = await server.createDatabase();
            }
            stage = await createStage(
                Object.fromEntries(
                    Object.entries(databases).map(([stack, { owner }]) => [stack, owner]),
                ),
            );
        });

        afterAll(async () => {
            await stage?.close();
            for (const database of Object.values(databases)) await database.drop();
        });

        describe("of a pull request", () => {
            let destructive: string;

            it("post what a safe change does, once a stack, and let it pass", async () => {
                const { forge } = stage.runner;
                const head = stage.project.commit(reworded, stage.main);

                const first = await review(head);
                const ids = forge.comments.map(({ id }) => id);
                const again = await review(head, { stacks: ["prod"] });

                expect([results(first), logsOf(first)]).toEqual([
                    {
                        ...{ "preview staging": "success", "preview prod": "success" },
                        ...{ "gate staging": "success", "gate prod": "success" },
                        review: "success",
                    },
                    expect.stringContaining("open: "),
                ]);
                expect(results(again)["review"]).toBe("success");
                expect(ids).toHaveLength(2);
                expect(forge.comments.map(({ id }) => id)).toEqual(ids);
                for (const stack of ["staging", "prod"]) {
                    const body = commentAt(stack);
                    expect(body).toContain("## 🟢 Safe");
                    expect(body).toContain("public.llm_error_summary");
                    expect(body).toContain("that failed");
                    expect(body).toContain(`Preview of ${head}`);
                }
            });

            it("stop one that is destructive, until a person approves what the comment shows", async () => {
                const { forge } = stage.runner;
                const ids = forge.comments.map(({ id }) => id);
                destructive = stage.project.commit(withoutSummary, stage.main);

                const closed = await review(destructive, { stacks: ["prod"] });

                expect(results(closed)).toEqual({
                    ...{ "preview prod": "success", "gate prod": "failure", review: "failure" },
                });
                expect(of(closed, "gate", "prod").log).toContain(`set the label ${approval}`);
                expect(forge.comments.map(({ id }) => id)).toEqual(ids);
                expect(commentAt("prod")).toContain("## 🔴 Destructive");

                forge.label(approval, { login: "ada", type: "User" });
                const open = await review(destructive, { stacks: ["prod"] });

                expect([results(open)["review"], logsOf(open)]).toEqual([
                    "success",
                    expect.stringContaining("open: ada has approved"),
                ]);
            });

            it("take the approval away from another commit, whatever that makes of the gate", async () => {
                const { forge } = stage.runner;
                const next = stage.project.commit(withoutGate, destructive);

                const runs = await review(next, { stacks: ["prod"] });

                expect(results(runs)).toEqual({
                    ...{ "preview prod": "success", "gate prod": "failure", review: "failure" },
                });
                expect(logsOf(runs)).toContain(`label ${approval} does not count and is removed`);
                expect([...forge.labels]).toEqual([]);
            });

            it("run nothing of a fork's, and let nothing of it pass", async () => {
                const runs = await review(destructive, {}, "somebody/llm-observatory");

                expect(results(runs)).toEqual({
                    ...{ preview: "skipped", gate: "skipped", review: "failure" },
                });
                expect(of(runs, "review", "").summary).toContain("comes from a fork");
            });

            it("fail, and say so in the comment, where the preview does not come to a review", async () => {
                const { secrets } = stage.runner;
                const runs = await review(destructive, { stacks: ["prod"] }, undefined, {
                    ...stage.runner,
                    secrets: { ...secrets, "preview-prod": { ...secrets["preview-prod"], PULUMI_BACKEND_URL: "file:///nowhere" } }, // prettier-ignore
                });

                expect(results(runs)).toEqual({
                    ...{ "preview prod": "failure", "gate prod": "failure", review: "failure" },
                });
                expect(commentAt("prod")).toContain("The preview did not come to a review.");
                expect(logsOf(runs)).toContain("closed: the preview did not come to a review");
            });
        });

        describe("once a change is merged", () => {
            beforeAll(() => {
                stage.main = stage.project.commit(reworded, stage.main);
            });

            it("do to staging what was shown, and nothing to prod where another object has changed since", async () => {
                const runs = await run("up.yml", {
                    before: async (job, stack) => {
                        if (job === "up" && stack === "prod") await everyMinutes(7);
                    },
                });

                expect([results(runs), logsOf(runs)]).toEqual([
                    {
                        ...{ "staging/preview staging": "success" },
                        ...{ "staging/up staging": "success" },
                        ...{ "prod/preview prod": "success", "prod/up prod": "failure" },
                    },
                    expect.stringContaining("as reviewed: "),
                ]);
                expect(of(runs, "staging/preview", "staging").summary).toContain("that failed");
                expect(await commentIn("staging")).toContain("that failed");
                const { log } = of(runs, "prod/up", "prod");
                expect(log).toContain("not as reviewed: public.llm_metrics_1day");
                expect(await commentIn("prod")).toContain("with status ERROR");
            });

            it("stop at an object that is not as it was shown, and pass over a stack with nothing to do", async () => {
                const runs = await run("up.yml", {
                    before: async (job, stack) => {
                        if (job === "up" && stack === "prod")
                            await sql("prod", "COMMENT ON VIEW llm_error_summary IS 'mine'");
                    },
                });

                expect(results(runs)).toEqual({
                    ...{ "staging/preview staging": "success", "staging/up": "skipped" },
                    ...{ "prod/preview prod": "success", "prod/up prod": "failure" },
                });
                const { log } = of(runs, "prod/up", "prod");
                expect(log).toMatch(/not_as_reviewed[^]*comment: "mine" → "Requests that failed/);
                expect(await commentIn("prod")).toBe("mine");
            });
        });

        it("tell of drift in one issue, and close it when there is none any more", async () => {
            const { forge } = stage.runner;
            const reports = async (stacks: readonly string[]): Promise<unknown> => {
                const runs = await run("drift.yml", { stacks });
                return [
                    stacks.map((stack) => of(runs, "report", stack).result),
                    forge.issues.map(({ state, title }) => `${state} ${title}`),
                ];
            };
            const title = "Drift of llm-observatory/prod: safe";
            // An up that stopped at one object may have put the others back.
            await everyMinutes(7);

            expect(await reports(["staging", "prod"])).toEqual([
                ["success", "failure"],
                [`open ${title}`],
            ]);
            expect(forge.issues[0]?.body).toContain("refreshPolicy.scheduleInterval");
            expect(forge.issues[0]?.body).toContain("00:07:00");

            await everyMinutes(11);
            expect(await reports(["prod"])).toEqual([["failure"], [`open ${title}`]]);
            expect(forge.issues[0]?.body).toContain("00:11:00");

            const repaired = await run("up-stack.yml", { inputs: { stack: "prod" } });
            expect(results(repaired)).toEqual({ "preview prod": "success", "up prod": "success" });
            expect(await commentIn("prod")).toContain("that failed");
            expect(await reports(["prod"])).toEqual([["success"], [`closed ${title}`]]);
        });

        it("remove a stack but for what is protected, when its name was typed", async () => {
            await sql("staging", "INSERT INTO llm_logs (ts, log_level, message) VALUES (now(), 'info', 'hello')"); // prettier-ignore
            const standing = async (): Promise<unknown> =>
                (
                    await sql(
                        "staging",
                        `SELECT (SELECT count(*)::int FROM timescaledb_information.continuous_aggregates) AS aggregates,
                                (SELECT count(*)::int FROM timescaledb_information.hypertables
                                 WHERE hypertable_schema = 'public') AS tables,
                                (SELECT count(*)::int FROM llm_logs) AS rows`,
                    )
                )[0];
            const before = await standing();
            const destroy = (confirmation: string): Promise<readonly JobRun[]> =>
                run("destroy.yml", { inputs: { stack: "staging", confirmation } });

            const refused = await destroy("destroy llm-observatory/prod");

            expect(together(refused.map(({ result }) => result))).toBe("failure");
            expect(logsOf(refused)).toContain("type destroy llm-observatory/staging");
            expect(await standing()).toEqual(before);

            const done = await destroy("destroy llm-observatory/staging");

            expect([together(done.map(({ result }) => result)), logsOf(done)]).toEqual([
                "success",
                expect.stringContaining("deleted"),
            ]);
            expect(await standing()).toEqual({ aggregates: 0, tables: 3, rows: 1 });
        });
    },
    (server) =>
        server.name === testServers()[0]?.name
            ? undefined
            : `they are run once, on ${testServers()[0]?.name}`,
);

function logsOf(runs: readonly JobRun[]): string {
    return runs.map(({ job, stack, log }) => `== ${job} ${stack}\n${log}`).join("\n");
}
