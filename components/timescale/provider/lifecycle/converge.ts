/** Create and update: the live object is brought to its declaration, whatever stands. */
import { explain, TimescaleError } from "../../core/errors";
import { stopRequested } from "../cancel";
import { report, withStatus } from "../engineLog";
import { throughFailover } from "../failover";
import { judgementOf } from "../judgements";
import { notePassword } from "../passwords";
import { planDocument } from "../planDocument";
import { connectionOf, type Hooks, type Properties } from "../resourceKind";
import { refuseUnreviewed, reviewedPreview } from "../reviewed";
import { failoverOptions, quiet, session } from "./sessions";
import { anotherDatabase, identityOf, kindOf, subjectOf, urnOf } from "./subject";

export async function create(
    inputs: Properties,
): Promise<{ id: string; outs: Record<string, unknown> }> {
    const outs = await convergeResource(inputs, undefined);
    return { id: identityOf(kindOf(inputs), inputs) ?? "", outs };
}

export async function update(
    _id: string,
    olds: Properties,
    news: Properties,
): Promise<{ outs: Record<string, unknown> }> {
    return { outs: await convergeResource(news, olds) };
}

/** A container that was just started may not answer for a while. */
const patience = 20_000;

async function convergeResource(
    inputs: Properties,
    olds: Properties | undefined,
): Promise<Record<string, unknown>> {
    const kind = kindOf(inputs);
    const urn = urnOf(inputs);
    const subject = subjectOf(kind, inputs);
    notePassword(inputs["connection"]);
    let applied: Record<string, unknown> | undefined;
    let agreed = false;
    try {
        return await withStatus(urn, async (show) => {
            const reviewed = reviewedPreview(process.env);
            const hooks: Hooks = {
                onStatus: show,
                onReport: (text) => report(urn, "info", text),
                onApplied: (outputs) => {
                    applied = toState(inputs, outputs);
                },
                checkDatabase: (uuid) => {
                    const error = anotherDatabase(inputs, olds, uuid);
                    if (error !== undefined) throw error;
                },
                ...(reviewed !== undefined && {
                    checkPlan: (plan, exists) => {
                        // After a failover it is the rest of what was agreed to.
                        if (agreed) return;
                        refuseUnreviewed(reviewed, planDocument(subject, plan, { exists }));
                        agreed = true;
                    },
                }),
                stop: stopRequested(),
            };
            const outputs = await throughFailover(
                connectionOf(inputs),
                failoverOptions(urn, show),
                async (opened, again) => {
                    await kind.admit?.(inputs, olds, hooks);
                    const options = { patience: again ? 0 : patience, onWait: show };
                    return session(inputs, options, (open) => {
                        opened();
                        return kind.converge(open, inputs, olds, hooks, judgementOf(urn));
                    });
                },
            );
            return toState(inputs, outputs);
        });
    } catch (error) {
        const text = error instanceof TimescaleError ? explain(error) : String(error);
        if (applied === undefined) throw quiet(new Error(text, { cause: error }));
        // What stands is recorded; the next up finishes the rest.
        throw Object.assign(quiet(new Error(text, { cause: error })), {
            id: identityOf(kind, inputs) ?? "",
            properties: applied,
            reasons: [text],
        });
    }
}

/** Outputs are the inputs and what was learned; JSON-clean, or the engine would lose the resource. */
function toState(inputs: Properties, outputs: Properties): Record<string, unknown> {
    const { databaseUuid, ...others } = outputs;
    return JSON.parse(
        JSON.stringify({ ...inputs, ...others, metDatabaseUuid: databaseUuid }),
    ) as Record<string, unknown>;
}
