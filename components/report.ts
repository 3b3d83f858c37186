/** Problems of the program itself, shown as Pulumi shows them. */
import * as pulumi from "@pulumi/pulumi";

import { explain, type TimescaleError } from "./timescale/core/errors";

/** Shows each warning in the stack's diagnostics. */
export async function warn(warnings: readonly TimescaleError[]): Promise<void> {
    for (const warning of warnings) {
        await pulumi.log.warn(explain(warning));
    }
}

/**
 * Stops the program before anything is registered, with every problem in one message.
 *
 * @throws pulumi.RunError, which Pulumi prints without a stack trace
 */
export function refuse(title: string, errors: readonly TimescaleError[]): never {
    const error = new pulumi.RunError([`${title}:`, ...errors.map(explain)].join("\n\n"));
    // Nobody is shown it, and working it out reads the source maps of all that it passes, for seconds
    // to minutes.
    error.stack = "";
    throw error;
}
