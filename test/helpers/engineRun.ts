/** What one operation of the Pulumi engine did and said, from its events. */
import { stripVTControlCharacters } from "node:util";

import type { automation } from "@pulumi/pulumi";

export interface Step {
    /** Such as `create`, `update`, `same` or `delete`. */
    readonly op: string;
    /** The resource's name, the last part of its URN. */
    readonly name: string;
}

export interface Diagnostic {
    /** Name of the resource that it is about; empty for the run as a whole. */
    readonly name: string;
    readonly severity: string;
    readonly message: string;
}

/** What one operation of the engine did and said. */
export interface Run {
    /** Why it failed, with all diagnostics; undefined when it succeeded. */
    readonly failure: string | undefined;
    /** Of resources inside the database alone: no components, no providers. */
    readonly steps: readonly Step[];
    readonly diagnostics: readonly Diagnostic[];
    /** Passing messages on resources' own rows, as `name: text`. */
    readonly statuses: readonly string[];
    /** Everything the engine printed. */
    readonly output: string;
}

/** Operation by resource, without those that stay the same. */
export function changes(run: Run): Readonly<Record<string, string>> {
    return Object.fromEntries(
        run.steps.filter(({ op }) => op !== "same").map(({ name, op }) => [name, op]),
    );
}

/** All diagnostics of a resource. */
export function said(run: Run, name: string): string {
    const messages = run.diagnostics.filter((one) => one.name === name);
    return messages.map(({ message }) => message).join("\n");
}

/** The same without the statements that `up` would run. */
export function differences(run: Run, name: string): string {
    const messages = run.diagnostics.filter((one) => one.name === name && !isPlan(one));
    return messages.map(({ message }) => message).join("\n");
}

/** The statements that `up` would run on a resource, and what is at stake. */
export function planSaid(run: Run, name: string): string {
    const messages = run.diagnostics.filter((one) => one.name === name && isPlan(one));
    return messages.map(({ message }) => message).join("\n");
}

function isPlan({ message }: Diagnostic): boolean {
    return message.startsWith("plan:\n") || message.startsWith("! ");
}

/** @throws with everything that the engine said, when the run failed */
export function succeeded(run: Run): Run {
    if (run.failure !== undefined) throw new Error(`the engine failed:\n${run.failure}`);
    return run;
}

/** @throws when the run succeeded; otherwise gives what it failed with */
export function failed(run: Run): Run & { readonly failure: string } {
    const { failure } = run;
    if (failure === undefined) throw new Error("the engine succeeded, and should have failed");
    return { ...run, failure };
}

/** Begins the types of resources inside a database. */
export const dynamic = "pulumi-nodejs:dynamic/timescale:";

/** The resource's name, from its URN. */
export function nameOf(urn: string): string {
    return urn.split("::")[3] ?? "";
}

/** What every operation of the Automation API takes. */
export interface Watch {
    readonly onEvent: (event: automation.EngineEvent) => void;
    readonly onOutput: (text: string) => void;
    readonly onError: (text: string) => void;
    readonly color: "never";
}

/** Runs one operation and collects what it did and said; never fails. */
export async function watch(operate: (options: Watch) => Promise<unknown>): Promise<Run> {
    const steps: Step[] = [];
    const diagnostics: Diagnostic[] = [];
    const statuses: string[] = [];
    let output = "";
    const append = (text: string): void => {
        output += text;
    };
    const onEvent = (event: automation.EngineEvent): void => {
        const { resourcePreEvent, resOutputsEvent, diagnosticEvent } = event;
        // What a refresh comes to is known when it is done.
        const metadata =
            resourcePreEvent?.metadata.op === "refresh"
                ? undefined
                : (resourcePreEvent?.metadata ?? resOutputsEvent?.metadata);
        if (metadata?.type.startsWith(dynamic) === true) {
            const name = nameOf(metadata.urn);
            if (!steps.some((step) => step.name === name)) steps.push({ op: metadata.op, name });
        }
        if (diagnosticEvent === undefined) return;
        const { urn = "", severity, ephemeral } = diagnosticEvent;
        const message = plain(diagnosticEvent.message);
        // The Automation API asks the engine for its debug messages, which its types leave out.
        if (message === "" || (severity as string) === "debug") return;
        if (ephemeral === true) statuses.push(`${nameOf(urn)}: ${message}`);
        else diagnostics.push({ name: nameOf(urn), severity, message });
    };
    const failure = await operate({
        onEvent,
        onOutput: append,
        onError: append,
        color: "never",
    }).then(
        () => undefined,
        (error: unknown) => plain(error instanceof Error ? error.message : String(error)),
    );
    const everything = diagnostics.map(({ name, message }) => `${name}: ${message}`).join("\n");
    return {
        failure: failure === undefined ? undefined : `${failure}\n${everything}`,
        steps,
        diagnostics,
        statuses,
        output,
    };
}

function plain(text: string): string {
    return stripVTControlCharacters(text.replace(/<\{%[^%]*%\}>/g, "")).trim();
}
