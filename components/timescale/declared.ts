/**
 * What one run of a program declares, so that its resources know each other: an aggregate waits for
 * the table that it reads without being told, and what cannot work together is refused before any of
 * it is touched.
 */
import { setImmediate } from "node:timers/promises";

import * as pulumi from "@pulumi/pulumi";

import {
    databaseKey,
    type Declaration,
    declarationJudgements,
    declarationProblems,
    declaredCalls,
    declaredReads,
} from "./core/declarations";
import { explain } from "./core/errors";
import type { ProgramJudgement } from "./core/rules/finding";
import { waiversOf } from "./core/rules/waivers";

export interface Declared {
    /** For the resource's options: what its program gave, and what it reads. */
    readonly dependsOn: Promise<pulumi.Input<pulumi.Resource>[]>;
    /**
     * For the provider, which refuses every resource whose program has problems. Were the program to
     * fail instead, by a rejected promise, Pulumi would in an inline program still take its end for
     * a success, and delete whatever was not registered.
     */
    readonly problems: Promise<string | undefined>;
    /** For the provider, which tells it and refuses by it; see `rules/program.ts`. */
    readonly judgement: Promise<ProgramJudgement | undefined>;
    /** Has to be called once the resource is constructed. */
    readonly is: (resource: pulumi.Resource) => void;
}

/** Takes a resource's inputs down, before it is constructed. */
export function declare(
    kind: string,
    resource: string,
    args: { readonly connection: pulumi.Input<unknown> },
    opts: pulumi.CustomResourceOptions = {},
): Declared {
    const inputs = args as Readonly<Record<string, unknown>>;
    const entry: Entry = {
        database: databaseKey(args.connection),
        kind,
        resource,
        schema: text(inputs["schema"] ?? "public"),
        name: text(inputs["name"]),
        text: text(inputs["query"]) ?? text(inputs["definition"]),
        refreshPolicy: plainObject(inputs["refreshPolicy"]),
        retentionPolicy: plainObject(inputs["retentionPolicy"]),
        computed: !isPlain([inputs["refreshPolicy"], inputs["retentionPolicy"]]),
        columnTypes: columnTypes(inputs["columns"]),
        waive: waiversOf(inputs["waive"]),
        opts,
        registered: undefined,
        waitsFor: [],
    };
    const given = [opts.dependsOn ?? []].flat() as pulumi.Input<pulumi.Resource>[];
    const run = thisRun();
    const judged = run.add(entry);
    return {
        dependsOn: judged.then(() => [...given, ...entry.waitsFor]),
        problems: judged.then(({ problems }) => problems),
        judgement: judged.then(({ of }) => toldOf(of.get(entry))),
        is: (constructed) => {
            run.constructed(entry, constructed);
        },
    };
}

interface Entry extends Declaration {
    readonly opts: pulumi.CustomResourceOptions;
    registered: pulumi.Resource | undefined;
    /** What it reads, as far as waiting for that is possible. */
    waitsFor: readonly pulumi.Resource[];
}

/**
 * By the client that each run has of its own to register resources with: inline programs of the
 * Automation API run in one process, one after the other or at once.
 */
const runs = new WeakMap<object, ProgramRun>();
const detached = {};

function thisRun(): ProgramRun {
    const monitor = pulumi.runtime.getMonitor() ?? detached;
    const run = runs.get(monitor) ?? new ProgramRun();
    runs.set(monitor, run);
    return run;
}

interface Judged {
    /** What is wrong with all that is declared. */
    readonly problems: string | undefined;
    readonly of: ReadonlyMap<Entry, ProgramJudgement>;
}

class ProgramRun {
    private readonly entries: Entry[] = [];
    private readonly byResource = new Map<pulumi.Resource, Entry>();
    /** Resolves when all that the program declares in one go is known. */
    private judged: Promise<Judged> | undefined;

    add(entry: Entry): Promise<Judged> {
        this.entries.push(entry);
        this.judged ??= this.judge(this.entries.length - 1);
        return this.judged;
    }

    constructed(entry: Entry, resource: pulumi.Resource): void {
        entry.registered = resource;
        this.byResource.set(resource, entry);
    }

    /**
     * Waits until a turn of the event loop has brought no further declaration, so that their order
     * does not matter. What a program declares later, such as in an `apply`, is judged then, together
     * with what there is already.
     */
    private async judge(first: number): Promise<Judged> {
        let seen: number;
        do {
            seen = this.entries.length;
            await setImmediate();
        } while (this.entries.length > seen);
        this.judged = undefined;

        this.order(first);
        const problems = declarationProblems(this.entries);
        if (problems.length > 0) {
            const told = [
                "the program's declarations do not fit together",
                ...problems.map(explain),
            ];
            return { problems: told.join("\n\n"), of: new Map() };
        }
        return { problems: undefined, of: declarationJudgements(this.entries) };
    }

    /** Earlier entries may be registered already and can wait for nothing more. */
    private order(first: number): void {
        // What is read has to be there; a function that is called only should be.
        for (const needs of [declaredReads(this.entries), declaredCalls(this.entries)]) {
            for (const entry of this.entries.slice(first)) {
                for (const parent of needs.get(entry) ?? []) {
                    if (parent.registered === undefined || this.awaits(parent, entry)) continue;
                    entry.waitsFor = [...entry.waitsFor, parent.registered];
                }
            }
        }
    }

    /** Whether one entry is registered only after the other, so that the other cannot wait for it. */
    private awaits(one: Entry, other: Entry): boolean {
        const seen = new Set([one]);
        for (const entry of seen) {
            if (entry === other) return true;
            for (const next of this.awaitedBy(entry)) seen.add(next);
        }
        return false;
    }

    /** Entries that an entry is registered after, as far as its options tell without waiting for them. */
    private awaitedBy({ opts, registered, waitsFor }: Entry): Entry[] {
        const given: unknown[] = [opts.dependsOn].flat();
        const components = new Set<unknown>(
            given.filter((it) => pulumi.ComponentResource.isInstance(it)),
        );
        // Waiting for a component is waiting for all its children.
        const children = [...(components.size > 0 ? this.byResource.keys() : [])].filter(
            (resource) => ancestors(resource).some((ancestor) => components.has(ancestor)),
        );
        const parents = ancestors(registered).slice(1);
        return [...given, ...children, opts.deletedWith, ...parents, ...waitsFor]
            .map((resource) => this.byResource.get(resource as pulumi.Resource))
            .filter((entry) => entry !== undefined);
    }
}

/** The resource and what it is a child of, up to the stack. Pulumi keeps parents to itself. */
function ancestors(resource: pulumi.Resource | undefined): pulumi.Resource[] {
    if (resource === undefined) return [];
    const { __parentResource: parent } = resource as { __parentResource?: pulumi.Resource };
    return [resource, ...ancestors(parent)];
}

/** What is computed, or malformed, is not for this place. */
function text(value: unknown): string | undefined {
    return typeof value === "string" ? value : undefined;
}

function plainObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
    const plain =
        typeof value === "object" &&
        value !== null &&
        Object.getPrototypeOf(value) === Object.prototype;
    return plain ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** Most resources have nothing to do with each other, and need not say so. */
function toldOf(judgement: ProgramJudgement | undefined): ProgramJudgement | undefined {
    if (judgement === undefined) return undefined;
    const { findings, sourceDeclared, declaredReaders } = judgement;
    return sourceDeclared || findings.length + declaredReaders.length > 0 ? judgement : undefined;
}

/** Whether nothing in it is computed by other resources. */
function isPlain(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return true;
    const plain = Array.isArray(value) || plainObject(value) !== undefined;
    return plain && Object.values(value).every(isPlain);
}

/** Of a hypertable's columns, as far as they are known. */
function columnTypes(value: unknown): ReadonlyMap<string, string> | undefined {
    if (!Array.isArray(value)) return undefined;
    return new Map(
        (value as unknown[]).flatMap((entry) => {
            const column = plainObject(entry);
            const [name, type] = [text(column?.["name"]), text(column?.["type"])];
            return name === undefined || type === undefined ? [] : [[name, type] as const];
        }),
    );
}
