/** What is said of a resource: its plan, or why there is none. */
import { report } from "../engineLog";
import { judgeAlone } from "../judgements";
import { originOf } from "../origin";
import {
    asJson,
    databaseToCome,
    notCompared,
    type PlanDocument,
    planDocument,
    type Subject,
} from "../planDocument";
import { type MessageOptions, messagesOf } from "../planMessages";
import type { Planned, Properties, ResourceKind } from "../resourceKind";
import { hasUnknown } from "../unknown";
import { anotherDatabase, subjectOf } from "./subject";

export function documentOf(
    subject: Subject,
    { plan, databaseUuid, exists }: Planned,
    inputs: Properties,
    outputs: Properties | undefined,
): PlanDocument {
    const identity = anotherDatabase(inputs, outputs, databaseUuid);
    return planDocument(subject, plan, {
        exists,
        refusals: identity === undefined ? [] : [identity],
        origin: (line) => originOf(line, inputs, outputs),
    });
}

export function reportDocument(document: PlanDocument, options: MessageOptions = {}): void {
    if (asJson(process.env)) {
        report(document.urn, "info", JSON.stringify(document));
        return;
    }
    for (const { severity, text } of messagesOf(document, options)) {
        report(document.urn, severity, text);
    }
}

/** Without a database to ask, some of the rules still have something to say. */
export function reportNotCompared(
    kind: ResourceKind,
    inputs: Properties,
    why: { readonly code: string; readonly message: string },
    { onlyDecisions = false }: { readonly onlyDecisions?: boolean } = {},
): void {
    const subject = subjectOf(kind, inputs);
    const rules = judgeAlone(kind, subject.urn, inputs, subject.object);
    if (onlyDecisions && rules.refusals.length + rules.notes.length === 0) return;
    reportDocument(notCompared(subject, why, rules));
}

/** Why there is nothing to compare yet; undefined when everything is known. */
export function unknownPart(
    news: Properties,
    {
        names = Object.keys(news),
        newDatabase = false,
    }: { readonly names?: readonly string[] | undefined; readonly newDatabase?: boolean } = {},
): { code: string; message: string } | undefined {
    if (hasUnknown(news["connection"])) {
        if (newDatabase) return databaseToCome;
        return {
            code: "unknown_connection",
            message: "its connection is not known before the update",
        };
    }
    return names.some((name) => hasUnknown(news[name]))
        ? {
              code: "unknown_inputs",
              message: "some of its inputs are not known before the update",
          }
        : undefined;
}
