/** `npm run docs`: the reference of the package's API, out of the docstrings, into docs/api. */
import { dirname, join } from "node:path";

import { Command } from "commander";

import { writeReference } from "./docs/reference";
import { endWith } from "./ending";
import { withStep } from "./progress";

const root = dirname(__dirname);

async function main(): Promise<void> {
    const command = new Command("npm run docs --")
        .description("Writes the API reference out of the docstrings of the resources.")
        .option("--out <folder>", "what is written anew, whole", join(root, "docs", "api"));
    command.parse();
    const { out } = command.opts<{ out: string }>();
    await withStep("reading the docstrings", async (step) => {
        await writeReference(root, out);
        step.done(`wrote ${out}`);
    });
}

endWith(main());
