/** Which version of TimescaleDB a database should have, and the rules that need no server. */
import { type IsUnknown, type Problem, shown, Validation } from "../validate";
import type { DesiredExtension } from "./update";

export const extensionProperties = ["connection", "version", "everyDatabase"] as const;

export function validateExtension(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, extensionProperties, "");
    check.connection(inputs["connection"]);
    check.boolean("everyDatabase", inputs["everyDatabase"]);
    const { version } = inputs;
    if (check.text("version", version) && !/^\d+\.\d+(?:\.\d+)?(?:-\w+)?$/.test(String(version))) {
        check.add(
            "version",
            "version is no version of TimescaleDB",
            shown(version),
            'write all of its numbers, such as "2.14.2"',
        );
    }
    return check.problems;
}

export function desiredExtension(inputs: Readonly<Record<string, unknown>>): DesiredExtension {
    return {
        version: inputs["version"] as string | undefined,
        everyDatabase: inputs["everyDatabase"] === true,
    };
}
