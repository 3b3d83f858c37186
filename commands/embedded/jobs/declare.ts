/**
 * Says in the database whether the process that has it open runs its jobs, and since when: health_server.sql reads it,
 * as any session may. A setting of the database, because one of a session goes with RESET ALL, and all share one. Who
 * opens the data writes it, and nobody asks while it is closed: so what a killed process has left is never read.
 */
import { escapeIdentifier } from "pg";

import type { OwnSession } from "../turns";

export async function declareJobs(
    session: Pick<OwnSession, "query">,
    database: string,
    jobs: boolean,
): Promise<void> {
    const change = jobs
        ? `SET observatory.jobs_run_since = '${new Date().toISOString()}'`
        : "RESET observatory.jobs_run_since";
    await session.query(`ALTER DATABASE ${escapeIdentifier(database)} ${change}`);
}
