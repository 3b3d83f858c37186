/** Whether the inputs can be brought about: each by itself, all of a program, and as the server sees them. */
import { isDeepStrictEqual } from "node:util";

import type { Connection } from "../../core/connection/connection";
import { TimescaleError } from "../../core/errors";
import type { Note } from "../../core/plan/plan";
import { judgementOf, takeJudgement } from "../judgements";
import { isRefusedPassword, notePassword } from "../passwords";
import { asJson, databaseToCome, reasonOf } from "../planDocument";
import type { Properties, ResourceKind } from "../resourceKind";
import { hasUnknown, isUnknown } from "../unknown";
import { documentOf, reportDocument, reportNotCompared, unknownPart } from "./documents";
import { anySession } from "./sessions";
import { identityOf, kindOf, subjectOf, urnOf } from "./subject";

export interface CheckResult {
    inputs: Record<string, unknown>;
    failures: { property: string; reason: string }[];
}

export async function check(olds: Properties, given: Properties): Promise<CheckResult> {
    const kind = kindOf(given);
    const { __newDatabase: told, ...news } = takeJudgement(urnOf(given), given);
    const newDatabase = told === true && kind.ofServer !== true;
    for (const { connection } of [olds, news]) notePassword(connection);
    const failures = [
        ...programProblems(news),
        ...kind.validate(news, isUnknown),
        ...duplicateProblems(kind, news),
    ];
    const changed = kind.liveProperties.some(
        (property) => !isDeepStrictEqual(olds[property], news[property]),
    );
    const isNew = kind.properties.every((property) => olds[property] === undefined);
    if (failures.length > 0 || !(changed || isNew)) return { inputs: { ...news }, failures };
    const names = isNew ? undefined : ["connection", ...kind.liveProperties];
    const unknown = unknownPart(news, { names, newDatabase });
    if (unknown === undefined)
        failures.push(...(await liveCheck(kind, news, { isNew, newDatabase })));
    else if (isNew) reportUnknown(kind, news, unknown);
    return { inputs: { ...news }, failures };
}

/** What nobody can know yet is worth no words to people, but for what the rules say. */
function reportUnknown(
    kind: ResourceKind,
    news: Properties,
    why: { readonly code: string; readonly message: string },
): void {
    reportNotCompared(kind, news, why, { onlyDecisions: !asJson(process.env) });
}

/** What the program found wrong with its declarations as a whole; see components/timescale/declared.ts. */
function programProblems(news: Properties): CheckResult["failures"] {
    const reason = news["__problems"];
    return typeof reason === "string" ? [{ property: "", reason }] : [];
}

/** Names taken in this run, so that two resources cannot fight over one object. */
const declaredBy = new Map<string, string>();

/** Finds what the program could not: connections that it did not know to be the same. */
function duplicateProblems(kind: ResourceKind, news: Properties): CheckResult["failures"] {
    const connection = news["connection"] as Partial<Connection> | undefined;
    const identity = identityOf(kind, news);
    if (identity === undefined || hasUnknown([connection, news["schema"], news["name"]])) return [];
    const { schema = "public", name } = news;
    const object = kind.identityOf === undefined ? [schema, name] : [identity];
    const place = [connection?.host, connection?.port, connection?.database, ...object].join("\0");
    const urn = urnOf(news);
    const other = declaredBy.get(place);
    declaredBy.set(place, other ?? urn);
    if (other === undefined || other === urn) return [];
    return [
        {
            property: kind.identityProperty ?? "name",
            reason: [
                `${identity} is declared twice`,
                `  detail: ${other.split("::").at(-1)} declares it as well`,
                `  hint:   give this ${kind.name} another name, or remove one of the two`,
            ].join("\n"),
        },
    ];
}

const takenOver: Note = {
    code: "taken_over",
    message: "it exists already, and up takes it over",
};

/**
 * What only the server can tell of the inputs. For a new resource this is where it is compared with
 * what may stand already: the engine does not ask for a difference then.
 */
async function liveCheck(
    kind: ResourceKind,
    news: Properties,
    { isNew, newDatabase }: { readonly isNew: boolean; readonly newDatabase: boolean },
): Promise<CheckResult["failures"]> {
    const subject = subjectOf(kind, news);
    try {
        return await anySession(news, {}, async (open) => {
            const problems = await kind.validateLive(open, news);
            if (isNew && problems.length === 0) {
                const planned = await kind.plan(open, news, undefined, judgementOf(subject.urn));
                const found = documentOf(subject, planned, news, undefined);
                const taken = planned.exists && found.refusals.length === 0;
                const document = taken ? { ...found, notes: [takenOver, ...found.notes] } : found;
                // Of an object that is to be made, the engine itself shows what it will be.
                const told = document.refusals.length + document.notes.length > 0;
                reportDocument(document, { changes: planned.exists || told });
            }
            return problems;
        });
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        // A server that cannot be asked says nothing against the inputs.
        if (!isNew) return [];
        const refused = isRefusedPassword(error) ? kind.planRefused?.(news, undefined) : undefined;
        // Nor does its owner have to exist.
        const toCome = newDatabase && (error.code === "3D000" || isRefusedPassword(error));
        if (toCome) reportUnknown(kind, news, databaseToCome);
        else if (refused === undefined) reportNotCompared(kind, news, reasonOf(error));
        else reportDocument(documentOf(subject, refused, news, undefined));
        return [];
    }
}
