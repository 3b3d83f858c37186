/**
 * Keeps secrets out of a review. Pulumi masks what it knows to be secret; this takes out what it does
 * not: a connection string in a message, or a password that a program has put into a plain input.
 */
import { wellFormed } from "./markdown";

const mask = "[secret]";

/** Names of properties and of environment variables whose values are secret. */
const secretName =
    /password|passwd|passphrase|(?:^|_)pass$|pwd$|secret|token$|api_?key|private_?key|credential|connection_?(?:string|uri|url)|^dsn$/i;

/** As environment variables of a container are written in a list. */
const assignment = /^([A-Za-z_]\w*)=([^]*)$/;

const passwordInUrl = /[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:([^\s@]+)@/gi;

/** Shorter ones would take half of every text with them, and are found by what is written before them. */
const shortest = 4;

/** Values by which Pulumi says that something is masked, unknown or empty: no secrets themselves. */
const harmless = new Set([
    "",
    mask,
    "true",
    "false",
    "null",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
]);

/** Every value that stands under the name of a secret, in inputs, outputs or config. */
export function secretsIn(value: unknown, found: Set<string> = new Set()): ReadonlySet<string> {
    collect(value, false, found);
    return found;
}

/** The same of the environment, where PWD is the folder of a shell. */
export function secretsOf({
    PWD: _folder,
    OLDPWD: _before,
    ...environment
}: NodeJS.ProcessEnv): ReadonlySet<string> {
    return secretsIn(environment);
}

function collect(value: unknown, secret: boolean, found: Set<string>): void {
    const add = (text: string): void => {
        if (text.length >= shortest && !harmless.has(text)) found.add(text);
    };
    if (typeof value === "string") {
        const [, name = "", assigned = ""] = assignment.exec(value) ?? [];
        if (secret) add(value);
        else if (secretName.test(name)) add(assigned);
        for (const [, password = ""] of value.matchAll(passwordInUrl)) add(password);
    } else if (Array.isArray(value)) {
        value.forEach((one) => collect(one, secret, found));
    } else if (typeof value === "object" && value !== null) {
        for (const [name, one] of Object.entries(value)) {
            collect(one, secret || secretName.test(name) || isWrapped(value), found);
        }
    }
}

/** By which Pulumi marks a secret in its state. */
export const signature = "4dabf18193072939515e22adb298388d";

/** As Pulumi writes a secret in clear text, with `--show-secrets`. */
function isWrapped(value: object): boolean {
    return signature in value || "plaintext" in value;
}

const patterns: readonly (readonly [RegExp, string])[] = [
    [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'`]*:[^\s@"'`]*@/gi, `$1${mask}@`],
    [
        /\b((?:pg)?pass(?:word|wd|phrase)?["']?\s*[=:]\s*)(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s,;"')}]+)/gi,
        `$1${mask}`,
    ],
    [/\b(password\s+)(?:E?'(?:[^']|'')*')/gi, `$1${mask}`],
    [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, mask],
];

/** The text without any of the secrets, in whatever quoting. */
export function withoutSecrets(secrets: ReadonlySet<string>): (text: string) => string {
    // A longer one may hold a shorter one.
    const spelled = [...secrets].flatMap(spellings).sort((one, other) => other.length - one.length);
    return (text) => {
        const named = spelled.reduce((masked, secret) => masked.replaceAll(secret, mask), text);
        return patterns.reduce((masked, [pattern, by]) => masked.replace(pattern, by), named);
    };
}

/** As it is, and as it stands in JSON, in a literal of SQL and in a URL. */
function spellings(secret: string): string[] {
    return [
        ...new Set([
            secret,
            JSON.stringify(secret).slice(1, -1),
            secret.replaceAll("'", "''"),
            encodeURIComponent(wellFormed(secret)),
        ]),
    ];
}

/** Every text in a value. Names of properties are none of it. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
    if (typeof value === "string") return change(value) as T;
    if (Array.isArray(value)) return value.map((one: unknown) => mapTexts(one, change)) as T;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, mapTexts(one as unknown, change)]),
    ) as T;
}
