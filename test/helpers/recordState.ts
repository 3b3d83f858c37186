/**
 * Records what this version leaves behind: the state of one resource of each kind, and the statements
 * that made their objects. `npm run record-state` writes `test/fixtures/states/<version>.json`,
 * which later versions are held to: on such a database and such a state they have nothing to change.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";

import type { Session } from "../../components/timescale/core/session";
import { withSession } from "../../components/timescale/core/session";
import { continuousAggregateKind } from "../../components/timescale/provider/continuousAggregateKind";
import { hypertableKind } from "../../components/timescale/provider/hypertableKind";
import type { Properties, ResourceKind } from "../../components/timescale/provider/resourceKind";
import { sqlFunctionKind } from "../../components/timescale/provider/sqlFunctionKind";
import { viewKind } from "../../components/timescale/provider/viewKind";
import { version } from "../../package.json";
import { hourly, plainNames, rawTable } from "../integration/names";
import { findServers } from "./databases";

export interface RecordedState {
    readonly version: string;
    readonly server: string;
    readonly resources: readonly {
        readonly kind: string;
        readonly inputs: Properties;
        /** Without the connection and the database's identity, which are each run's own. */
        readonly outputs: Properties;
        readonly statements: readonly {
            readonly text: string;
            readonly values: readonly unknown[];
        }[];
    }[];
}

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
];

async function main(): Promise<void> {
    const servers = await findServers();
    const server = servers.find(({ version: found }) => found.startsWith("2.14"));
    if (server === undefined) throw new Error("a state is recorded on TimescaleDB 2.14");
    const database = await server.createDatabase();
    try {
        const resources: RecordedState["resources"][number][] = [];
        await withSession(database.owner, async (session) => {
            for (const [kind, properties] of declared) {
                const statements: { text: string; values: readonly unknown[] }[] = [];
                const inputs = { ...properties };
                const outputs = await kind.converge(
                    recording(session, statements),
                    { ...inputs, connection: database.owner },
                    undefined,
                    {
                        onStatus: () => undefined,
                        onApplied: () => undefined,
                        checkDatabase: () => undefined,
                    },
                );
                const { databaseUuid: _, ...others } = outputs;
                resources.push({
                    kind: kind.name,
                    inputs,
                    outputs: { ...inputs, ...others },
                    statements,
                });
            }
        });
        const file = path.join(__dirname, "..", "fixtures", "states", `${version}.json`);
        const state: RecordedState = { version, server: server.name, resources };
        writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`);
    } finally {
        await database.drop();
    }
}

/** The same session; what its transactions write, and commit, is taken down. */
function recording(
    session: Session,
    statements: { text: string; values: readonly unknown[] }[],
): Session {
    let pending: { text: string; values: readonly unknown[] }[] | undefined;
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
