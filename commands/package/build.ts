/** Makes the npm package of the resources out of this repository: compiled, with types and catalog queries. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";
import { importedPackages } from "./imports";
import { manifestOf, type RootManifest } from "./manifest";

export interface PackageOptions {
    /** The repository. */
    readonly root: string;
    /** Folder that the archive is put into; made where it is missing. */
    readonly out: string;
    readonly report: (text: string) => void;
}

/**
 * The archive's path.
 *
 * @throws TimescaleError when it does not compile or cannot be packed
 */
export async function buildPackage({ root, out, report }: PackageOptions): Promise<string> {
    const staging = mkdtempSync(join(tmpdir(), "pulumi-timescale-package-"));
    try {
        report("compiling");
        await run("npx", ["--no-install", "tsc", "-p", "tsconfig.package.json", "--outDir", staging], root); // prettier-ignore
        const provider = join("components", "timescale", "provider", "provider.cjs");
        cpSync(join(root, provider), join(staging, provider));
        cpSync(join(root, "sql", "catalog"), join(staging, "sql", "catalog"), { recursive: true });
        for (const file of ["LICENSE", "CHANGELOG.md"]) cpSync(join(root, file), join(staging, file)); // prettier-ignore
        cpSync(join(root, "docs", "library.md"), join(staging, "README.md"));
        const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as RootManifest;
        const manifest = manifestOf(own, importedPackages(join(staging, "components")));
        writeFileSync(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
        report("packing");
        const folder = resolve(out);
        mkdirSync(folder, { recursive: true });
        const packed = await run("npm", ["pack", "--pack-destination", folder, "--silent"], staging); // prettier-ignore
        return join(folder, packed.trim().split("\n").at(-1) ?? "");
    } finally {
        rmSync(staging, { recursive: true, force: true });
    }
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
    const { execa } = await import("execa");
    const result = await execa(command, args, { cwd, stdin: "ignore", reject: false });
    if (!result.failed) return result.stdout;
    throw new TimescaleError(
        `${command} ${args[0] === "--no-install" ? args[1] : args[0]} failed`,
        {
            code: "package_failed",
            detail: [result.stdout, result.stderr].join("\n").trim() || result.shortMessage || "it said nothing", // prettier-ignore
            hint: "npm run typecheck says more of what does not compile",
        },
    );
}
