/**
 * One client's prepared statements in the session that all clients share.
 *
 * Drivers number or hash the names of their statements, so those of two clients would be the same:
 * each name becomes one that only this client has. The statement without a name is lost when another
 * client's turn comes between Parse and Bind, as some drivers send them, and is prepared once more.
 */
import { message, messageType, statementText, withStatementText } from "./wire";

export class PreparedStatements {
    private readonly names = new Map<string, string>();
    private made = 0;
    private unnamed: Uint8Array | undefined;
    private parsedHere = false;
    private borrowed = false;

    constructor(private readonly client: number) {}

    /** The message with this client's own names in it. */
    translate(bytes: Uint8Array): Uint8Array {
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        switch (messageType(bytes)) {
            case "P": {
                const name = textAt(buffer, 5);
                if (name !== "") return rename(buffer, 5, this.own(name));
                this.unnamed = bytes;
                this.parsedHere = true;
                return bytes;
            }
            case "B":
                return this.use(buffer, buffer.indexOf(0, 5) + 1);
            case "D":
                return buffer[5] === statementKind ? this.use(buffer, 6) : bytes;
            case "C": {
                if (buffer[5] !== statementKind) return bytes;
                const name = textAt(buffer, 6);
                if (name === "") this.unnamed = undefined;
                const known = this.names.get(name);
                this.names.delete(name);
                return known === undefined ? bytes : rename(buffer, 6, known);
            }
            case "Q":
                return this.translateDeallocate(bytes);
            default:
                return bytes;
        }
    }

    /**
     * Ends a piece of messages, which run in one turn: what has to be sent before it when another
     * client's turn was in between.
     */
    endPiece(): Uint8Array | undefined {
        const needed = this.borrowed ? this.unnamed : undefined;
        this.parsedHere = false;
        this.borrowed = false;
        return needed;
    }

    /** Messages that forget them all; empty when there are none. */
    closeAll(): Uint8Array {
        const all = [...this.names.values()].map((name) => message("C", `S${name}\0`));
        this.names.clear();
        return Buffer.concat(all);
    }

    private use(buffer: Buffer, at: number): Uint8Array {
        const name = textAt(buffer, at);
        if (name === "") {
            if (!this.parsedHere) this.borrowed = true;
            return buffer;
        }
        const known = this.names.get(name);
        // What PREPARE made keeps its name.
        return known === undefined ? buffer : rename(buffer, at, known);
    }

    /** Some drivers forget a statement that they prepared by the protocol with SQL. */
    private translateDeallocate(bytes: Uint8Array): Uint8Array {
        const given = deallocate.exec(statementText(bytes) ?? "");
        if (given === null) return bytes;
        const [, quoted, plain = ""] = given;
        const name = quoted?.replace(/""/g, '"') ?? plain.toLowerCase();
        const known = this.names.get(name);
        if (known === undefined) return bytes;
        this.names.delete(name);
        return withStatementText(bytes, `DEALLOCATE ${known}`);
    }

    private own(name: string): string {
        let own = this.names.get(name);
        if (own === undefined) {
            own = `client_${this.client}_${++this.made}`;
            this.names.set(name, own);
        }
        return own;
    }
}

const deallocate =
    /^\s*deallocate\s+(?:prepare\s+)?(?:"((?:[^"]|"")+)"|(?!all\b)([\w$]+))\s*;?\s*$/i;

const statementKind = "S".charCodeAt(0);

function textAt(buffer: Buffer, at: number): string {
    return buffer.toString("utf8", at, buffer.indexOf(0, at));
}

function rename(buffer: Buffer, at: number, name: string): Buffer {
    return message(
        messageType(buffer),
        Buffer.concat([
            buffer.subarray(5, at),
            Buffer.from(name),
            buffer.subarray(buffer.indexOf(0, at)),
        ]),
    );
}
