/** The stack of a deploy, and what its database has that is not as declared. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Session } from "../../components/timescale/core/connection/session";
import program from "../../index";
import { overridesOf } from "../database/overrides";
import type { Engine } from "../engine";
import { withStep } from "../progress";
import type { Interrupts } from "../start/interrupts";
import { findTarget, type PreparedStack, prepareStack, serveEmbedded } from "../start/session";
import { storedConfig } from "../start/stack";
import type { Workspace } from "../start/workspace";
import { counted } from "../verify/result";
import { type Compared, compareDatabase } from "./differences";
import { isMade, type Place } from "./place";

/** The stack, with its config and whatever it needs to be worked on. */
export async function prepare(
    workspace: Workspace,
    place: Place,
    engine: Engine,
    interrupts: Interrupts,
): Promise<{ readonly prepared: PreparedStack; readonly close: () => Promise<void> }> {
    const { target, name, connection } = place;
    if (connection === undefined && name === target) {
        await findTarget(workspace, engine, { target, config: {} });
    }
    const config = connection === undefined ? {} : configOf(connection);
    // What the environment says of a server has been read, or is of another one.
    const options = { name, config, environment: {} };
    const prepared = await prepareStack(workspace, engine, target, options, program, interrupts);
    const embedded = target === "embedded" ? await serveEmbedded(workspace, prepared) : undefined;
    return { prepared, close: () => embedded?.close() ?? Promise.resolve() };
}

/** Somebody else's database: one login, which may be less than an administrator, and tables that stand. */
function configOf(connection: Connection): Readonly<Record<string, string>> {
    return {
        host: connection.host,
        port: String(connection.port),
        database: connection.database,
        sslMode: connection.sslMode,
        sslRootCert: connection.sslRootCert ?? "",
        manageAccess: "false",
        adopt: "true",
        ownerUser: connection.user,
        // A server that asks for none takes any.
        ownerPassword: connection.password === "" ? "not-asked-for" : connection.password,
    };
}

/** With what the stack has otherwise, where an earlier deploy has made it. */
export async function compared(
    session: Session,
    workspace: Workspace,
    place: Place,
    engine: Engine,
): Promise<Compared> {
    return withStep("comparing with the database", async (step) => {
        const overrides = isMade(workspace, place)
            ? overridesOf(place.name, await storedConfig(workspace, place.name, engine))
            : {};
        const found = await compareDatabase(session, overrides);
        const { differences } = found;
        step.done(
            differences.length === 0
                ? "the database is as declared"
                : `${counted(differences.length, "declared object")} not as declared`,
        );
        return found;
    });
}
