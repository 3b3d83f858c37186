/**
 * The config of a stack made by `npm start`: what was asked for, what the environment says, and what is
 * generated once and then kept.
 */
import { isAbsolute, resolve } from "node:path";

import {
    isKeyName,
    type Key,
    type KeyName,
    keyNames,
    keys,
    type Target,
} from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import { embeddedPort } from "../embedded/server";

export interface Setting {
    readonly key: KeyName;
    readonly value: string;
    readonly secret: boolean;
}

/** What is made up anew for every stack. */
export interface Generators {
    readonly password: () => string;
    /** A free loopback port: this one, or one of the next hundred. */
    readonly port: (preferred: number) => Promise<number>;
    /** Tells this clone's container from another's. */
    readonly suffix: () => string;
}

/** Tried first, so that what the documentation says is mostly so. */
const preferredPorts = { docker: 54320, embedded: embeddedPort } as const;

/** libpq's environment variables, which give what an external target lacks. */
export const environmentKeys = {
    PGHOST: "host",
    PGPORT: "port",
    PGUSER: "adminUser",
    PGPASSWORD: "adminPassword",
    PGSSLMODE: "sslMode",
    PGSSLROOTCERT: "sslRootCert",
} as const satisfies Readonly<Record<string, KeyName>>;

/**
 * What to set, given what the stack has. `asked` always wins, the environment fills what is missing, and
 * a value that was generated is never made up again.
 */
export async function newSettings(
    target: Target,
    present: ReadonlySet<string>,
    asked: Readonly<Record<string, string>>,
    environment: NodeJS.ProcessEnv,
    generators: Generators,
): Promise<readonly Setting[]> {
    const settings = new Map<KeyName, string>([["target", target]]);
    const fill = (key: KeyName, value: string | undefined): void => {
        if (value !== undefined && value !== "" && !present.has(key)) {
            settings.set(key, value);
        }
    };
    fill("protectData", "true");
    if (target === "external") {
        for (const [variable, key] of Object.entries(environmentKeys)) {
            const value = environment[variable];
            fill(key, key === "sslRootCert" ? absolute(value) : value);
        }
    }
    if (target === "docker") {
        fill("adminPassword", generators.password());
        fill("image", keys.image.default);
        fill("containerName", `llm-observatory-${generators.suffix()}`);
    }
    // With its own roles, an external server's passwords are known to its owner alone.
    const givenRoles = target === "external" && asked["manageAccess"] === "false";
    if (!givenRoles) {
        for (const key of ["ownerPassword", "writerPassword", "readerPassword"] as const) {
            fill(key, generators.password());
        }
    }
    if (target !== "external" && !present.has("port")) {
        settings.set("port", String(await generators.port(preferredPorts[target])));
    }
    for (const [key, value] of Object.entries(asked)) {
        settings.set(known(key), key === "sslRootCert" ? (absolute(value) ?? value) : value);
    }
    return [...settings].map(([key, value]) => ({ key, value, secret: isSecret(key) }));
}

/** `key=value` of `--config`, in the order given; the last of a key counts. */
export function parseAssignments(texts: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(
        texts.map((text) => {
            const at = text.indexOf("=");
            if (at < 1) {
                throw new TimescaleError(`--config "${text}" is not key=value`, {
                    code: "invalid_option",
                    detail: `known keys: ${keyNames.join(", ")}`,
                    hint: "write it as --config host=db.example.com",
                });
            }
            return [known(text.slice(0, at)), text.slice(at + 1)];
        }),
    );
}

export function isSecret(key: KeyName): boolean {
    const { secret }: Key = keys[key];
    return secret === true;
}

function known(key: string): KeyName {
    if (!isKeyName(key)) {
        throw new TimescaleError(`config key "${key}" is unknown`, {
            code: "invalid_option",
            detail: `known keys: ${keyNames.join(", ")}`,
            hint: "correct the name after --config",
        });
    }
    if (key === "target") {
        throw new TimescaleError("the target is not set by --config", {
            code: "invalid_option",
            detail: "every target has a stack of its own",
            hint: "npm start -- --target docker",
        });
    }
    return key;
}

/** A certificate's path counts from where the user stands, its text stays as it is. */
function absolute(path: string | undefined): string | undefined {
    return path === undefined || path === "" || path.includes("-----BEGIN") || isAbsolute(path)
        ? path
        : resolve(process.env["INIT_CWD"] ?? process.cwd(), path);
}
