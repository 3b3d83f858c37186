/** What would change: the difference between the live database and the declaration. */
import { isDeepStrictEqual } from "node:util";

import { TimescaleError } from "../../core/errors";
import { judgementOf } from "../judgements";
import { notePassword } from "../passwords";
import { reasonOf } from "../planDocument";
import type { Properties, ResourceKind } from "../resourceKind";
import { documentOf, reportDocument, reportNotCompared, unknownPart } from "./documents";
import { plannedOf } from "./sessions";
import { kindOf, subjectOf, urnOf } from "./subject";

export async function diff(
    _id: string,
    olds: Properties,
    news: Properties,
): Promise<{ changes: boolean }> {
    const kind = kindOf(news);
    for (const { connection } of [olds, news]) notePassword(connection);
    const unknown = unknownPart(news);
    if (unknown !== undefined) return fromInputs(kind, olds, news, unknown);
    try {
        const planned = await plannedOf(kind, news, olds, (open) =>
            kind.plan(open, news, olds, judgementOf(urnOf(news))),
        );
        const document = documentOf(subjectOf(kind, news), planned, news, olds);
        reportDocument(document);
        return {
            changes: document.result !== "same" || !planned.exists || memoryIsStale(olds, news),
        };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return fromInputs(kind, olds, news, reasonOf(error));
    }
}

function fromInputs(
    kind: ResourceKind,
    olds: Properties,
    news: Properties,
    why: { readonly code: string; readonly message: string },
): { changes: boolean } {
    reportNotCompared(kind, news, why);
    const own = kind.properties.filter((name) => name !== "databaseUuid" && name !== "waive");
    const properties = ["connection", ...own];
    return { changes: properties.some((name) => !isDeepStrictEqual(olds[name], news[name])) };
}

/**
 * What later operations read from the outputs and leaves no trace in the database. The engine keeps
 * the old outputs when nothing changes, so a difference here has to reach them through an update.
 */
const remembered = [
    "connection",
    "schema",
    "name",
    "owner",
    "onDelete",
    "acceptLoss",
    "backup",
    "indexes",
] as const;

const rememberedPresence = ["refreshPolicy", "retentionPolicy", "compressionPolicy"] as const;

function memoryIsStale(olds: Properties, news: Properties): boolean {
    return (
        remembered.some((name) => !isDeepStrictEqual(olds[name], news[name])) ||
        rememberedPresence.some((name) => (olds[name] === undefined) !== (news[name] === undefined))
    );
}
