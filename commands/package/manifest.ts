/** The package.json of the package, from that of the repository. */
import { TimescaleError } from "../../components/timescale/core/errors";

export interface RootManifest {
    readonly name: string;
    readonly version: string;
    readonly license: string;
    readonly engines: { readonly node: string };
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
}

/** Of the program, which loads it: two of them in one process do not know each other's resources. */
const ofTheProgram = "@pulumi/pulumi";

/**
 * @param imported what the compiled files load
 * @throws TimescaleError for a package that the repository has no version of
 */
export function manifestOf(
    { name, version, license, engines, dependencies, devDependencies }: RootManifest,
    imported: readonly string[],
): Readonly<Record<string, unknown>> {
    const versions = imported.map((dependency): [string, string] => {
        const pinned = dependencies[dependency];
        if (pinned !== undefined) return [dependency, pinned];
        throw new TimescaleError(`the package loads ${dependency}, which is no dependency`, {
            code: "package_failed",
            detail: "package.json names it under no version in dependencies",
            hint: `npm install --save-exact ${dependency}`,
        });
    });
    // Declaration files name types of what is imported.
    const typings = imported
        .map((dependency) => `@types/${dependency}`)
        .flatMap((types) => Object.entries(devDependencies).filter(([one]) => one === types));
    const types = "./components/timescale/index.d.ts";
    return {
        ...{ name, version },
        description:
            "TimescaleDB hypertables, continuous aggregates, policies, views and functions as Pulumi resources, compared with the live database",
        keywords: ["pulumi", "timescaledb", "continuous-aggregates", "postgresql"],
        ...{ license, engines },
        main: "./components/timescale/index.js",
        types,
        exports: {
            ".": { types, default: "./components/timescale/index.js" },
            // What every resource's state loads.
            "./provider": "./components/timescale/provider/provider.cjs",
            "./package.json": "./package.json",
        },
        dependencies: Object.fromEntries([
            ...versions.filter(([one]) => one !== ofTheProgram),
            ...typings,
        ]),
        peerDependencies: { [ofTheProgram]: `^${dependencies[ofTheProgram]}` },
    };
}
