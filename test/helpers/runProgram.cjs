/**
 * Runs the compiled program of a folder, as `pulumi up` and `pulumi preview` do where the engine has its
 * Node language host: in a process of its own, in that folder, with what is installed there.
 *
 * `node runProgram.cjs <stack> up|preview <options of the Automation API as JSON>`
 */
const { join } = require("node:path");

const { LocalWorkspace } = require("@pulumi/pulumi/automation");

async function main([stackName, operation, options]) {
    const folder = process.cwd();
    const program = async () => ({ ...require(join(folder, "index.js")) });
    const { name: projectName } = await (
        await LocalWorkspace.create({ workDir: folder })
    ).projectSettings();
    const stack = await LocalWorkspace.selectStack(
        { stackName, projectName, program },
        { workDir: folder },
    );
    await stack[operation]({
        ...JSON.parse(options),
        color: "never",
        onOutput: (text) => process.stdout.write(text),
    });
}

main(process.argv.slice(2)).then(
    () => process.exit(0),
    (error) => {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
    },
);
