/** `npm run package`: the resources as an npm package, compiled, to be used from any Pulumi program. */
import { dirname, join } from "node:path";

import { Command } from "commander";

import { endWith } from "./ending";
import { buildPackage } from "./package/build";
import { withStep } from "./progress";

const root = dirname(__dirname);

async function main(): Promise<void> {
    const command = new Command("npm run package --")
        .description("Compiles the resources and packs them, for use from any Pulumi program.")
        .option("--out <folder>", "where the archive goes", join(root, "dist"));
    command.parse();
    const { out } = command.opts<{ out: string }>();
    const archive = await withStep("compiling the resources", async (step) => {
        const packed = await buildPackage({ root, out, report: step.report });
        step.done(`packed ${packed}`);
        return packed;
    });
    process.stdout.write(
        `${archive}\n\nIn the folder of a Pulumi program: npm install @pulumi/pulumi typescript@5 ${archive}\n`,
    );
}

endWith(main());
