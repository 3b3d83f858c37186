/** What `@pulumi/postgresql` sends to the server as a role's password. */
import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { scramVerifier } from "../timescale/core/login/scram";

/**
 * The SCRAM verifier of a role's password, as PostgreSQL stores it. A server that logs its statements
 * sees no password then, and a password that somebody set by hand shows in `pulumi refresh`.
 *
 * The salt is the role's own in this stack and not random, or every preview would show another
 * verifier. It has to differ between roles and servers, and need not be secret.
 */
export function roleVerifier(role: string, password: string): string {
    const of = [pulumi.getProject(), pulumi.getStack(), role].join("\0");
    return scramVerifier(password, createHash("sha256").update(of).digest().subarray(0, 16));
}
