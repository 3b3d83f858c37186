/** Passwords that are planted to be looked for, in every spelling that they may turn up in. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** One with what quoting, URLs and JSON spell differently. */
export function plant(name: string): string {
    return `pl "${name}"/+%\\é ${randomBytes(6).toString("hex")}`;
}

/** The distinct spellings of a secret, by what they are. */
export function spellings(secret: string): ReadonlyMap<string, string> {
    const bytes = Buffer.from(secret, "utf8");
    // Within a longer text base64 depends on where the secret begins; its ends are shared with what is beside.
    const base64 = [0, 1, 2].map((offset): [string, string] => {
        const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
        const from = offset === 0 ? 0 : 4;
        return [
            `base64 at ${offset}`,
            padded.slice(from, Math.floor((offset + bytes.length) / 3) * 4),
        ];
    });
    const form = new URLSearchParams({ s: secret }).toString().slice(2);
    return new Map([
        ["raw", secret],
        ["JSON", JSON.stringify(secret).slice(1, -1)],
        ["JSON in JSON", JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
        ["URL", encodeURIComponent(secret)],
        ["form", form],
        ["SQL", secret.replace(/'/g, "''").replace(/\\/g, "\\\\")],
        ["HTML", secret.replace(/&/g, "&amp;").replace(/"/g, "&quot;")],
        ["hex", bytes.toString("hex")],
        ...base64,
        // The part that no spelling changes.
        ["tail", secret.split(" ").at(-1) ?? secret],
    ]);
}

/** `place: secret (spelling)` for every find. */
export function leaks(
    places: Iterable<readonly [place: string, content: string]>,
    secrets: Readonly<Record<string, string>>,
): string[] {
    const wanted = Object.entries(secrets).flatMap(([name, secret]) =>
        [...spellings(secret)].map(([how, text]) => ({ found: `${name} (${how})`, text })),
    );
    return [...places].flatMap(([place, content]) =>
        wanted
            .filter(
                ({ text }) =>
                    content.includes(text) ||
                    // Files are read byte by byte.
                    content.includes(Buffer.from(text, "utf8").toString("latin1")),
            )
            .map(({ found }) => `${place}: ${found}`),
    );
}

/** Arguments of all processes of the machine, looked at again and again until `stop`; Linux only. */
export function watchProcesses(): { readonly stop: () => Promise<ReadonlySet<string>> } {
    const seen = new Set<string>();
    let running = true;
    const watching = (async () => {
        while (running) {
            for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
                try {
                    seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
                } catch {
                    // It has ended meanwhile.
                }
            }
            await sleep(50);
        }
    })();
    return {
        stop: async () => {
            running = false;
            await watching;
            return seen;
        },
    };
}
