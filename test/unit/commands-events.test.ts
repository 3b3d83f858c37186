/** What a reader of the terminal sees of an operation. */
import type { automation } from "@pulumi/pulumi";

import {
    inWords,
    type Line,
    noProgress,
    nothingChanged,
    type Progress,
    see,
    unsaid,
} from "../../commands/start/events";

type Event = automation.EngineEvent;

const hourly = "urn:pulumi:dev::p::pulumi-nodejs:dynamic/timescale:ContinuousAggregate::hourly";
const stack = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev";

function event(part: Partial<Event>): Event {
    return { sequence: 0, timestamp: 0, ...part };
}

function step(urn: string, op: string, custom = true): automation.StepEventMetadata {
    const type = urn.split("::").at(-2) ?? "";
    const state = { type, urn, custom, id: "", parent: "", inputs: {}, outputs: {}, provider: "" };
    return { op: op as automation.OpType, urn, type, new: state, provider: "" };
}

const begins = (op: string, urn = hourly, custom = true): Event =>
    event({ resourcePreEvent: { metadata: step(urn, op, custom) } });
const ends = (op: string): Event => event({ resOutputsEvent: { metadata: step(hourly, op) } });
const fails = (op: string): Event =>
    event({ resOpFailedEvent: { metadata: step(hourly, op), status: 0, steps: 0 } });

function says(
    message: string,
    severity: string = "info",
    more: Partial<automation.DiagnosticEvent> = {},
): Event {
    const known = severity as automation.DiagnosticEvent["severity"];
    return event({
        diagnosticEvent: { message, color: "never", severity: known, urn: hourly, ...more },
    });
}

/** Takes the events in, 1.5 seconds apart. */
function watch(...events: readonly Event[]): { progress: Progress; lines: readonly Line[] } {
    return events.reduce<{ progress: Progress; lines: readonly Line[] }>(
        (before, next, i) => {
            const { progress, lines } = see(before.progress, next, i * 1500);
            return { progress, lines: [...before.lines, ...lines] };
        },
        { progress: noProgress, lines: [] },
    );
}

const rowsOf = ({ progress }: { progress: Progress }) => [...progress.rows.values()];
const textsOf = ({ lines }: { lines: readonly Line[] }) => lines.map(({ text }) => text);

describe("the statements of a plan", () => {
    it("are for a preview, and left out", () => {
        const seen = watch(says("plan:\n  in one transaction:\n   1. comment"), says("~ comment: changed")); // prettier-ignore
        expect(textsOf(seen)).toEqual(["ContinuousAggregate hourly: ~ comment: changed"]);
    });
});

describe("rows", () => {
    it("show a resource while it is worked on, with its latest passing message", () => {
        const seen = watch(
            begins("create"),
            says("filling: 1 of 5 days", "info", { ephemeral: true }),
            says("<{%fg 6%}>filling: 3 of 5 days<{%reset%}>\n", "info", { ephemeral: true }),
        );

        expect(rowsOf(seen)).toEqual([
            {
                urn: hourly,
                label: "ContinuousAggregate hourly",
                doing: "creating",
                started: 0,
                status: "filling: 3 of 5 days",
            },
        ]);
        expect(seen.lines).toEqual([]);
    });

    it("end in one line with the time it took", () => {
        const seen = watch(begins("update"), ends("update"));

        expect(rowsOf(seen)).toEqual([]);
        expect(seen.lines).toEqual([
            { kind: "done", symbol: "~", text: "updated ContinuousAggregate hourly (1.5 s)" },
        ]);
    });

    it("end in one line when it failed", () => {
        expect(watch(begins("create"), fails("create")).lines).toEqual([
            { kind: "failed", text: "creating ContinuousAggregate hourly failed after 1.5 s" },
        ]);
    });

    it.each([
        ["an unchanged resource", begins("same")],
        ["the stack", begins("create", stack)],
        ["a component", begins("create", "urn:pulumi:dev::p::timescale:server:Server::s", false)],
        ["the umbrella of a replacement", begins("replace")],
    ])("leave out %s", (_what, pre) => {
        expect(rowsOf(watch(pre))).toEqual([]);
    });
});

describe("diagnostics", () => {
    it("are shown in full, all lines", () => {
        expect(watch(says("hazard: loses history\n  detail: 45 rows\n", "warning")).lines).toEqual([
            {
                kind: "warning",
                text: "ContinuousAggregate hourly: hazard: loses history\n  detail: 45 rows",
            },
        ]);
    });

    it("are shown once, although the engine repeats errors with other white space", () => {
        const seen = watch(
            says("1 error occurred:\n\t* boom\n", "error"),
            says("error: 1 error occurred:\n    * boom", "error", { urn: stack }),
        );

        expect(textsOf(seen)).toHaveLength(1);
        expect(seen.progress.errors).toBe(1);
    });

    it.each([
        ["debug messages", says("Registering resource", "debug")],
        ["where a plugin came from", says("using pulumi-resource-docker from $PATH", "warning")],
        ["that the update failed", says("update failed", "error", { urn: stack })],
        ["empty messages", says("\n")],
    ])("leave out %s", (_what, diagnostic) => {
        expect(watch(diagnostic).lines).toEqual([]);
    });

    it("keep a provider's standard error for a failure, without what errors have said", () => {
        const { progress, lines } = watch(
            says("dropping hourly would lose history\n  hint: accept it", "error"),
            says("Error: dropping hourly would lose history", "info#err"),
            says("hint: accept it:", "info#err"),
            says("Segmentation fault", "info#err"),
        );

        expect(lines).toHaveLength(1);
        expect(unsaid(progress)).toEqual(["Segmentation fault"]);
    });
});

describe("the summary", () => {
    const summary = (changes: Record<string, number>): Progress =>
        watch(
            event({
                summaryEvent: {
                    maybeCorrupt: false,
                    durationSeconds: 1,
                    resourceChanges: changes,
                    policyPacks: {},
                },
            }),
        ).progress;

    it("says that nothing changed when everything is the same", () => {
        expect(nothingChanged(summary({ same: 27, create: 0 }).summary!)).toBe(true);
        expect(nothingChanged(summary({ same: 26, update: 1 }).summary!)).toBe(false);
    });

    it("counts in words", () => {
        expect(inWords(summary({ create: 3, same: 24, update: 0 }).summary!)).toBe(
            "3 created, 24 unchanged",
        );
    });
});
