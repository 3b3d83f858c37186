/**
 * Six suites, from the quickest to the most real. `npm test` runs them all.
 *
 * @type {import("jest").Config}
 */
const servers = {
    globalSetup: "<rootDir>/test/helpers/globalSetup.ts",
    globalTeardown: "<rootDir>/test/helpers/globalTeardown.ts",
};

/** `timeout` is for one test or hook, in milliseconds. */
const suites = {
    // Pure parts: no Pulumi, no database.
    unit: { timeout: 20_000 },
    // What is written for people, against the code: reads all of its types, in many seconds.
    docs: { timeout: 180_000 },
    // Components against Pulumi's mocks.
    pulumi: { timeout: 60_000 },
    // The real provider process over gRPC.
    provider: { timeout: 120_000, ...servers },
    // The core against real databases.
    integration: { timeout: 180_000, ...servers },
    // The real Pulumi engine by the Automation API.
    engine: { timeout: 300_000, ...servers },
};

module.exports = {
    maxWorkers: 2,
    reporters: ["default", "<rootDir>/test/helpers/reporter.cjs"],
    projects: Object.entries(suites).map(([displayName, { timeout, ...settings }]) => ({
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
        // Jest heeds `testTimeout` for all projects or none.
        globals: { suiteTimeout: timeout },
        setupFilesAfterEnv: ["<rootDir>/test/helpers/timeout.cjs"],
        ...settings,
    })),
};
