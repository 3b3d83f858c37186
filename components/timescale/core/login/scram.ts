/**
 * A password in the form in which PostgreSQL stores it, computed here: a server that logs its
 * statements then never sees the password itself. Pure.
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** PostgreSQL's own number; scram_iterations can raise it from version 16 on. */
const iterations = 4096;

/**
 * `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`, as RFC 5803 has it and ALTER ROLE takes it.
 *
 * @param salt 16 random bytes
 */
export function scramVerifier(password: string, salt: Buffer): string {
    const salted = pbkdf2Sync(prepared(password), salt, iterations, 32, "sha256");
    const hmac = (key: string): Buffer => createHmac("sha256", salted).update(key).digest();
    const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
    const serverKey = hmac("Server Key").toString("base64");
    return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** SASLprep as far as it changes anything, or clients that do it could not log in. */
function prepared(password: string): string {
    return password
        .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu, " ")
        .replace(/\u00AD|\u034F|\u1806|[\u180B-\u180D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu, "")
        .normalize("NFKC");
}
