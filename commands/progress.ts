/**
 * Shows what a command is doing and what it waits for: a spinner on a terminal, else plain lines.
 *
 * Everything goes to standard error, so that standard output carries results alone.
 */
import picocolors from "picocolors";

export interface Step {
    /** What is being done or waited for now. */
    readonly report: (line: string) => void;
    /** What is going on at the same time, one row each, below the step's line. */
    readonly showRows: (rows: readonly ProgressRow[]) => void;
    /** A line that stays, above the step's. */
    readonly say: (text: string) => void;
    /** Ends the step well. */
    readonly done: (text: string) => void;
    readonly fail: (text: string) => void;
}

/** One of several things that go on at the same time. */
export interface ProgressRow {
    readonly text: string;
    /** In milliseconds since the epoch. */
    readonly started: number;
    /** What it is doing just now. */
    readonly status: string | undefined;
}

/** Colours for standard error or output: none with NO_COLOR or without a terminal. */
export function coloursOf({
    isTTY,
}: {
    readonly isTTY?: boolean;
}): ReturnType<typeof picocolors.createColors> {
    return picocolors.createColors(picocolors.isColorSupported && isTTY === true);
}

export const colours = coloursOf(process.stderr);

/** Starts a step that may take over two seconds. */
export async function startStep(title: string): Promise<Step> {
    // A terminal that does not know its width says 0, and the spinner would clear its lines for ever.
    const { isTTY, columns } = process.stderr;
    return isTTY && columns > 0 ? spinningStep(title) : plainStep(title);
}

async function spinningStep(title: string): Promise<Step> {
    const { default: ora } = await import("ora");
    const started = Date.now();
    let line = title;
    let rows: readonly ProgressRow[] = [];
    const spinner = ora({
        text: title,
        stream: process.stderr,
        // Ctrl-C and what is typed meanwhile are the command's own business.
        discardStdin: false,
        color: colours.isColorSupported ? "cyan" : false,
    }).start();
    const render = (): void => {
        spinner.text = [
            line + colours.dim(since(started)),
            ...rows.map(
                (row) =>
                    `    ${row.text}${colours.dim(since(row.started))}${row.status === undefined ? "" : `: ${row.status}`}`,
            ),
        ].join("\n");
    };
    const timer = setInterval(render, 1000);
    const end = (symbol: string, text: string): void => {
        clearInterval(timer);
        spinner.stopAndPersist({ symbol, text });
    };
    return {
        report: (next) => {
            line = next;
            render();
        },
        showRows: (next) => {
            rows = next;
            render();
        },
        say: (text) => {
            spinner.clear();
            process.stderr.write(`${text}\n`);
            spinner.render();
        },
        done: (text) => end(colours.green("✔"), text),
        fail: (text) => end(colours.red("✖"), text),
    };
}

/** Milliseconds after which a line is said again when only its numbers have changed. */
const repeatAfter = 10_000;

function plainStep(title: string): Step {
    const started = Date.now();
    const said = new Map<string, number>();
    const write = (text: string): void => {
        process.stderr.write(`${text}\n`);
    };
    const sayNowAndThen = (line: string, kind: string): void => {
        const now = Date.now();
        if (now - (said.get(kind) ?? 0) >= repeatAfter) {
            said.set(kind, now);
            write(line);
        }
    };
    const sayLine = (line: string): void => {
        sayNowAndThen(line + since(started), line.replace(/\d+/g, ""));
    };
    const sayRow = (row: ProgressRow): void => {
        // What is done in a moment is told by its end alone.
        if (Date.now() - row.started >= worthTelling) {
            const status = row.status === undefined ? "" : `: ${row.status}`;
            sayNowAndThen(
                `${row.text}${since(row.started)}${status}`,
                `${row.text}${status.replace(/\d+/g, "")}`,
            );
        }
    };
    let line = title;
    let rows: readonly ProgressRow[] = [];
    const timer = setInterval(() => {
        sayLine(line);
        rows.forEach(sayRow);
    }, repeatAfter);
    sayLine(title);
    const end = (text: string): void => {
        clearInterval(timer);
        write(text);
    };
    return {
        report: (next) => {
            line = next;
            sayLine(next);
        },
        showRows: (next) => {
            rows = next;
            rows.forEach(sayRow);
        },
        say: write,
        done: end,
        fail: (text) => end(`${text}: failed`),
    };
}

/** Milliseconds after which it is worth telling that something still goes on. */
const worthTelling = 2000;

/** Such as ` (1 min 5 s)`; empty for a moment. */
function since(started: number): string {
    const milliseconds = Date.now() - started;
    if (milliseconds < worthTelling) {
        return "";
    }
    const seconds = Math.floor(milliseconds / 1000);
    return seconds < 60
        ? ` (${seconds} s)`
        : ` (${Math.floor(seconds / 60)} min ${seconds % 60} s)`;
}

/** Runs the work as a step, which fails with it. The work ends the step itself when it goes well. */
export async function withStep<Result>(
    title: string,
    work: (step: Step) => Promise<Result>,
): Promise<Result> {
    const step = await startStep(title);
    try {
        return await work(step);
    } catch (error) {
        step.fail(title);
        throw error;
    }
}
