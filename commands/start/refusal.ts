/** Which errors are refusals: decisions about data that nobody has taken, and not something that went wrong. */
import { ruleCodes, rules } from "../../components/timescale/core/rules/codes";

const codes: ReadonlySet<string> = new Set([
    "another_database",
    "another_relation",
    "compressed_chunks",
    "dependants",
    "exists_and_differs",
    "loses_history",
    "owner",
    "query_changed",
    "rows_stand",
    "structure_differs",
    ...ruleCodes.filter((code) => rules[code].severity === "refuse"),
]);

/** @param message as `explain` writes it, with its code in brackets at the end of the first line */
export function isRefusal(severity: string, message: string): boolean {
    if (message.includes("up will refuse this: ")) return true;
    if (severity !== "error") return false;
    return [...message.matchAll(/\((?:in \w+, )?(\w+)\)/g)].some(([, code = ""]) =>
        codes.has(code),
    );
}
