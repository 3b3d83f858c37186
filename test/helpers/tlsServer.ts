/** A throwaway PostgreSQL that takes nothing but TLS connections. */
import os from "node:os";
import path from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { createCertificates, whyNoCertificates } from "./certificates";
import { findServerBinaries, whyNoServer } from "./serverBinaries";
import { startCluster } from "./throwawayCluster";

export interface TlsServer {
    /** The superuser, `verify-full` with the right authority, by the name `localhost`. */
    readonly connection: Connection;
    readonly caPem: string;
    /** An authority that did not sign the server's certificate. */
    readonly wrongCaPem: string;
    /** The same server by an address that its certificate does not name; Linux only. */
    readonly unnamedHost: string | undefined;
    /** Version of TimescaleDB that can be created there; `undefined` on a plain PostgreSQL. */
    readonly timescaledb: string | undefined;
    stop(): Promise<void>;
}

/** Why no TLS server can be started here; `undefined` when one can. */
export function whyNoTlsServer(): string | undefined {
    return whyNoServer() ?? whyNoCertificates();
}

/** Starts one; throws `no_server` with the reason where that is impossible. */
export async function startTlsServer(): Promise<TlsServer> {
    const obstacle = whyNoTlsServer();
    const binaries = findServerBinaries()[0];
    if (obstacle !== undefined || binaries === undefined) {
        throw new TimescaleError("no TLS server can be started here", {
            code: "no_server",
            detail: obstacle,
        });
    }
    const { caPem, wrongCaPem, serverPem, serverKeyPem } = createCertificates();
    const unnamedHost = os.platform() === "linux" ? "127.0.0.2" : undefined;
    const addresses = ["127.0.0.1", ...(unnamedHost === undefined ? [] : [unnamedHost])];
    const cluster = await startCluster(binaries, {
        files: { "server.pem": serverPem, "server.key": serverKeyPem },
        hba: ["hostssl all all 127.0.0.0/8 scram-sha-256", ""],
        settings: (directory) => ({
            listen_addresses: addresses.join(", "),
            ssl: "on",
            ssl_cert_file: path.join(directory, "server.pem"),
            ssl_key_file: path.join(directory, "server.key"),
        }),
        sslMode: "require",
    });
    return {
        connection: {
            ...cluster.admin,
            host: "localhost",
            sslMode: "verify-full",
            sslRootCert: caPem,
        },
        caPem,
        wrongCaPem,
        unnamedHost,
        timescaledb: binaries.timescaledb,
        stop: () => cluster.stop(),
    };
}
