/** What can be said of `history` without a server. */
import { shown, type Validation } from "../../validate";

export function validateHistory(check: Validation, value: unknown): void {
    const history = check.object("history", value);
    if (history === undefined) return;
    check.onlyKnown(history, ["defaults", "renamed", "rollUp", "replacedVersions"], "history.");
    columns(check, history["defaults"], "defaults", ["string", "number", "boolean"]);
    columns(check, history["renamed"], "renamed", ["string"]);
    columns(check, history["rollUp"], "rollUp", ["string"]);
    const versions = history["replacedVersions"];
    if (check.given(versions) && versions !== "keep" && versions !== "drop") {
        check.add(
            "history",
            "history.replacedVersions is neither keep nor drop",
            shown(versions),
            'write "keep" or "drop"',
        );
    }
}

function columns(check: Validation, value: unknown, field: string, types: readonly string[]): void {
    const path = `history.${field}`;
    if (!check.given(value)) return;
    if (typeof value !== "object" || Array.isArray(value)) {
        check.add("history", `${path} must be an object`, shown(value), "write { column: value }");
        return;
    }
    for (const [column, given] of Object.entries(value as Record<string, unknown>)) {
        const empty = given === null && field === "defaults";
        if (check.isUnknown(given) || empty || types.includes(typeof given)) continue;
        check.add(
            "history",
            `${path}.${column} must be a ${types.join(", ")}`,
            shown(given),
            field === "rollUp" ? 'write SQL over the old columns, such as "sum(total)"' : "correct or remove it", // prettier-ignore
        );
    }
}
