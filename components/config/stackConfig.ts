/** A stack's configuration, checked and complete. */
import type { PolicyChanges } from "../observatory/policies";
import type { SlaTarget } from "../observatory/slaTargets";
import type { SslMode } from "../timescale/core/connection/connection";

/**
 * Passwords are plain text here and nowhere beyond: whoever hands one to a resource wraps it in
 * `pulumi.secret` first.
 */
export type StackConfig = DockerConfig | ExternalConfig | EmbeddedConfig;

interface CommonConfig {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly schema: string;
    /** The one database that may be worked on; "any" where the server is made with the stack. */
    readonly databaseUuid: string | undefined;
    readonly sslMode: SslMode;
    readonly sslRootCert: RootCertificate | undefined;
    /** Whether database, roles and grants are this program's, or stand already. */
    readonly manageAccess: boolean;
    readonly passwords: RolePasswords;
    /**
     * Login that owns everything in a database that others have set up; roles that are missing there get no
     * grants, and grants that others have there stay. Undefined: the Observatory's own roles.
     */
    readonly ownerUser?: string | undefined;
    /** Whether what holds data is protected from deletion. */
    readonly protectData: boolean;
    /** Whether tables and aggregates that stand already and differ are taken over. */
    readonly adopt: boolean;
    /** Folder that rows are written to before anything that holds them is removed; undefined: none is written. */
    readonly backup: string | undefined;
    /** Whether views and functions for dashboards are made. */
    readonly helpers: boolean;
    /** What policies of this environment have otherwise than they are declared. */
    readonly policies: PolicyChanges;
    readonly slaTargets: readonly SlaTarget[];
}

export interface DockerConfig extends CommonConfig {
    readonly target: "docker";
    readonly admin: Login;
    readonly docker: DockerSettings;
}

export interface ExternalConfig extends CommonConfig {
    readonly target: "external";
    /** Set whenever `manageAccess` is. */
    readonly admin: Login | undefined;
}

export interface EmbeddedConfig extends CommonConfig {
    readonly target: "embedded";
    readonly manageAccess: false;
    readonly admin: undefined;
}

export interface Login {
    readonly user: string;
    readonly password: string;
}

export interface RolePasswords {
    readonly owner: string;
    readonly writer: string;
    readonly reader: string;
}

/** A certificate authority to trust, and the file it came from if it was given as a path. */
export interface RootCertificate {
    readonly pem: string;
    readonly path: string | undefined;
}

/** Changing any of these but `memory` replaces the container; its volume stays. */
export interface DockerSettings {
    readonly image: string;
    readonly containerName: string;
    /** Limit of the container, in MiB. */
    readonly memory: number;
    /** PostgreSQL's shared_buffers, such as "512MB". */
    readonly sharedBuffers: string;
    /** PostgreSQL's max_worker_processes. */
    readonly maxWorkerProcesses: number;
    /** timescaledb.max_background_workers. */
    readonly maxBackgroundWorkers: number;
    /** Longest wait for the first start, in seconds. */
    readonly waitTimeout: number;
}
