/** COPY FROM STDIN ends this WASM build for good, so the server is made to refuse it instead. */
import { statementText, withStatementText } from "./wire";

const copyFromClient = /(?:^|[;\n]|\*\/)\s*copy\s[^;]*?\bfrom\s+stdin\b/i;

/** The message, or one that is refused in its place. */
export function guardCopy(bytes: Uint8Array): Uint8Array {
    const text = statementText(bytes);
    if (text === undefined || !copyFromClient.test(text)) return bytes;
    return withStatementText(
        bytes,
        `DO $$ BEGIN RAISE EXCEPTION USING
            ERRCODE = '0A000',
            MESSAGE = 'the embedded database does not support COPY FROM STDIN',
            HINT = 'Insert the rows with INSERT INTO ... SELECT ... FROM unnest(...).';
        END $$`,
    );
}
