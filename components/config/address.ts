/** Where the server is, and how its certificate is checked. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

import { type SslMode, sslModes } from "../timescale/core/connection/connection";
import type { Target } from "./keys";
import { problem, type Problems, warning } from "./problems";
import type { RootCertificate } from "./stackConfig";
import { choice, isSet, type RawConfig, text } from "./values";

const loopback = "127.0.0.1";

/** Ports when `port` is not set. The container's is not 5432, where a local PostgreSQL may listen. */
const defaultPorts: Readonly<Record<Target, number>> = {
    docker: 54320,
    external: 5432,
    embedded: 54329,
};

export function host(raw: RawConfig, problems: Problems, target: Target | undefined): string {
    if (target !== "external") {
        return loopback;
    }
    const value = text(raw, "host");
    if (!isSet(raw, "host")) {
        problem(problems, 'config key "host" is not set', {
            detail: "target external needs to know where its server is",
            hint: "pulumi config set host db.example.com",
        });
    } else if (isIP(value) === 0 && !/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(value)) {
        problem(problems, `host "${value}" is neither a host name nor an IP address`, {
            detail: "no scheme, port, path or brackets belong to it; a socket folder is not supported",
            hint: "pulumi config set host db.example.com, and the port with pulumi config set port 5432",
        });
    }
    return value;
}

export function port(raw: RawConfig, problems: Problems, target: Target | undefined): number {
    const fallback = defaultPorts[target ?? "external"];
    if (!isSet(raw, "port")) {
        return fallback;
    }
    const value = text(raw, "port");
    const number = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
    if (number >= 1 && number <= 65535) {
        return number;
    }
    problem(problems, "port is not a TCP port", {
        detail: `it is "${value}"; allowed is a whole number from 1 to 65535`,
        hint: `pulumi config set port ${fallback}, or pulumi config rm port for the target's own`,
    });
    return fallback;
}

export function tls(
    raw: RawConfig,
    problems: Problems,
    target: Target | undefined,
): { readonly sslMode: SslMode; readonly sslRootCert: RootCertificate | undefined } {
    const sslMode = choice(raw, problems, "sslMode", sslModes) ?? "verify-full";
    if (target === "docker" || target === "embedded") {
        return { sslMode: "disable", sslRootCert: undefined };
    }
    if (!isSet(raw, "sslRootCert")) {
        return { sslMode, sslRootCert: undefined };
    }
    if (sslMode === "disable") {
        warning(problems, "sslRootCert has no effect with sslMode disable", {
            detail: "without TLS the server shows no certificate",
            hint: "pulumi config set sslMode verify-full",
        });
        return { sslMode, sslRootCert: undefined };
    }
    return { sslMode, sslRootCert: rootCertificate(raw, problems) };
}

function rootCertificate(raw: RawConfig, problems: Problems): RootCertificate | undefined {
    const value = text(raw, "sslRootCert");
    const path = value.includes("-----BEGIN") ? undefined : value;
    let pem = value;
    if (path !== undefined) {
        try {
            pem = raw.readText(path);
        } catch (error) {
            problem(problems, `sslRootCert "${path}" cannot be read`, {
                detail: error instanceof Error ? error.message : String(error),
                hint: "give the path of a PEM file, from the project's folder, or the PEM text itself",
            });
            return;
        }
    }
    try {
        new X509Certificate(pem);
    } catch (error) {
        problem(
            problems,
            path === undefined
                ? "sslRootCert is not a PEM certificate"
                : `sslRootCert "${path}" holds no PEM certificate`,
            {
                detail: error instanceof Error ? error.message : String(error),
                hint: "it begins with -----BEGIN CERTIFICATE----- and is the authority's certificate, not its key",
            },
        );
        return;
    }
    return { pem, path };
}

export function isLoopback(name: string): boolean {
    return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}
