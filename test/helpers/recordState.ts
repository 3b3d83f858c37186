/**
 * Records what this version leaves behind: the state of one resource of each kind, and of everything that the
 * Observatory declares, with the statements that made their objects. `npm run record-state` writes
 * `test/fixtures/states/<version>.json` and `<version>-observatory.json`, which later versions are held to: on such a
 * database and such a state they have nothing to change.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Session } from "../../components/timescale/core/connection/session";
import { withSession } from "../../components/timescale/core/connection/session";
import { continuousAggregateKind } from "../../components/timescale/provider/continuousAggregateKind";
import { extensionVersionKind } from "../../components/timescale/provider/extensionVersionKind";
import { hypertableKind } from "../../components/timescale/provider/hypertableKind";
import { loginPasswordKind } from "../../components/timescale/provider/loginPasswordKind";
import type { Properties, ResourceKind } from "../../components/timescale/provider/resourceKind";
import { sqlFunctionKind } from "../../components/timescale/provider/sqlFunctionKind";
import { viewKind } from "../../components/timescale/provider/viewKind";
import { version } from "../../package.json";
import { hourly, plainNames, rawTable } from "../integration/names";
import { findServers, type TestServer } from "./databases";
import { declaredObservatory } from "./declaredObservatory";

export interface RecordedState {
    readonly version: string;
    /** `kinds`: one resource of each, declared in this file alone. `observatory`: what the component declared. */
    readonly of: "kinds" | "observatory";
    readonly server: string;
    readonly resources: readonly RecordedResource[];
}

export interface RecordedResource {
    readonly kind: string;
    readonly name: string;
    /** Without the connection, which is each run's own. */
    readonly inputs: Properties;
    /** Beside the inputs; without the database's identity. */
    readonly outputs: Properties;
    readonly statements: readonly RecordedStatement[];
}

interface RecordedStatement {
    readonly text: string;
    readonly values: readonly unknown[];
}

const kinds: readonly ResourceKind[] = [
    hypertableKind,
    continuousAggregateKind,
    viewKind,
    sqlFunctionKind,
    extensionVersionKind,
    loginPasswordKind,
];

const declared: readonly (readonly [ResourceKind, object])[] = [
    [hypertableKind, rawTable(plainNames)],
    [continuousAggregateKind, hourly(plainNames)],
    [
        viewKind,
        {
            name: "requests_daily",
            query: "SELECT date_trunc('day', bucket) AS day, sum(requests) AS requests FROM requests_hourly GROUP BY 1",
            comment: "by day",
            grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
        },
    ],
    [
        sqlFunctionKind,
        {
            definition:
                "CREATE FUNCTION requests_of(wanted text) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT sum(requests)::bigint FROM requests_hourly WHERE model = wanted $$",
            grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
        },
    ],
    // The version that the server comes with, and the password that the login has.
    [extensionVersionKind, {}],
    [loginPasswordKind, {}],
];

async function main(): Promise<void> {
    const servers = await findServers();
    const server = servers.find(({ version: found }) => found.startsWith("2.14"));
    if (server === undefined) throw new Error("a state is recorded on TimescaleDB 2.14");
    const single = declared.map(([kind, inputs]) => ({ kind, name: kind.name, inputs }));
    const observatory = (await declaredObservatory()).map(({ kind: name, ...resource }) => {
        const kind = kinds.find((one) => one.name === name);
        if (kind === undefined) throw new Error(`there is no kind ${name}`);
        return { ...resource, kind, inputs: withoutHidden(resource.inputs) };
    });
    await write(server, "kinds", "", single);
    await write(server, "observatory", "-observatory", observatory);
}

interface Recordable {
    readonly kind: ResourceKind;
    readonly name: string;
    readonly inputs: object;
}

/** What the resource class adds for the provider, which is no declaration. */
function withoutHidden(inputs: Properties): Properties {
    return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__")));
}

async function write(
    server: TestServer,
    of: RecordedState["of"],
    suffix: string,
    all: readonly Recordable[],
): Promise<void> {
    const database = await server.createDatabase();
    try {
        const resources: RecordedResource[] = [];
        await withSession(database.owner, async (session) => {
            for (const one of all) resources.push(await made(session, database.owner, one));
        });
        const folder = path.join(__dirname, "..", "fixtures", "states");
        const state: RecordedState = { version, of, server: server.name, resources };
        const text = `${JSON.stringify(state, null, 2)}\n`;
        writeFileSync(path.join(folder, `${version}${suffix}.json`), text);
    } finally {
        await database.drop();
    }
}

async function made(
    session: Session,
    connection: Connection,
    { kind, name, inputs: given }: Recordable,
): Promise<RecordedResource> {
    const statements: RecordedStatement[] = [];
    const inputs = { ...given };
    const { databaseUuid: _, ...outputs } = await kind.converge(
        recording(session, statements),
        { ...inputs, connection },
        undefined,
        {
            onStatus: () => undefined,
            onApplied: () => undefined,
            checkDatabase: () => undefined,
        },
    );
    return { kind: kind.name, name, inputs, outputs, statements };
}

/** The same session; what its transactions write, and commit, is taken down. */
function recording(session: Session, statements: RecordedStatement[]): Session {
    let pending: RecordedStatement[] | undefined;
    const query = (text: string, values?: unknown[]): unknown => {
        if (typeof text === "string") {
            if (text.startsWith("BEGIN")) {
                pending = text.startsWith("BEGIN READ ONLY") ? undefined : [];
            } else if (text === "COMMIT") {
                statements.push(...(pending ?? []));
                pending = undefined;
            } else if (text === "ROLLBACK") {
                pending = undefined;
            } else {
                pending?.push({ text, values: values ?? [] });
            }
        }
        return (session.client.query as (text: string, values?: unknown[]) => unknown).call(
            session.client,
            text,
            values,
        );
    };
    const client = Object.create(session.client, { query: { value: query } }) as Session["client"];
    return { ...session, client };
}

void main().then(
    () => process.exit(0),
    (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
    },
);
