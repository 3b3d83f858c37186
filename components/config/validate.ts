/**
 * From the texts of a stack's config to a StackConfig, or to all that is wrong with them at once.
 * Pure but for reading the certificate file, which the caller lends.
 */
import type { TimescaleError } from "../timescale/core/errors";
import { host, isLoopback, port, tls } from "./address";
import { dockerSettings } from "./docker";
import { type Target, targets } from "./keys";
import { checkNames, warnOfKeysWithoutMeaning } from "./knownKeys";
import { adminLogin, checkPasswords, ownerUser, passwords } from "./logins";
import { database, databaseUuid, schema } from "./names";
import { policies } from "./policies";
import { problem, type Problems, warning } from "./problems";
import { slaTargets } from "./slaTargets";
import type { DockerSettings, Login, StackConfig } from "./stackConfig";
import { boolean, choice, isSet, type RawConfig, text } from "./values";

export interface CheckedConfig {
    /** Undefined if there are errors. */
    readonly config: StackConfig | undefined;
    readonly errors: readonly TimescaleError[];
    readonly warnings: readonly TimescaleError[];
}

/** Checks every key, and every rule between keys whose parts are sound. */
export function validateConfig(raw: RawConfig): CheckedConfig {
    const problems: Problems = { errors: [], warnings: [] };
    checkNames(raw, problems);

    const target = choice(raw, problems, "target", targets);
    if (target === undefined && !isSet(raw, "target")) {
        problem(problems, 'config key "target" is not set', {
            detail: `target says which server to use: ${targets.join(", ")}`,
            hint: "pulumi config set target docker",
        });
    }
    if (target !== undefined) {
        warnOfKeysWithoutMeaning(raw, problems, target);
    }

    const manageAccess = boolean(raw, problems, "manageAccess") && target !== "embedded";
    const protectData = boolean(raw, problems, "protectData");
    const adopt = boolean(raw, problems, "adopt");
    const docker = dockerSettings(raw, problems, target);
    const config = {
        host: host(raw, problems, target),
        port: port(raw, problems, target),
        database: database(raw, problems, manageAccess),
        schema: schema(raw, problems),
        databaseUuid: databaseUuid(raw, problems, target),
        ...tls(raw, problems, target),
        passwords: passwords(raw, target),
        ownerUser: ownerUser(raw, problems, manageAccess),
        protectData,
        adopt,
        backup: isSet(raw, "backup") ? text(raw, "backup") : undefined,
        helpers: boolean(raw, problems, "helpers"),
        policies: policies(raw, problems),
        slaTargets: slaTargets(raw, problems),
    };
    const admin = adminLogin(raw, problems, target, manageAccess);
    checkPasswords(raw, problems, target, manageAccess);
    if (target === "external" && config.sslMode === "disable" && !isLoopback(config.host)) {
        warning(problems, `connections to "${config.host}" are not encrypted`, {
            detail: "sslMode disable sends passwords and data in clear text over the network",
            hint: "pulumi config set sslMode verify-full",
        });
    }

    return {
        config:
            problems.errors.length > 0 || target === undefined
                ? undefined
                : complete(target, config, manageAccess, admin, docker),
        ...problems,
    };
}

function complete(
    target: Target,
    common: Omit<StackConfig, "target" | "admin" | "manageAccess" | "docker">,
    manageAccess: boolean,
    admin: Login | undefined,
    docker: DockerSettings,
): StackConfig | undefined {
    switch (target) {
        case "docker":
            // A missing admin login has been reported.
            return admin && { ...common, target, manageAccess, admin, docker };
        case "external":
            return { ...common, target, manageAccess, admin };
        case "embedded":
            return { ...common, target, manageAccess: false, admin: undefined };
    }
}
