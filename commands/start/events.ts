/**
 * From the engine's events to what a reader of the terminal should see: one row per resource that is
 * being worked on, one line when it is done, and each diagnostic in full exactly once.
 */
import { stripVTControlCharacters } from "node:util";

import type { automation } from "@pulumi/pulumi";

import { isRefusal } from "./refusal";

type StepMetadata = automation.ResourcePreEvent["metadata"];

export interface Row {
    readonly urn: string;
    /** Such as `ContinuousAggregate llm-metrics-1min`. */
    readonly label: string;
    /** Such as `creating`. */
    readonly doing: string;
    /** In milliseconds since the epoch. */
    readonly started: number;
    /** The resource's latest passing message, such as `filling: … 3 of 5 days`. */
    readonly status: string | undefined;
}

export type Line =
    | { readonly kind: "done"; readonly symbol: "+" | "~" | "-"; readonly text: string }
    | { readonly kind: "failed"; readonly text: string }
    | { readonly kind: "error" | "warning" | "info"; readonly text: string };

/** What an operation has come to. */
export interface Summary {
    /** Operation to number of resources, such as `{ create: 3, same: 12 }`. */
    readonly changes: Readonly<Record<string, number>>;
}

/** What follows from the events so far. */
export interface Progress {
    readonly rows: ReadonlyMap<string, Row>;
    /** Diagnostics shown so far, without white space differences. */
    readonly shown: ReadonlySet<string>;
    /** Lines that a provider wrote to standard error: mostly what its diagnostics say anyway. */
    readonly stderr: readonly string[];
    readonly errors: number;
    /** Whether one of the errors is a decision that the engine does not take by itself. */
    readonly refused: boolean;
    /** Of a preview, whose lines say what would be done. */
    readonly preview: boolean;
    readonly summary: Summary | undefined;
}

export const noProgress: Progress = {
    rows: new Map(),
    shown: new Set(),
    stderr: [],
    errors: 0,
    refused: false,
    preview: false,
    summary: undefined,
};

export interface Seen {
    readonly progress: Progress;
    /** To be printed now, above the rows. */
    readonly lines: readonly Line[];
}

/** Takes in one event. `now` is in milliseconds since the epoch. */
export function see(progress: Progress, event: automation.EngineEvent, now: number): Seen {
    if (event.resourcePreEvent !== undefined) {
        return begin(progress, event.resourcePreEvent.metadata, now);
    }
    if (event.resOutputsEvent !== undefined) {
        return end(progress, event.resOutputsEvent.metadata, now, "done");
    }
    if (event.resOpFailedEvent !== undefined) {
        return end(progress, event.resOpFailedEvent.metadata, now, "failed");
    }
    if (event.diagnosticEvent !== undefined) {
        return diagnose(progress, event.diagnosticEvent);
    }
    if (event.summaryEvent !== undefined) {
        const changes = Object.entries(event.summaryEvent.resourceChanges).filter(
            ([, count]) => count > 0,
        );
        return silent({ ...progress, summary: { changes: Object.fromEntries(changes) } });
    }
    return silent(progress);
}

/** What a provider wrote to standard error and no error has said: shown when a run has failed. */
export function unsaid(progress: Progress): readonly string[] {
    const said = [...progress.shown].join("\n");
    return progress.stderr.filter((line) => !said.includes(normalised(line)));
}

/** Whether the run found everything as declared. */
export function nothingChanged({ changes }: Summary): boolean {
    return Object.keys(changes).every((operation) => operation === "same" || operation === "read");
}

/** Such as `3 created, 1 updated, 12 unchanged`. */
export function inWords({ changes }: Summary): string {
    return Object.entries(changes)
        .map(([operation, count]) => `${count} ${words(operation).done}`)
        .join(", ");
}

/** The resource's name, from its URN. */
export function nameOf(urn: string): string {
    return urn.split("::").at(-1) ?? urn;
}

interface Words {
    readonly doing: string;
    readonly done: string;
    /** None for what changes nothing. */
    readonly symbol?: "+" | "~" | "-";
}

function words(operation: string): Words {
    switch (operation) {
        case "same":
            return { doing: "checking", done: "unchanged" };
        case "create":
            return { doing: "creating", done: "created", symbol: "+" };
        case "update":
            return { doing: "updating", done: "updated", symbol: "~" };
        case "delete":
            return { doing: "deleting", done: "deleted", symbol: "-" };
        case "create-replacement":
            return {
                doing: "creating the replacement of",
                done: "created as a replacement",
                symbol: "+",
            };
        case "delete-replaced":
            return {
                doing: "deleting the replaced",
                done: "deleted after replacement",
                symbol: "-",
            };
        case "replace":
            return { doing: "replacing", done: "replaced" };
        case "refresh":
            return { doing: "reading", done: "read" };
        default:
            return { doing: operation, done: operation };
    }
}

/** Replacing is told by its two halves, and providers, components and the stack by what they hold. */
function isTold({ op, type, urn, new: after, old: before }: StepMetadata): boolean {
    return (
        op !== "replace" &&
        !type.startsWith("pulumi:") &&
        urn !== "" &&
        (after ?? before)?.custom === true
    );
}

function begin(progress: Progress, metadata: StepMetadata, now: number): Seen {
    if (!isTold(metadata) || metadata.op === "same") {
        return silent(progress);
    }
    const row: Row = {
        urn: metadata.urn,
        label: label(metadata.urn),
        doing: words(metadata.op).doing,
        started: now,
        status: undefined,
    };
    return silent({ ...progress, rows: new Map([...progress.rows, [metadata.urn, row]]) });
}

function end(
    progress: Progress,
    metadata: StepMetadata,
    now: number,
    outcome: "done" | "failed",
): Seen {
    const row = progress.rows.get(metadata.urn);
    if (row === undefined) {
        return silent(progress);
    }
    const rows = new Map([...progress.rows].filter(([urn]) => urn !== metadata.urn));
    const seconds = `${((now - row.started) / 1000).toFixed(1)} s`;
    if (outcome === "failed") {
        const text = `${row.doing} ${row.label} failed after ${seconds}`;
        return { progress: { ...progress, rows }, lines: [{ kind: "failed", text }] };
    }
    const { done, symbol } = words(metadata.op);
    const lines: readonly Line[] =
        symbol === undefined
            ? []
            : [
                  {
                      kind: "done",
                      symbol,
                      text: progress.preview
                          ? `${row.label} would be ${done}`
                          : `${done} ${row.label} (${seconds})`,
                  },
              ];
    return { progress: { ...progress, rows }, lines };
}

function diagnose(progress: Progress, event: automation.DiagnosticEvent): Seen {
    const message = plain(event.message).trim();
    // The Automation API asks the engine for its debug messages, which its own types leave out.
    const isDebug = (event.severity as string) === "debug";
    if (message === "" || isDebug) {
        return silent(progress);
    }
    if (event.ephemeral === true) {
        return silent({ ...progress, rows: withStatus(progress.rows, event.urn ?? "", message) });
    }
    if (event.severity === "info#err") {
        return silent({ ...progress, stderr: [...progress.stderr, message] });
    }
    const key = normalised(message);
    if (progress.shown.has(key) || isNoise(event.severity, message, progress.preview)) {
        return silent(progress);
    }
    const about = event.urn === undefined || isStack(event.urn) ? "" : `${label(event.urn)}: `;
    return {
        progress: {
            ...progress,
            shown: new Set([...progress.shown, key]),
            errors: progress.errors + (event.severity === "error" ? 1 : 0),
            refused: progress.refused || isRefusal(event.severity, message),
        },
        lines: [{ kind: event.severity, text: `${about}${message}` }],
    };
}

function withStatus(
    rows: ReadonlyMap<string, Row>,
    urn: string,
    status: string,
): ReadonlyMap<string, Row> {
    const row = rows.get(urn);
    const line = status.split("\n")[0] ?? status;
    return row === undefined ? rows : new Map([...rows, [urn, { ...row, status: line }]]);
}

/** What the engine says of a plugin that it has not installed itself. */
export const pluginOnPath = /^using pulumi-\S+ from \$PATH/;

/**
 * Where a plugin came from is said before the run; that an update failed, after it. The statements of a
 * plan are for a preview, where there is still a choice.
 */
function isNoise(
    severity: automation.DiagnosticEvent["severity"],
    message: string,
    preview: boolean,
): boolean {
    if (severity === "info") return !preview && message.startsWith("plan:\n");
    return severity === "warning"
        ? pluginOnPath.test(message)
        : severity === "error" &&
              /^(update|destroy|refresh|preview) (failed|canceled)$/.test(message);
}

function isStack(urn: string): boolean {
    return urn === "" || urn.includes("::pulumi:pulumi:Stack::");
}

function label(urn: string): string {
    const type = urn.split("::").at(-2)?.split(/[$:]/).at(-1);
    return type === undefined ? nameOf(urn) : `${type} ${nameOf(urn)}`;
}

/** Without the engine's colour tags and the terminal's. */
function plain(text: string): string {
    return stripVTControlCharacters(text.replace(/<\{%[^%]*%\}>/g, ""));
}

/** A text as it is compared: the engine repeats errors with a prefix and other white space. */
function normalised(text: string): string {
    return text
        .replace(/^error: /i, "")
        .replace(/\s+/g, " ")
        .replace(/:? ?$/, "");
}

function silent(progress: Progress): Seen {
    return { progress, lines: [] };
}
