/**
 * The strongest lock that each statement takes on tables and views, and who waits behind it. Pure.
 *
 * PostgreSQL says nothing of it before a statement has run, so this is a table, by the names of
 * statements; a test measures each on TimescaleDB 2.14.2. A statement that has no rule here brings its
 * lock itself, as `lock`; a test finds those that do neither.
 */
import { type Lock, type LockMode, lockModes, type Places } from "./lock";
import type { Statement } from "./plan";

/** The name of an aggregate's materialization table, which only the catalog knows. */
export function bucketsOf(aggregate: string): string {
    return `buckets of ${aggregate}`;
}

/** @param object by the name under which others know it; null: nobody does */
type Rule = (places: Places, object: string | null) => Lock | null;

function lock(
    mode: LockMode,
    on: readonly (string | null | undefined)[],
    chunks: "chunks" | "" = "",
): Lock | null {
    const known = on.flatMap((one) => one ?? []);
    return known.length === 0 ? null : { mode, on: known, chunks: chunks === "chunks" };
}

/** The view of an aggregate or the object itself; a function is none that anybody reads rows from. */
function onObject(mode: LockMode): Rule {
    return ({ kind }, object) => (kind === "function" ? null : lock(mode, [object]));
}

/** Where the rows are: a hypertable itself, the buckets of an aggregate. */
function onData(mode: LockMode, chunks: "chunks" | "" = ""): Rule {
    return ({ kind }, object) => lock(mode, [rowsOf(kind, object)], chunks);
}

function rowsOf(kind: Places["kind"], object: string | null): string | null {
    return object !== null && kind === "aggregate" ? bucketsOf(object) : object;
}

function onEverything(mode: LockMode): Rule {
    return ({ kind }, object) => {
        if (kind === "function") return null;
        const rows = rowsOf(kind, object);
        const relations = rows === object ? [object] : [object, rows];
        return lock(mode, relations, kind === "view" ? "" : "chunks");
    };
}

/** None on a table or view that others read or write: catalog rows alone. */
const none: Rule = () => null;

const source = (mode: LockMode): Rule => {
    return (places) => lock(mode, [places.source], "chunks");
};

const rules = {
    set_role: none,
    create_table: none,
    create_hypertable: none,
    drop_hypertable: onData("AccessExclusiveLock", "chunks"),
    add_column: onData("AccessExclusiveLock", "chunks"),
    drop_column: onData("AccessExclusiveLock", "chunks"),
    alter_default: onData("AccessExclusiveLock", "chunks"),
    alter_nullable: onData("AccessExclusiveLock", "chunks"),
    add_primary_key: onData("AccessExclusiveLock", "chunks"),
    drop_primary_key: onData("AccessExclusiveLock", "chunks"),
    drop_constraint: onData("AccessExclusiveLock", "chunks"),
    comment_column: onObject("ShareUpdateExclusiveLock"),

    // The trigger that logs what refreshes have to look at again comes to the source and to each chunk.
    create_continuous_aggregate: source("ShareRowExclusiveLock"),
    create_model_aggregate: source("ShareRowExclusiveLock"),
    // Dropping it takes the trigger away, whatever else stands on the source.
    drop_continuous_aggregate: (places, object) =>
        lock(
            "AccessExclusiveLock",
            [object, object === null ? null : bucketsOf(object), places.source],
            "chunks",
        ),
    check_history: source("AccessExclusiveLock"),
    restore_view: onObject("AccessExclusiveLock"),
    // The model that it is made after is dropped again.
    restore_real_time_view: (places, object) =>
        lock("AccessExclusiveLock", [object, places.source]),
    set_materialized_only: onObject("AccessExclusiveLock"),
    mark_first_fill: onData("ShareUpdateExclusiveLock"),
    refresh_continuous_aggregate: onData("ExclusiveLock"),

    create_view: none,
    replace_view: onObject("AccessExclusiveLock"),
    alter_view: onObject("AccessExclusiveLock"),
    drop_view: onObject("AccessExclusiveLock"),

    create_function: none,
    replace_function: none,
    drop_function: none,

    alter_owner: onEverything("AccessExclusiveLock"),
    rename: onObject("AccessExclusiveLock"),
    set_schema: onObject("AccessExclusiveLock"),
    rename_column: onEverything("AccessExclusiveLock"),
    comment: onObject("ShareUpdateExclusiveLock"),
    grant: none,
    revoke: none,

    set_chunk_time_interval: none,
    enable_compression: onData("AccessExclusiveLock"),
    disable_compression: onData("AccessExclusiveLock"),
    create_index: onData("ShareLock", "chunks"),
    drop_index: onData("AccessExclusiveLock", "chunks"),
    rename_index: none,

    add_refresh_policy: none,
    add_retention_policy: none,
    add_compression_policy: none,
    alter_refresh_policy: none,
    alter_retention_policy: none,
    alter_compression_policy: none,
    remove_refresh_policy: none,
    remove_retention_policy: none,
    remove_compression_policy: none,
    delete_job: none,
} as const satisfies Record<string, Rule>;

/** Statements whose lock is known by their name. */
export type StatementName = keyof typeof rules;

export const statementNames = Object.keys(rules) as readonly StatementName[];

/** With these the object stands; what follows in the transaction is seen by nobody before its end. */
const making: ReadonlySet<string> = new Set<StatementName>([
    "create_table",
    "create_continuous_aggregate",
    "create_view",
    "create_function",
]);

/**
 * The lock of each statement, in their order. Null: none on a table or view that stands before the
 * plan runs, so that nobody can wait for it; undefined: not known.
 */
export function locksOf(
    statements: readonly Statement[],
    places: Places | undefined,
): (Lock | null | undefined)[] {
    let visible = places?.standing ?? null;
    return statements.map(({ name, lock: own, outside }) => {
        // Behind a transaction the object stands under its new name, and anybody may wait.
        if (outside !== undefined) visible = places?.object ?? null;
        const object = visible;
        if (making.has(name)) visible = null;
        if (own !== undefined) return own;
        return places === undefined || !isKnown(name) ? undefined : rules[name](places, object);
    });
}

function isKnown(name: string): name is StatementName {
    return Object.hasOwn(rules, name);
}

/** Whom a lock of this mode makes wait, and who makes it wait in turn. */
export function blocks(mode: LockMode): readonly ("reads" | "writes")[] {
    if (mode === "AccessExclusiveLock") return ["reads", "writes"];
    return lockModes.indexOf(mode) >= lockModes.indexOf("ShareLock") ? ["writes"] : [];
}

/** Such as `ShareRowExclusiveLock on public.requests and its chunks: writers wait`. */
export function describeLock({ mode, on, chunks }: Lock): string {
    const relations = [on.join(", "), ...(chunks ? [on.length > 1 ? "their chunks" : "its chunks"] : [])]; // prettier-ignore
    const waiting = { "": "", writes: ": writers wait", "reads,writes": ": readers and writers wait" }; // prettier-ignore
    const who = waiting[blocks(mode).join() as keyof typeof waiting];
    return `${mode} on ${relations.join(" and ")}${who}`;
}
