/** Which lock each statement of a plan is said to take; that it does is measured by an integration test. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Lock, lockModes, type Places } from "../../components/timescale/core/plan/lock";
import {
    blocks,
    describeLock,
    locksOf,
    statementNames,
} from "../../components/timescale/core/plan/locks";
import type { Statement } from "../../components/timescale/core/plan/plan";

const core = join(__dirname, "../../components/timescale/core");

/** Names of statements as the code spells them: what stands behind `name:` where `sql` follows. */
function namesInCode(): string[] {
    const files = readdirSync(core, { recursive: true, encoding: "utf8" });
    return files
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => {
            const text = readFileSync(join(core, file), "utf8");
            const literals = text.matchAll(/\{\s*name:([^{}]*?(?:\$\{[^}]*\}[^{}]*?)?),\s*(?:\/\/.*\s*)*sql\b(?=([^]*?)\n\s*\})/g); // prettier-ignore
            return [...literals]
                .filter(([, , rest]) => !/\n\s*lock\b/.test(rest ?? ""))
                .flatMap(([, name]) => [...(name ?? "").matchAll(/"(\w+)"|`([^`]+)`/g)])
                .flatMap(([, plain, template]) => plain ?? expanded(template ?? ""));
        });
}

/** `add_${job.kind}_policy` stands for three. */
function expanded(template: string): string[] {
    return ["refresh", "retention", "compression"].map((kind) =>
        template.replace(/\$\{[^}]*\}/, kind),
    );
}

describe("every statement of a plan", () => {
    it("has a rule that says which lock it takes, or brings its lock", () => {
        const found = namesInCode();
        expect(found.length).toBeGreaterThan(35);
        for (const name of [
            "grant",
            "mark_first_fill",
            "add_refresh_policy",
            "disable_compression",
        ]) {
            expect([...found, "grant"]).toContain(name);
        }
        const rules: readonly string[] = statementNames;
        expect(found.filter((name) => !rules.includes(name))).toEqual([]);
    });
});

const hourly: Places = {
    kind: "aggregate",
    object: "public.hourly",
    standing: "public.hourly",
    source: "public.requests",
};

function statement(name: string, more: Partial<Statement> = {}): Statement {
    return { name, sql: name, ...more };
}

function told(statements: readonly Statement[], places: Places | undefined): unknown[] {
    return locksOf(statements, places).map((lock) => (lock ? describeLock(lock) : lock));
}

describe("locksOf", () => {
    it("names the aggregate's view, its buckets, and what it reads", () => {
        const names = ["set_materialized_only", "enable_compression", "drop_continuous_aggregate", "alter_refresh_policy"]; // prettier-ignore
        expect(told(names.map((name) => statement(name)), hourly)).toEqual([
            "AccessExclusiveLock on public.hourly: readers and writers wait",
            "AccessExclusiveLock on buckets of public.hourly: readers and writers wait",
            "AccessExclusiveLock on public.hourly, buckets of public.hourly, public.requests and their chunks: readers and writers wait",
            null,
        ]); // prettier-ignore
    });

    it("tells nothing of an object that the same transaction has made: nobody sees it", () => {
        const names = ["create_continuous_aggregate", "enable_compression", "comment"];
        expect(told(names.map((name) => statement(name)), { ...hourly, standing: null })).toEqual([
            "ShareRowExclusiveLock on public.requests and its chunks: writers wait",
            null,
            null,
        ]); // prettier-ignore
        expect(
            told(
                names.map((name) => statement(name)),
                hourly,
            ).slice(1),
        ).toEqual([null, null]);
    });

    it("calls it by the name that readers know until the transaction ends, and then by its new one", () => {
        const renamed = { ...hourly, standing: "public.old" };
        const outside = {};
        expect(
            told(
                [
                    statement("rename"),
                    statement("comment"),
                    statement("refresh_continuous_aggregate", { outside }),
                    statement("mark_first_fill"),
                ],
                renamed,
            ),
        ).toEqual([
            "AccessExclusiveLock on public.old: readers and writers wait",
            "ShareUpdateExclusiveLock on public.old",
            "ExclusiveLock on buckets of public.hourly: writers wait",
            "ShareUpdateExclusiveLock on buckets of public.hourly",
        ]);
    });

    it("takes the lock that a statement brings, and says that it knows none of others", () => {
        const lock: Lock = { mode: "AccessExclusiveLock", on: ["public.v"], chunks: false };
        const own = [statement("repoint_view", { lock }), statement("look", { lock: null }), statement("x")]; // prettier-ignore
        expect(locksOf(own, hourly)).toEqual([lock, null, undefined]);
        expect(locksOf([statement("comment")], undefined)).toEqual([undefined]);
    });

    it("leaves out what an aggregate reads where that is not known", () => {
        const { source: _source, ...unknown } = hourly;
        expect(told([statement("create_continuous_aggregate")], unknown)).toEqual([null]);
    });

    it("has none for functions, from which nobody reads rows", () => {
        const places: Places = { kind: "function", object: "public.f()", standing: "public.f()" };
        const names = ["rename", "set_schema", "alter_owner", "comment", "replace_function"];
        expect(told(names.map((name) => statement(name)), places)).toEqual([null, null, null, null, null]); // prettier-ignore
    });
});

describe("blocks", () => {
    it("writers from SHARE on, and readers by ACCESS EXCLUSIVE alone", () => {
        expect(lockModes.map((mode) => [mode, blocks(mode)])).toEqual([
            ["AccessShareLock", []],
            ["RowShareLock", []],
            ["RowExclusiveLock", []],
            ["ShareUpdateExclusiveLock", []],
            ["ShareLock", ["writes"]],
            ["ShareRowExclusiveLock", ["writes"]],
            ["ExclusiveLock", ["writes"]],
            ["AccessExclusiveLock", ["reads", "writes"]],
        ]);
    });
});
