/** Delete: in the database that the resource was made in, and in no other. */
import { inspectIdentity } from "../../core/connection/server";
import { serverError } from "../../core/connection/serverErrors";
import { inTransaction, type Session } from "../../core/connection/session";
import { explain, TimescaleError } from "../../core/errors";
import { report, withStatus } from "../engineLog";
import { throughFailover } from "../failover";
import { connectionOf, type Properties } from "../resourceKind";
import { refuseUnreviewedDelete, reviewedPreview } from "../reviewed";
import { anySession, failoverOptions, quiet } from "./sessions";
import { kindOf, subjectOf, urnOf } from "./subject";

export async function remove(_id: string, props: Properties): Promise<void> {
    const kind = kindOf(props);
    try {
        const reviewed = reviewedPreview(process.env);
        const urn = urnOf(props);
        const removeOnce = (show: (text: string) => void, opened: () => void): Promise<void> =>
            anySession(props, { onWait: show }, async (open) => {
                opened();
                // Without a plan: what the text reads may be gone already.
                const databaseUuid = await identity(open);
                const met = props["metDatabaseUuid"] as string | undefined;
                if (met !== undefined && met !== databaseUuid) {
                    // Another database is none of this resource's; the one it was in is gone.
                    report(
                        urn,
                        "warning",
                        `another database answers, and nothing is deleted in it: it is ${databaseUuid}, and this resource was made in ${met}`,
                    );
                    return;
                }
                if (reviewed !== undefined) {
                    refuseUnreviewedDelete(reviewed, urn, subjectOf(kind, props).object);
                }
                const gone = await kind.remove(open, props, show);
                if (gone !== undefined) report(urn, "info", gone);
            });
        await withStatus(urn, (show) =>
            throughFailover(connectionOf(props), failoverOptions(urn, show), (opened) =>
                removeOnce(show, opened),
            ),
        );
    } catch (error) {
        // The database it lived in is gone, and it with it.
        if (error instanceof TimescaleError && error.code === "3D000") return;
        throw quiet(
            new Error(error instanceof TimescaleError ? explain(error) : String(error), {
                cause: error,
            }),
        );
    }
}

function identity(open: Session): Promise<string> {
    return inTransaction(
        open,
        { readOnly: true, searchPath: ["pg_catalog"] },
        inspectIdentity,
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "inspect", object: "the database" });
    });
}
