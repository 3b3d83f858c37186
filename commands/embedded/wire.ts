/**
 * The few messages of PostgreSQL's protocol that the embedded server reads or writes by itself:
 * what comes before a session (SSL and cancel requests, startup) and what it answers without the
 * database. Everything else passes through to the database as bytes.
 */

/** What a client sends first, one of these before any typed message. */
export type FirstPacket =
    | { readonly kind: "encryption" }
    | { readonly kind: "cancel" }
    | { readonly kind: "identify" }
    | { readonly kind: "startup"; readonly minor: number; readonly parameters: StartupParameters }
    | { readonly kind: "unsupported"; readonly detail: string };

export type StartupParameters = Readonly<Record<string, string>>;

export type TransactionStatus = "idle" | "transaction" | "failed";

const sslRequest = (1234 << 16) | 5679;
const gssEncryptionRequest = (1234 << 16) | 5680;
const cancelRequest = (1234 << 16) | 5678;

/** Not PostgreSQL's: asks which server listens on this port. It answers with its id and hangs up. */
export const identifyRequest = (1234 << 16) | 6001;

/** PostgreSQL's own limit for a startup packet, so that garbage is not waited for. */
const maxStartupLength = 10_000;

/** The first packet in `buffer` and its length, or `undefined` while it is incomplete. */
export function readFirstPacket(
    buffer: Buffer,
): { readonly packet: FirstPacket; readonly length: number } | undefined {
    if (buffer.length < 8) return undefined;
    const length = buffer.readInt32BE(0);
    const code = buffer.readInt32BE(4);
    if (length < 8 || length > maxStartupLength) {
        const detail = `invalid length of startup packet: ${length}`;
        return { packet: { kind: "unsupported", detail }, length: buffer.length };
    }
    if (buffer.length < length) return undefined;
    return { packet: readPacket(code, buffer.subarray(8, length)), length };
}

function readPacket(code: number, body: Buffer): FirstPacket {
    switch (code) {
        case sslRequest:
        case gssEncryptionRequest:
            return { kind: "encryption" };
        case cancelRequest:
            return { kind: "cancel" };
        case identifyRequest:
            return { kind: "identify" };
    }
    const major = code >> 16;
    const minor = code & 0xffff;
    if (major !== 3) {
        return { kind: "unsupported", detail: `frontend protocol ${major}.${minor}` };
    }
    return { kind: "startup", minor, parameters: readParameters(body) };
}

function readParameters(body: Buffer): StartupParameters {
    const words = body.toString("utf8").split("\0");
    const parameters: Record<string, string> = {};
    for (let i = 0; i + 1 < words.length && words[i] !== ""; i += 2) {
        parameters[words[i] as string] = words[i + 1] as string;
    }
    return parameters;
}

/** A packet without type byte, such as the identify request. */
export function untypedPacket(code: number): Buffer {
    const packet = Buffer.alloc(8);
    packet.writeInt32BE(8, 0);
    packet.writeInt32BE(code, 4);
    return packet;
}

export function message(type: string, body: Buffer | string = ""): Buffer {
    const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
    const head = Buffer.alloc(5);
    head.write(type, "latin1");
    head.writeInt32BE(bytes.length + 4, 1);
    return Buffer.concat([head, bytes]);
}

export interface ErrorFields {
    readonly severity: "ERROR" | "FATAL";
    readonly code: string;
    readonly message: string;
    readonly detail?: string | undefined;
    readonly hint?: string | undefined;
}

export function errorResponse(error: ErrorFields): Buffer {
    const field = (type: string, value: string | undefined) => (value ? `${type}${value}\0` : "");
    return message(
        "E",
        field("S", error.severity) +
            field("V", error.severity) +
            field("C", error.code) +
            field("M", error.message) +
            field("D", error.detail) +
            field("H", error.hint) +
            "\0",
    );
}

/** Authentication without a password, the server's settings, and the first ReadyForQuery. */
export function welcome(
    settings: readonly (readonly [string, string])[],
    processId: number,
): Buffer {
    const key = Buffer.alloc(8);
    key.writeInt32BE(processId, 0);
    return Buffer.concat([
        message("R", Buffer.alloc(4)),
        ...settings.map(([name, value]) => message("S", `${name}\0${value}\0`)),
        message("K", key),
        message("Z", "I"),
    ]);
}

/** Tells a client that asked for protocol 3.x that it gets 3.0. */
export function negotiateProtocolVersion(): Buffer {
    const body = Buffer.alloc(8);
    body.writeInt32BE(3 << 16, 0);
    return message("v", body);
}

export function simpleQuery(sql: string): Buffer {
    return message("Q", `${sql}\0`);
}

export function sync(): Buffer {
    return message("S");
}

/** The text of a Query or Parse message; `undefined` for any other. */
export function statementText(bytes: Uint8Array): string | undefined {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (messageType(bytes)) {
        case "Q":
            return buffer.toString("utf8", 5, buffer.length - 1);
        case "P": {
            const start = buffer.indexOf(0, 5) + 1;
            return buffer.toString("utf8", start, buffer.indexOf(0, start));
        }
        default:
            return undefined;
    }
}

/** The same Query or Parse message with another text. */
export function withStatementText(bytes: Uint8Array, sql: string): Buffer {
    if (messageType(bytes) === "Q") return simpleQuery(sql);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const name = buffer.subarray(5, buffer.indexOf(0, 5) + 1);
    return message("P", Buffer.concat([name, Buffer.from(`${sql}\0`), Buffer.alloc(2)]));
}

export function messageType(bytes: Uint8Array): string {
    return String.fromCharCode(bytes[0] ?? 0);
}

/** The messages of an answer, in their order; `end` counts from the answer's beginning. */
export function messagesOf(
    answer: Uint8Array,
): readonly { readonly type: string; readonly body: Buffer; readonly end: number }[] {
    const buffer = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
    const messages: { type: string; body: Buffer; end: number }[] = [];
    for (let at = 0; at + 5 <= buffer.length;) {
        const end = at + 1 + buffer.readInt32BE(at + 1);
        messages.push({
            type: messageType(buffer.subarray(at)),
            body: buffer.subarray(at + 5, end),
            end,
        });
        at = end;
    }
    return messages;
}

/** The status in the ReadyForQuery that ends an answer; `undefined` when there is none. */
export function readyStatus(answer: Uint8Array): TransactionStatus | undefined {
    switch (Buffer.from(answer.subarray(-6)).toString("latin1")) {
        case "Z\0\0\0\x05I":
            return "idle";
        case "Z\0\0\0\x05T":
            return "transaction";
        case "Z\0\0\0\x05E":
            return "failed";
        default:
            return undefined;
    }
}
