/** @pulumi/postgresql reads the certificate authority from a file. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { RootCertificate } from "../config/stackConfig";

/** From the project's folder, where both the program and the provider plugins run. */
const folder = join(".observatory", "tls");

/**
 * The file as the provider's argument: the config's own path, or a file named by the text's hash, so
 * that the same certificate is the same argument on every machine.
 *
 * `pulumi destroy` runs no program: where the config holds the text, it needs this file of an earlier
 * run, or `--run-program`.
 */
export function rootCertificateFile(certificate: RootCertificate | undefined): {
    readonly sslrootcert?: string;
} {
    if (certificate === undefined) {
        return {};
    }
    if (certificate.path !== undefined) {
        return { sslrootcert: certificate.path };
    }
    const hash = createHash("sha256").update(certificate.pem).digest("hex").slice(0, 16);
    const path = join(folder, `${hash}.pem`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, certificate.pem);
    return { sslrootcert: path };
}
