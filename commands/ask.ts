/** Questions on a terminal, asked beside the results on standard output. */
import { createInterface } from "node:readline/promises";

/** The answer, trimmed; only where standard input is a terminal. */
export async function ask(question: string): Promise<string> {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
        return (await terminal.question(question)).trim();
    } finally {
        terminal.close();
    }
}

export async function agrees(question: string): Promise<boolean> {
    return /^y(?:es)?$/i.test(await ask(`${question} [y/N] `));
}
