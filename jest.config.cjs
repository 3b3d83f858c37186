/**
 * Five suites, from the quickest to the most real. `npm test` runs them all.
 *
 * @type {import("jest").Config}
 */
const servers = {
    globalSetup: "<rootDir>/test/helpers/globalSetup.ts",
    globalTeardown: "<rootDir>/test/helpers/globalTeardown.ts",
};

const suites = {
    // Pure parts: no Pulumi, no database.
    unit: { testTimeout: 10_000 },
    // Components against Pulumi's mocks.
    pulumi: { testTimeout: 60_000 },
    // The real provider process over gRPC.
    provider: { testTimeout: 120_000, ...servers },
    // The core against real databases.
    integration: { testTimeout: 180_000, ...servers },
    // The real Pulumi engine by the Automation API.
    engine: { testTimeout: 300_000, ...servers },
};

module.exports = {
    maxWorkers: 2,
    reporters: ["default", "<rootDir>/test/helpers/reporter.cjs"],
    projects: Object.entries(suites).map(([displayName, settings]) => ({
        displayName,
        rootDir: __dirname,
        testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
        // What `npm start` keeps in this folder is none of the tests' business.
        modulePathIgnorePatterns: ["<rootDir>/.observatory/"],
        transform: {
            "\\.ts$": [
                "@swc/jest",
                {
                    jsc: {
                        target: "es2022",
                        parser: { syntax: "typescript" },
                        keepClassNames: true,
                    },
                    // A package of ECMAScript modules is imported by Node itself, not through `require`.
                    module: { type: "commonjs", ignoreDynamic: true },
                },
            ],
        },
        ...settings,
    })),
};
