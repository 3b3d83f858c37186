/**
 * Reads a database object by object, each in a read-only transaction of its own: one that cannot be
 * read stops no other, and no lock is held for longer than its object takes.
 */
import {
    inspectServer,
    type UsableServer,
} from "../../components/timescale/core/connection/server";
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import {
    inTransaction,
    type Queryable,
    type Session,
} from "../../components/timescale/core/connection/session";
import { displayName, type QualifiedName } from "../../components/timescale/core/identifier";
import { searchPathOf, setSearchPath } from "../../components/timescale/core/plan/converging";
import { relationKind } from "../../components/timescale/core/relation/relation";
import { discover, type Discovered, type FoundOther, type FoundRelation } from "./discover";
import { inOrder, mentioned, type Ordered } from "./order";
import { readAggregate } from "./readAggregate";
import { readHypertable } from "./readHypertable";
import { readRoutine } from "./readRoutine";
import { readView } from "./readView";
import { noResource, type Reading, type Undeclared, withoutResource } from "./standing";
import { withWaivers } from "./waivers";

export interface Imported {
    readonly timescaleVersion: string;
    readonly declarations: readonly Ordered[];
    readonly undeclared: readonly Undeclared[];
}

export interface ReadOptions {
    /** None: all schemas. */
    readonly schemas: readonly string[];
    /** Told before each object. */
    readonly onObject: (at: number, of: number) => void;
}

/** @throws TimescaleError when the database as a whole cannot be read */
export async function readDatabase(session: Session, options: ReadOptions): Promise<Imported> {
    const { server, found } = await inReading(session, ["pg_catalog"], async (client) => ({
        server: await inspectServer(client),
        found: await discover(client, options.schemas),
    })).then(undefined, (error: unknown) => {
        throw serverError(error, {
            statement: "inspect",
            object: `database ${session.connection.database}`,
        });
    });
    const readings: Reading[] = [];
    const tasks = tasksOf(session, server, found);
    for (const [at, read] of tasks.entries()) {
        options.onObject(at + 1, tasks.length);
        readings.push(await read());
    }
    // What ALTER TABLE … RENAME made of an aggregate's view is listed with the aggregate.
    const parts = readings.flatMap((reading) => (reading.parts ?? []).map(displayName));
    const declarations = readings
        .flatMap(({ declaration }) => declaration ?? [])
        .filter(({ object }) => !parts.includes(object));
    return {
        timescaleVersion: server.timescaleVersion,
        declarations: withWaivers(
            inOrder(declarations, [...found.dependencies, ...mentioned(declarations)]),
        ),
        undeclared: [
            ...readings.flatMap(({ undeclared }) => undeclared),
            ...found.others.map(otherKind),
        ],
    };
}

type Task = () => Promise<Reading>;

function tasksOf(session: Session, server: UsableServer, found: Discovered): Task[] {
    const { connection } = session;
    const task =
        (name: QualifiedName, what: string, read: (client: Queryable) => Promise<Reading>): Task =>
        () =>
            readOne(session, server, name, what, read);
    const closed = new Set<string>();
    const inClosed = ({ schema, usable }: { schema: string; usable: boolean }): boolean => {
        if (!usable) closed.add(schema);
        return !usable;
    };
    const tasks = [
        ...found.relations
            .filter((relation) => !inClosed(relation))
            .map((relation) =>
                task(relation, wordsFor(relation), (client) => {
                    switch (relation.kind) {
                        case "hypertable":
                            return readHypertable(client, relation, connection);
                        case "aggregate":
                            return readAggregate(client, relation, connection);
                        case "v":
                            return readView(client, relation, connection);
                        default:
                            return Promise.resolve(
                                noResource(displayName(relation), wordsFor(relation)),
                            );
                    }
                }),
            ),
        ...found.routines
            .filter((routine) => !inClosed(routine))
            .map((routine) =>
                task(routine, "function", (client) => readRoutine(client, routine, connection)),
            ),
    ];
    const withoutUsage = [...closed].map((schema): Undeclared => ({
        object: schema,
        what: "schema",
        why: `${connection.user} has no USAGE on it, so nothing in it was read`,
    }));
    return [...tasks, () => Promise.resolve({ undeclared: withoutUsage })];
}

async function readOne(
    session: Session,
    server: UsableServer,
    name: QualifiedName,
    what: string,
    read: (client: Queryable) => Promise<Reading>,
): Promise<Reading> {
    const object = displayName(name);
    try {
        // As when it is compared: definitions, types and defaults are printed alike.
        return await inReading(session, searchPathOf(name, server), read);
    } catch (error) {
        const failure = serverError(error, { statement: "inspect", object });
        // Without the connection, no other object can be read either.
        if (failure.code === "connection_lost") throw failure;
        const { message, code, detail } = failure;
        const why = [`it could not be read: ${message}`, detail].filter(Boolean).join("; ");
        return {
            undeclared: [{ object, what, why: code === undefined ? why : `${why} (${code})` }],
        };
    }
}

function inReading<T>(
    session: Session,
    searchPath: readonly string[],
    work: (client: Queryable) => Promise<T>,
): Promise<T> {
    return inTransaction(
        session,
        { readOnly: true, searchPath: ["pg_catalog"] },
        async (client) => {
            await setSearchPath(client, searchPath);
            return work(client);
        },
    );
}

function wordsFor({ kind }: FoundRelation): string {
    if (kind === "aggregate") return "continuous aggregate";
    return kind === "hypertable" ? kind : relationKind({ kind });
}

function otherKind({ schema, name, what }: FoundOther): Undeclared {
    return {
        object: schema === null ? name : displayName({ schema, name }),
        what,
        why: withoutResource,
    };
}
