/** A certificate authority and a server certificate, made by the `openssl` command. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { output } from "./serverBinaries";

export interface Certificates {
    readonly caPem: string;
    /** Another authority, of the same name, that signed nothing. */
    readonly wrongCaPem: string;
    /** For `localhost` and 127.0.0.1. */
    readonly serverPem: string;
    readonly serverKeyPem: string;
}

/** Why no certificates can be made here; `undefined` when they can. */
export function whyNoCertificates(): string | undefined {
    return output("openssl", ["version"]) === undefined
        ? "there is no openssl command on this machine"
        : undefined;
}

export function createCertificates(): Certificates {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "observatory-certificates-"));
    const openssl = (...args: string[]) =>
        execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    const read = (name: string) => fs.readFileSync(path.join(folder, name), "utf8");
    try {
        for (const name of ["ca", "wrong"]) {
            const subject = ["-subj", "/CN=observatory test authority"];
            openssl(
                "req",
                "-x509",
                ...newKey(name),
                ...subject,
                "-days",
                "2",
                "-out",
                `${name}.pem`,
            );
        }
        openssl("req", ...newKey("server"), "-subj", "/CN=localhost", "-out", "server.csr");
        const names = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
        fs.writeFileSync(path.join(folder, "names.ext"), names);
        openssl(
            ..."x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial".split(" "),
            ..."-days 2 -extfile names.ext -out server.pem".split(" "),
        );
        return {
            caPem: read("ca.pem"),
            wrongCaPem: read("wrong.pem"),
            serverPem: read("server.pem"),
            serverKeyPem: read("server.key"),
        };
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}

function newKey(name: string): readonly string[] {
    return ["-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`];
}
