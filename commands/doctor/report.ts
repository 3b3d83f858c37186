/** What doctor found, for people and for programs. Pure. */
import { counted, showTime } from "../../components/timescale/core/health/words";
import type { Colours, Place } from "../status/text";
import type { Examined } from "./examine";

export function doctorText(
    { health, findings, notes }: Examined,
    { host, port }: Place,
    colours: Colours,
): string {
    const { server, aggregates, hypertables, jobs } = health;
    const looked = `${counted(aggregates.length, "aggregate")}, ${counted(hypertables.length, "hypertable")} and ${counted(jobs.length, "job")}`;
    const lines = [
        `${colours.bold(`${server.database} at ${host}:${port}`)}  ${showTime(server.now)}`,
        "",
    ];
    for (const { code, severity, object, message, evidence, consequence, mend } of findings) {
        const colour = severity === "error" ? colours.red : colours.yellow;
        lines.push(
            `${colour(severity)} ${colours.bold(object)}: ${message} (${code})`,
            ...[
                ["evidence", evidence],
                ["so", consequence],
                ["mend", mend],
            ].map(([title = "", text = ""]) => `  ${title.padEnd(9)}${wrapped(text, 89, 11)}`),
            "",
        );
    }
    for (const note of notes) lines.push(`note  ${wrapped(note, 94, 6)}`);
    if (notes.length > 0) lines.push("");
    const errors = findings.filter(({ severity }) => severity === "error").length;
    lines.push(
        findings.length === 0
            ? colours.green(`Nothing is wrong with ${looked}.`)
            : `${counted(errors, "error")} and ${counted(findings.length - errors, "warning")} in ${looked}.`,
    );
    return lines.join("\n");
}

/** Fields are added, and never renamed or given another meaning. */
export function doctorJson({ health, findings, notes }: Examined, fixed: readonly Fixed[]): object {
    return {
        ...{ format: 1, at: health.server.now, healthy: findings.length === 0 },
        findings: findings.map(({ fix, ...finding }) => ({
            ...finding,
            fixable: fix !== undefined,
        })),
        ...{ fixed, notes },
    };
}

export interface Fixed {
    readonly code: string;
    readonly object: string;
    /** Null: it is mended. */
    readonly failure: string | null;
}

/** On lines of at most so many characters, the later ones indented. */
function wrapped(text: string, width: number, indent: number): string {
    const lines = [""];
    for (const word of text.split(" ")) {
        const last = lines.at(-1) ?? "";
        if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
        else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
    }
    return lines.join(`\n${" ".repeat(indent)}`);
}
