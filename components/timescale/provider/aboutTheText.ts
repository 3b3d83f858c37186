/** Whether an error of the server is the program's text, or only what is not there yet. */
import { DatabaseError } from "pg";

import type { TimescaleError } from "../core/errors";

/** A table or column that the same deployment may make, a privilege that it may grant. */
const missing = ["42P01", "42703", "42501", "42P07"];

/** The same for texts that call functions and name types and schemas of their own. */
export const missingObjects = [...missing, "42883", "42704", "3F000"];

export function isAboutTheText(
    error: TimescaleError,
    absent: readonly string[] = missing,
): boolean {
    if (!(error.cause instanceof DatabaseError)) return false;
    const code = error.code ?? "";
    return /^(42|22|0A)/.test(code) && !absent.includes(code);
}
