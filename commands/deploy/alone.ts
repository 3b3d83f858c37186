/** Deploys into one database take turns, from whichever folder or machine they come. */
import { type Session, withObjectLock } from "../../components/timescale/core/connection/session";
import { startStep } from "../progress";

/** Does the work while no other deploy is at work in the session's database; waits for one that is. */
export async function alone<Result>(
    session: Session,
    work: () => Promise<Result>,
): Promise<Result> {
    const { database } = session.connection;
    const title = `waiting for database ${database}`;
    const step = await startStep(title);
    const wait = (): void => step.report(`${title}: another deploy is at work in it`);
    let waits = true;
    try {
        return await withObjectLock(session, `database ${database}`, wait, async () => {
            waits = false;
            step.done("no other deploy is at work in this database");
            return work();
        });
    } catch (error) {
        if (waits) step.fail(title);
        throw error;
    }
}
