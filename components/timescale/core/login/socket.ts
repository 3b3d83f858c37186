/**
 * The local socket of a server in a Docker container, which the official images let everybody use who
 * is inside the container without a password. The statement goes through standard input: what is in
 * arguments, every process of the machine can read.
 */
import { execFile } from "node:child_process";

/** Milliseconds. */
const patience = 30_000;

/** Runs one statement as this user. @returns why that was not possible; undefined when it is done */
export function throughSocket(
    container: string,
    user: string,
    sql: string,
): Promise<string | undefined> {
    const psql = ["psql", "-X", "-q", "-w", "-U", user, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-f", "-"]; // prettier-ignore
    return new Promise((resolve) => {
        const child = execFile(
            "docker",
            ["exec", "-i", container, ...psql],
            { timeout: patience, env: process.env },
            (error, _stdout, stderr) => {
                if (error === null) resolve(undefined);
                else if ("code" in error && error.code === "ENOENT")
                    resolve("the docker command is not on PATH");
                else resolve(`inside container ${container}: ${reason(stderr)}`);
            },
        );
        // One that ended early has said why.
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(`${sql};\n`);
    });
}

/** psql repeats a statement that fails, and with it the verifier. */
function reason(stderr: string): string {
    const [line = "it did not end in time"] = stderr
        .split("\n")
        .filter((text) => text.trim() !== "");
    return line.replace(/SCRAM-SHA-256\$\S*/g, "…").slice(0, 300);
}
