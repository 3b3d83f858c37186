/** What a deploy or a rollback would do, by a real preview on a copy of the stack. */
import { withSession } from "../../components/timescale/core/connection/session";
import { explain } from "../../components/timescale/core/errors";
import { withStep } from "../progress";
import { inWords, nothingChanged, type Summary } from "../start/events";
import type { Interrupts } from "../start/interrupts";
import { runOperation } from "../start/operation";
import { findEngine } from "../start/session";
import type { Workspace } from "../start/workspace";
import type { DeployOptions } from "./options";
import { isMade, type Place } from "./place";
import { compared, prepare } from "./prepare";
import { print, whereOf } from "./tell";

/** @returns the exit code: 0 when nothing would change, 2 when something would */
export async function dryRun(
    workspace: Workspace,
    copy: Workspace,
    place: Place,
    options: DeployOptions,
    interrupts: Interrupts,
): Promise<0 | 2> {
    const { connection } = place;
    const made = isMade(workspace, place);
    const engine = await findEngine();
    const found =
        connection === undefined
            ? undefined
            : await withSession(connection, (session) => compared(session, workspace, place, engine)); // prettier-ignore
    const { prepared, close } = await prepare(copy, place, engine, interrupts);
    const what = options.rollback ? "pulumi preview of the rollback" : "pulumi preview";
    try {
        const { stack } = prepared.stack;
        const summary = await withStep(what, async (step) => {
            const done = await runOperation(
                what,
                step,
                interrupts,
                (operation) =>
                    options.rollback
                        ? stack.previewDestroy({ ...operation, excludeProtected: true, runProgram: false }) // prettier-ignore
                        : stack.preview(operation),
                { preview: true },
            );
            step.done(`${what}: ${nothingChanged(done) ? "nothing to change" : `${inWords(done)}, if it were done`}`); // prettier-ignore
            return done;
        });
        const takenOver =
            !options.rollback && !made && found?.differences.length === 0 && onlyCreates(summary);
        const differs = summary.refused || !(nothingChanged(summary) || takenOver);
        if (options.json) {
            print({
                outcome: differs ? "differences" : "unchanged",
                ...whereOf(place),
                changes: summary.changes,
                refused: summary.refused,
                ...(found !== undefined &&
                    !options.rollback && {
                        differences: found.differences,
                        refusals: found.refusals.map((refusal) => explain(refusal)),
                    }),
            });
        } else if (takenOver) {
            process.stdout.write(
                "The database is as declared; the first deploy from this folder takes it over as it stands.\n",
            );
        }
        return differs ? 2 : 0;
    } finally {
        await close();
    }
}

function onlyCreates({ changes }: Summary): boolean {
    return Object.keys(changes).every((operation) =>
        ["create", "same", "read"].includes(operation),
    );
}
