/** `up` bound to the preview that was reviewed: what changed in the database since is named, and stops it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { reviewedVariable } from "../../components/timescale/provider/reviewed";
import type { TestDatabase } from "../helpers/databases";
import { changes, failed, type Run, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { withPlans, withVariable } from "../helpers/previewJson";
import { jobs, query, readings } from "./readings";

const slower = {
    ...{ startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "10 minutes" },
};

const twoHours = {
    name: "by_two_hours",
    query: "SELECT time_bucket('2 hours', ts) AS bucket, count(*) AS n FROM readings GROUP BY 1",
    refreshPolicy: slower,
};

describeOnServers("up that is bound to a review", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    type Program = Parameters<EngineStack["up"]>[0];

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner, { name: "by_hour" })));
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    /** As `pulumi preview --json` writes it, with the steps that are given. */
    async function review(program: Program, steps: readonly object[] = []): Promise<string> {
        const preview = succeeded(await withPlans(stack, () => stack.preview(program)));
        const diagnostics = preview.diagnostics.map(({ message }) => ({ message }));
        const file = join(stack.workDir, "reviewed.json");
        writeFileSync(file, JSON.stringify({ steps, diagnostics, changeSummary: {} }));
        return file;
    }

    const upWith = (file: string, program: Program): Promise<Run> =>
        withVariable(stack, reviewedVariable, file, () => stack.up(program));

    async function schedule(): Promise<string> {
        const [job] = await query<{ every: string }>(
            database.owner,
            "SELECT schedule_interval::text AS every FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'",
        );
        return job?.every ?? "";
    }

    it("stops at what somebody changed meanwhile, says what, and goes on with a new review", async () => {
        const program = readings(database.owner, { name: "by_hour", refreshPolicy: slower });
        const file = await review(program);
        await query(
            database.owner,
            `SELECT alter_job(job_id, schedule_interval => '2 hours', scheduled => false) FROM timescaledb_information.jobs
             WHERE proc_name = 'policy_refresh_continuous_aggregate'`,
        );

        const stopped = failed(await upWith(file, program));

        expect(stopped.failure).toContain("public.by_hour is not as it was reviewed (not_as_reviewed)"); // prettier-ignore
        expect(stopped.failure).toMatch(
            /only now: refreshPolicy\.scheduleInterval: 02:00:00 → 10 minutes; only now: refreshPolicy\.paused: true → false/,
        );
        expect(await schedule()).toBe("02:00:00");

        succeeded(await upWith(await review(program), program));
        expect(await schedule()).toBe("00:10:00");
        expect((await jobs(database.owner)).map(({ scheduled }) => scheduled)).toEqual([true]);
    });

    it("does what was reviewed, and again where nothing is left to do", async () => {
        const program = readings(
            database.owner,
            { name: "by_hour", refreshPolicy: slower, comment: "by the hour" },
            twoHours,
        );
        const file = await review(program);

        const run = succeeded(await upWith(file, program));
        const again = succeeded(await upWith(file, program));

        expect(changes(run)).toEqual({ by_hour: "update", by_two_hours: "create" });
        expect(changes(again)).toEqual({});
    });

    it("does not do what the review has not, nor delete", async () => {
        const without = readings(database.owner, { name: "by_hour", refreshPolicy: slower });
        const file = await review(
            readings(
                database.owner,
                { name: "by_hour", refreshPolicy: slower, comment: "by the hour" },
                twoHours,
            ),
        );

        const stopped = failed(await upWith(file, without));

        expect(stopped.failure).toContain('only now: comment: "by the hour" → none');
        const kept = failed(
            await upWith(
                file,
                readings(database.owner, { name: "by_hour", refreshPolicy: slower, comment: "by the hour" }), // prettier-ignore
            ),
        );
        expect(kept.failure).toContain(
            "public.by_two_hours is to be deleted, which was not reviewed",
        );

        const urn = (await stack.state()).resources.find(({ urn }) =>
            urn.endsWith("::by_two_hours"),
        )?.urn;
        const reviewed = await review(without, [{ op: "delete", urn }]);
        expect(changes(succeeded(await upWith(reviewed, without)))).toEqual({
            by_hour: "update",
            by_two_hours: "delete",
        });
    });

    it("does nothing where the review cannot be read", async () => {
        const program = readings(database.owner, { name: "by_hour", refreshPolicy: slower, comment: "x" }); // prettier-ignore
        const file = join(stack.workDir, "broken.json");
        writeFileSync(file, "{");

        expect(failed(await upWith(file, program)).failure).toContain(
            `${reviewedVariable} names no preview that can be read (reviewed_preview)`,
        );
        expect(failed(await upWith("missing.json", program)).failure).toContain("ENOENT");
    });
});
