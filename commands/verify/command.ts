/** One verification with its progress, for the commands that end with one. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { inspectServer } from "../../components/timescale/core/connection/server";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withStep } from "../progress";
import { Interrupted, type Interrupts } from "../start/interrupts";
import { sumUp } from "./report";
import { exitCodeOf, type Result } from "./result";
import { verify, type VerifyOptions } from "./run";

/**
 * Runs the ten checks as a step, whose line stays.
 *
 * @throws Interrupted after Ctrl-C, when what it made has been removed
 * @throws TimescaleError when the server cannot be reached, or is lost
 */
export async function verifyDatabase(
    connection: Connection,
    options: VerifyOptions,
    interrupts: Interrupts,
): Promise<readonly Result[]> {
    return withStep("verifying", (step) =>
        withSession(connection, async (session) => {
            const release = await cancelOnStop(session, interrupts.stop);
            const onStop = (): void => step.report("stopping: removing what was made");
            try {
                const results = await interrupts.whileStoppable(onStop, () =>
                    verify(session, {
                        ...options,
                        report: (text) => step.report(`verifying: ${text}`),
                        say: step.say,
                        stop: interrupts.stop,
                    }),
                );
                const code = exitCodeOf(results);
                if (code === 0) step.done(`verified: ${sumUp(results)}`);
                else step.fail(`verified: ${sumUp(results)}`);
                return results;
            } catch (error) {
                throw interrupts.stop.aborted
                    ? new Interrupted(
                          "the verification",
                          "What it made is removed; nothing else was changed by it.",
                      )
                    : error;
            } finally {
                release();
            }
        }),
    );
}

/** A statement that reads for a minute is not waited for. The embedded server has no second session to say so. */
async function cancelOnStop(
    { client, connection }: Session,
    stop: AbortSignal,
): Promise<() => void> {
    const { embedded } = await inspectServer(client);
    if (embedded) return () => undefined;
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const cancel = (): void => {
        void withSession(connection, (other) =>
            other.client.query("SELECT pg_cancel_backend($1)", [rows[0]?.pid]),
        ).catch((error: unknown) => {
            // Then what is running is waited for.
            if (!(error instanceof TimescaleError)) throw error;
        });
    };
    stop.addEventListener("abort", cancel);
    return () => stop.removeEventListener("abort", cancel);
}
