/**
 * The dynamic provider: check, diff, create, read, update and delete in terms of the core.
 *
 * State is only memory. What would change is the difference between the live database and the
 * declaration, worked out anew each time; so drift shows in a plain preview, a reformatted query is
 * no change, and running again after any failure finishes the work.
 */
import { isDeepStrictEqual } from "node:util";

import type { Connection } from "../core/connection";
import { explain, TimescaleError } from "../core/errors";
import { displayName } from "../core/identifier";
import type { Note } from "../core/plan";
import { inspectIdentity } from "../core/server";
import { serverError } from "../core/serverErrors";
import { type ConnectOptions, inTransaction, type Session } from "../core/session";
import { stopRequested } from "./cancel";
import { continuousAggregateKind } from "./continuousAggregateKind";
import { delivered, report, withStatus } from "./engineLog";
import { extensionVersionKind } from "./extensionVersionKind";
import { type FailoverOptions, failoverPatience, throughFailover } from "./failover";
import { hypertableKind } from "./hypertableKind";
import { judgeAlone, judgementOf, takeJudgement } from "./judgements";
import { loginPasswordKind } from "./loginPasswordKind";
import { originOf } from "./origin";
import { isRefusedPassword, notePassword, withAnyPassword } from "./passwords";
import {
    asJson,
    type MessageOptions,
    messagesOf,
    notCompared,
    type PlanDocument,
    planDocument,
    reasonOf,
    type Subject,
} from "./planDocument";
import { withPooledSession } from "./pool";
import {
    connectionOf,
    type Hooks,
    nameOf,
    type Planned,
    type Properties,
    type ResourceKind,
} from "./resourceKind";
import { refuseUnreviewed, refuseUnreviewedDelete, reviewedPreview } from "./reviewed";
import { sqlFunctionKind } from "./sqlFunctionKind";
import { hasUnknown, isUnknown } from "./unknown";
import { viewKind } from "./viewKind";

const kinds: readonly ResourceKind[] = [
    continuousAggregateKind,
    extensionVersionKind,
    hypertableKind,
    loginPasswordKind,
    sqlFunctionKind,
    viewKind,
];

interface CheckResult {
    inputs: Record<string, unknown>;
    failures: { property: string; reason: string }[];
}

/** The engine names resources by URN; the type token in it tells what kind this one is. */
function kindOf(properties: Properties): ResourceKind {
    const urn = urnOf(properties);
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const kind = kinds.find(({ name }) => type === `pulumi-nodejs:dynamic/timescale:${name}`);
    if (kind === undefined)
        throw new Error(`this version of the provider knows no resource of type ${type}`);
    return kind;
}

function urnOf(properties: Properties): string {
    const urn = properties["__urn"];
    return typeof urn === "string" ? urn : "";
}

/** Names taken in this run, so that two resources cannot fight over one object. */
const declaredBy = new Map<string, string>();

async function check(olds: Properties, given: Properties): Promise<CheckResult> {
    const kind = kindOf(given);
    const news = takeJudgement(urnOf(given), given);
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
    const unknown = unknownPart(news, isNew ? undefined : ["connection", ...kind.liveProperties]);
    if (unknown === undefined) failures.push(...(await liveCheck(kind, news, isNew)));
    else if (isNew) reportNotCompared(kind, news, unknown, { onlyDecisions: !asJson(process.env) });
    return { inputs: { ...news }, failures };
}

/** What the program found wrong with its declarations as a whole; see components/timescale/declared.ts. */
function programProblems(news: Properties): CheckResult["failures"] {
    const reason = news["__problems"];
    return typeof reason === "string" ? [{ property: "", reason }] : [];
}

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

/** What the engine and people know it by; undefined while it is not known. */
function identityOf(kind: ResourceKind, inputs: Properties): string | undefined {
    if (kind.identityOf !== undefined) return kind.identityOf(inputs);
    const { schema, name } = inputs;
    if (typeof name !== "string") return undefined;
    return `${typeof schema === "string" ? schema : "public"}.${name}`;
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
    isNew: boolean,
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
        if (isNew) reportNotCompared(kind, news, reasonOf(error));
        return [];
    }
}

async function diff(
    _id: string,
    olds: Properties,
    news: Properties,
): Promise<{ changes: boolean }> {
    const kind = kindOf(news);
    for (const { connection } of [olds, news]) notePassword(connection);
    const unknown = unknownPart(news);
    if (unknown !== undefined) return fromInputs(kind, olds, news, unknown);
    try {
        const planned = await anySession(news, {}, (open) =>
            kind.plan(open, news, olds, judgementOf(urnOf(news))),
        );
        const document = documentOf(subjectOf(kind, news), planned, news, olds);
        reportDocument(document);
        return {
            changes: document.result !== "same" || !planned.exists || memoryIsStale(olds, news),
        };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        const { changes } = fromInputs(kind, olds, news, reasonOf(error));
        return { changes: changes || (kind.admit !== undefined && isRefusedPassword(error)) };
    }
}

/** Why there is nothing to compare yet; undefined when everything is known. */
function unknownPart(
    news: Properties,
    names: readonly string[] = Object.keys(news),
): { code: string; message: string } | undefined {
    if (hasUnknown(news["connection"])) {
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

function subjectOf(kind: ResourceKind, inputs: Properties): Subject {
    // A function's identity is quoted where PostgreSQL needs it already.
    const identity = kind.identityOf === undefined ? undefined : (kind.identityOf(inputs) ?? "");
    return {
        urn: urnOf(inputs),
        kind: kind.name,
        object: identity ?? displayName(nameOf(inputs)),
    };
}

function documentOf(
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

/** Without a database to ask, some of the rules still have something to say. */
function reportNotCompared(
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

function reportDocument(document: PlanDocument, options: MessageOptions = {}): void {
    if (asJson(process.env)) {
        report(document.urn, "info", JSON.stringify(document));
        return;
    }
    for (const { severity, text } of messagesOf(document, options)) {
        report(document.urn, severity, text);
    }
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
 * Which database may answer: the one named by the input `databaseUuid`; without it the one that the
 * first apply met; any with "any".
 */
function anotherDatabase(
    inputs: Properties,
    outputs: Properties | undefined,
    databaseUuid: string,
): TimescaleError | undefined {
    const wanted = (inputs["databaseUuid"] ?? outputs?.["metDatabaseUuid"]) as string | undefined;
    if (wanted === undefined || wanted === "any" || wanted === databaseUuid) return undefined;
    const { host, port, database } = connectionOf(inputs);
    return new TimescaleError(`another database answers at ${host}:${port}/${database}`, {
        code: "another_database",
        detail: `its identity is ${databaseUuid}, and this resource belongs to ${wanted}`,
        hint: `correct the connection; if the database was rebuilt on purpose, set databaseUuid to "${databaseUuid}"`,
    });
}

async function create(inputs: Properties): Promise<{ id: string; outs: Record<string, unknown> }> {
    const outs = await convergeResource(inputs, undefined);
    return { id: identityOf(kindOf(inputs), inputs) ?? "", outs };
}

async function update(
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

/** The host prints an error's stack beside its message; the message says all. */
function quiet(error: Error): Error {
    error.stack = "";
    return error;
}

async function read(
    id: string,
    props: Properties,
): Promise<{ id?: string; props?: Record<string, unknown>; inputs?: Record<string, unknown> }> {
    const kind = kindOf(props);
    const unchanged = { id, props: { ...props }, inputs: inputsOf(kind, props) };
    try {
        const planned = await anySession(props, {}, (open) =>
            kind.plan(open, inputsOf(kind, props), props),
        );
        const met = props["metDatabaseUuid"] as string | undefined;
        if (met !== undefined && met !== planned.databaseUuid) {
            report(urnOf(props), "warning", "another database answers: the state is left as it is");
            return unchanged;
        }
        // A refresh runs nothing.
        reportDocument(documentOf(subjectOf(kind, props), planned, inputsOf(kind, props), props), {
            plan: false,
        });
        // Gone means absent in the very database that it was made in; anything less is an outage.
        if (!planned.exists) return planned.plan.refusals.length > 0 ? unchanged : {};
        const inputs = JSON.parse(JSON.stringify(planned.actualInputs)) as Record<string, unknown>;
        return { id, props: { ...omit(props, kind.properties), ...inputs }, inputs };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        report(urnOf(props), "warning", `not read from the live database: ${explain(error)}`);
        return unchanged;
    }
}

function inputsOf(kind: ResourceKind, props: Properties): Record<string, unknown> {
    const names = ["connection", ...kind.properties, "__urn"];
    return Object.fromEntries(
        names.flatMap((name) => (props[name] === undefined ? [] : [[name, props[name]] as const])),
    );
}

function omit(properties: Properties, names: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

async function remove(_id: string, props: Properties): Promise<void> {
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

function failoverOptions(urn: string, show: (text: string) => void): FailoverOptions {
    return {
        patience: failoverPatience(process.env),
        onStatus: show,
        onSurvived: (text) => report(urn, "warning", text),
        stop: stopRequested(),
    };
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

function session<T>(
    inputs: Properties,
    options: ConnectOptions,
    work: (open: Session) => Promise<T>,
): Promise<T> {
    return withPooledSession(connectionOf(inputs), work, options);
}

/** The same where a password that is being changed must not stand in the way: see passwords.ts. */
function anySession<T>(
    inputs: Properties,
    options: ConnectOptions,
    work: (open: Session) => Promise<T>,
): Promise<T> {
    return withAnyPassword(connectionOf(inputs), (connection) =>
        withPooledSession(connection, work, options),
    );
}

/** The engine may be at the end of its run when it has its answer: what was said goes first. */
function answering<Args extends unknown[], Result>(
    method: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
    return async (...args) => {
        try {
            return await method(...args);
        } finally {
            await delivered();
        }
    };
}

/** What the one line of provider text in state loads. */
export const provider = {
    check: answering(check),
    diff: answering(diff),
    create: answering(create),
    update: answering(update),
    read: answering(read),
    delete: answering(remove),
};
