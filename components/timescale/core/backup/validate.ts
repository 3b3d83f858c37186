/** The rule on the input `backup`, of every resource that has it. */
import { shown, type Validation } from "../validate";

export function validateBackup(check: Validation, inputs: Readonly<Record<string, unknown>>): void {
    const folder = inputs["backup"];
    if (!check.text("backup", folder)) return;
    const text = String(folder);
    if (text.trim() !== "" && !text.includes("\0")) return;
    check.add(
        "backup",
        "backup is no folder",
        shown(folder),
        'give a folder such as "backups", or leave it out: then none is written',
    );
}
