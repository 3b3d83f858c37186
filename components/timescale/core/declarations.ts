/** What the objects that one program declares have to do with each other, from their texts alone. */
import { type Bucketed, hierarchyProblem } from "./aggregate/hierarchy";
import { TimescaleError } from "./errors";
import { parseHead } from "./function/head";
import { displayName } from "./identifier";
import { bucketOf } from "./query/query";
import { callsIn, type RelationName, relationsIn } from "./relation/relations";
import type { ProgramJudgement } from "./rules/finding";
import { type Judgeable, programJudgements } from "./rules/program";

/** An object as far as the program's text tells; what is computed is left out. */
export interface Declaration extends Judgeable {
    /** Equal for two objects of one database; see `databaseKey`. */
    readonly database: unknown;
}

/**
 * What tells the database of a connection from others: host, port and name where they are known,
 * whoever logs in; otherwise the value itself, so that what was handed to two resources is one.
 */
export function databaseKey(connection: unknown): unknown {
    if (typeof connection !== "object" || connection === null) return connection;
    // Anything else, such as a promise, is not known yet.
    if (Object.getPrototypeOf(connection) !== Object.prototype) return connection;
    const { host, port, database } = connection as Readonly<Record<string, unknown>>;
    const known = [host, port, database].every((it) => ["string", "number"].includes(typeof it));
    return known ? [host, port, database].join("\0") : connection;
}

type Reads<D> = ReadonlyMap<D, readonly D[]>;

/**
 * Which declared functions each one calls. They come first where that is possible; two that call each
 * other are no problem, because a body is read when it runs.
 */
export function declaredCalls<D extends Declaration>(declared: readonly D[]): Reads<D> {
    const functions = declared.flatMap((one) => {
        const head = one.kind === "SqlFunction" && one.text !== undefined && parseHead(one.text);
        if (!head || !("name" in head)) return [];
        return [{ one, schema: head.schema ?? one.schema, name: head.name }];
    });
    if (functions.length === 0) return new Map();
    return new Map(
        declared.map((caller) => {
            const calls = caller.text === undefined ? [] : callsIn(caller.text);
            const called = functions.filter(
                ({ one, schema, name }) =>
                    one !== caller &&
                    one.database === caller.database &&
                    calls.some(
                        (call) =>
                            call.name === name &&
                            (call.schema === undefined || call.schema === schema),
                    ),
            );
            return [caller, called.map(({ one }) => one)];
        }),
    );
}

/** Which declared objects each one reads: those that have to be there before it. */
export function declaredReads<D extends Declaration>(declared: readonly D[]): Reads<D> {
    const named = new Map<unknown, Map<string, D>>();
    for (const one of declared) {
        if (one.schema === undefined || one.name === undefined) continue;
        const inDatabase = named.get(one.database) ?? new Map<string, D>();
        named.set(one.database, inDatabase);
        const key = place(one.schema, one.name);
        if (!inDatabase.has(key)) inDatabase.set(key, one);
    }
    return new Map(
        declared.map((one) => {
            const found = relationsOf(one).map((relation) =>
                candidates(one, relation)
                    .map(({ schema, name }) => named.get(one.database)?.get(place(schema, name)))
                    .find((other) => other !== undefined),
            );
            return [one, [...new Set(found.filter((other) => other !== undefined))]];
        }),
    );
}

/** Texts are long, and programs with many declarations ask more than once. */
const relationsByText = new WeakMap<Declaration, readonly RelationName[]>();

function relationsOf(declaration: Declaration): readonly RelationName[] {
    const known = relationsByText.get(declaration);
    if (known !== undefined) return known;
    const found = declaration.text === undefined ? [] : relationsIn(declaration.text);
    relationsByText.set(declaration, found);
    return found;
}

/** Where the search path of this object's own session would look. */
function candidates(
    reader: Declaration,
    { schema, name }: RelationName,
): readonly { readonly schema: string; readonly name: string }[] {
    if (schema !== undefined) return [{ schema, name }];
    const inPublic = { schema: "public", name };
    if (reader.schema === undefined || reader.schema === "public") return [inPublic];
    const inOwn = { schema: reader.schema, name };
    // At its creation the object is not there yet, so that its name still means another.
    return reader.name === name ? [inPublic] : [inOwn, inPublic];
}

function place(schema: string, name: string): string {
    return `${schema}\0${name}`;
}

/** Everything that cannot work, whatever the database holds. */
export function declarationProblems(declared: readonly Declaration[]): TimescaleError[] {
    const reads = declaredReads(declared);
    return [...duplicateProblems(declared), ...cycleProblems(reads), ...bucketProblems(reads)];
}

function duplicateProblems(declared: readonly Declaration[]): TimescaleError[] {
    const groups = new Map<unknown, Map<string, Declaration[]>>();
    for (const one of declared) {
        if (one.schema === undefined || one.name === undefined) continue;
        const inDatabase = groups.get(one.database) ?? new Map<string, Declaration[]>();
        groups.set(one.database, inDatabase);
        const key = place(one.schema, one.name);
        inDatabase.set(key, [...(inDatabase.get(key) ?? []), one]);
    }
    return [...groups.values()]
        .flatMap((inDatabase) => [...inDatabase.values()])
        .filter(({ length }) => length > 1)
        .map(
            (group) =>
                new TimescaleError(`${titleOf(group[0])} is declared ${times(group.length)}`, {
                    detail: `by ${list(group.map(({ kind, resource }) => `${kind} "${resource}"`))}, in one database`,
                    hint: "give each another name, or remove all but one",
                }),
        );
}

/** Each cycle once; of cycles that share objects perhaps not all, as one has to go first anyway. */
function cycleProblems(reads: Reads<Declaration>): TimescaleError[] {
    const problems: TimescaleError[] = [];
    const finished = new Set<Declaration>();
    const visit = (one: Declaration, path: readonly Declaration[]): void => {
        const start = path.indexOf(one);
        if (start !== -1) problems.push(cycleProblem(path.slice(start)));
        if (start !== -1 || finished.has(one)) return;
        for (const other of reads.get(one) ?? []) visit(other, [...path, one]);
        finished.add(one);
    };
    for (const one of reads.keys()) visit(one, []);
    return problems;
}

function cycleProblem(cycle: readonly Declaration[]): TimescaleError {
    const titles = cycle.map(titleOf);
    if (cycle.length === 1) {
        return new TimescaleError(`${titles[0]} reads itself`, {
            detail: "what it reads has to be there before it is created",
            hint: "name what it should read, with its schema",
        });
    }
    const steps = titles.map(
        (title, index) => `${title} reads ${titles[(index + 1) % titles.length]}`,
    );
    return new TimescaleError(`${list(titles)} read each other in a cycle`, {
        detail: `${steps.join(", ")}: none of them can be created first`,
        hint: "let one of them read a table that none of them fills",
    });
}

function bucketProblems(reads: Reads<Declaration>): TimescaleError[] {
    return hierarchies(reads).flatMap(([child, parent]) => hierarchyProblem(child, parent) ?? []);
}

/** What the rules between the declared objects say of each, and what is declared around it. */
export function declarationJudgements<D extends Declaration>(
    declared: readonly D[],
): Map<D, ProgramJudgement> {
    return programJudgements(declaredReads(declared));
}

type Aggregate<D> = Bucketed & {
    readonly declaration: D;
};

/** Each aggregate over a declared aggregate, with that one. */
function hierarchies<D extends Declaration>(reads: Reads<D>): [Aggregate<D>, Aggregate<D>][] {
    return [...reads].flatMap(([child, parents]) =>
        parents.flatMap((parent): [Aggregate<D>, Aggregate<D>][] => {
            const [one, other] = [aggregateOf(child), aggregateOf(parent)];
            return one === undefined || other === undefined ? [] : [[one, other]];
        }),
    );
}

function aggregateOf<D extends Declaration>(declaration: D): Aggregate<D> | undefined {
    const { kind, text } = declaration;
    if (kind !== "ContinuousAggregate" || text === undefined) return undefined;
    return { declaration, title: titleOf(declaration), bucket: bucketOf(text) };
}

function titleOf(declaration: Declaration | undefined): string {
    const { schema, name, resource } = declaration ?? { resource: "" };
    return schema === undefined || name === undefined ? resource : displayName({ schema, name });
}

function times(count: number): string {
    return count === 2 ? "twice" : `${count} times`;
}

function list(items: readonly string[]): string {
    return [items.slice(0, -1).join(", "), ...items.slice(-1)].filter(Boolean).join(" and ");
}
