/**
 * The config keys of a stack, as `Pulumi.yaml` declares them.
 *
 * Pulumi's schema has no optional keys: what has no default is demanded of every stack. So every key
 * has a default there, and an empty text or a port of 0 stands for "not set".
 */

/** Also the project's name. */
export const namespace = "llm-observatory";

/** The entries of a stack's config that are this project's, by key without the namespace. */
export function ownEntries<T>(config: Readonly<Record<string, T>>): [key: string, value: T][] {
    const prefix = `${namespace}:`;
    return Object.entries(config)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value]);
}

export const targets = ["docker", "external", "embedded"] as const;

export type Target = (typeof targets)[number];

export interface Key {
    readonly type: "string" | "integer" | "boolean";
    readonly default: string | number | boolean;
    /** Kept encrypted in the stack's config and state. */
    readonly secret?: true;
    /** The targets to which the key means something. */
    readonly targets: readonly Target[];
}

export const keys = {
    target: { type: "string", default: "", targets },
    host: { type: "string", default: "", targets: ["external"] },
    port: { type: "integer", default: 0, targets },
    database: { type: "string", default: "llm_observatory", targets },
    schema: { type: "string", default: "public", targets },
    databaseUuid: { type: "string", default: "", targets: ["external"] },
    adminUser: { type: "string", default: "", targets: ["docker", "external"] },
    adminPassword: { type: "string", default: "", secret: true, targets: ["docker", "external"] },
    sslMode: { type: "string", default: "", targets: ["external"] },
    sslRootCert: { type: "string", default: "", targets: ["external"] },
    ownerUser: { type: "string", default: "", targets: ["external"] },
    // On the embedded target the roles are made with its data folder, whatever this says.
    manageAccess: { type: "boolean", default: true, targets },
    ownerPassword: { type: "string", default: "", secret: true, targets },
    writerPassword: { type: "string", default: "", secret: true, targets },
    readerPassword: { type: "string", default: "", secret: true, targets },
    protectData: { type: "boolean", default: true, targets },
    adopt: { type: "boolean", default: false, targets },
    backup: { type: "string", default: "", targets },
    helpers: { type: "boolean", default: true, targets },
    policies: { type: "string", default: "", targets },
    slaTargets: { type: "string", default: "", targets },
    image: { type: "string", default: "timescale/timescaledb:2.14.2-pg15", targets: ["docker"] },
    containerName: { type: "string", default: "", targets: ["docker"] },
    memory: { type: "integer", default: 2048, targets: ["docker"] },
    sharedBuffers: { type: "string", default: "512MB", targets: ["docker"] },
    maxWorkerProcesses: { type: "integer", default: 27, targets: ["docker"] },
    maxBackgroundWorkers: { type: "integer", default: 16, targets: ["docker"] },
    waitTimeout: { type: "integer", default: 300, targets: ["docker"] },
} as const satisfies Readonly<Record<string, Key>>;

export type KeyName = keyof typeof keys;

export const keyNames = Object.keys(keys) as readonly KeyName[];

export function isKeyName(name: string): name is KeyName {
    return Object.hasOwn(keys, name);
}
