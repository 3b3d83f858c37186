/** Questions on a terminal, asked beside the results on standard output. */
import { createInterface } from "node:readline/promises";

import { TimescaleError } from "../components/timescale/core/errors";

/** The answer, trimmed; only where standard input is a terminal. */
export async function ask(question: string): Promise<string> {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
        return (await terminal.question(question)).trim();
    } finally {
        terminal.close();
    }
}

/** @throws TimescaleError, which says what was not done, when the answer is not yes */
export async function wantYes(question: string, notDone: string): Promise<void> {
    const answer = await ask(`${question} Type yes to go on: `);
    if (answer.toLowerCase() === "yes") return;
    throw new TimescaleError(notDone, {
        code: "not_confirmed",
        detail: `the answer was "${answer}"`,
    });
}

export async function agrees(question: string): Promise<boolean> {
    return /^y(?:es)?$/i.test(await ask(`${question} [y/N] `));
}
