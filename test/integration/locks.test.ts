/** The locks that preview tells of, against those that `pg_locks` shows while each statement's transaction is open. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { displayName } from "../../components/timescale/core/identifier";
import { type Lock, lockModes, type Places } from "../../components/timescale/core/plan/lock";
import { bucketsOf, locksOf, statementNames } from "../../components/timescale/core/plan/locks";
import type { Plan, Statement } from "../../components/timescale/core/plan/plan";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { aggregate, type Declared, hypertable, sqlFunction, view } from "./declared";
import { hourly, plainNames, rawTable } from "./names";
import { onServersWithSessions, type Row } from "./onEveryServer";

/** What is locked, by the oid of relations: people's names, and whether it is one of their chunks. */
interface Relation {
    readonly name: string;
    readonly chunk: boolean;
}

const relations = `
    SELECT c.oid::text, n.nspname AS schema, c.relname AS name, k.id IS NOT NULL AS chunk,
        coalesce(m.user_view_schema, h.schema_name) AS "hypertableSchema",
        coalesce(m.user_view_name, h.table_name) AS "hypertable", m.mat_hypertable_id IS NOT NULL AS buckets
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN _timescaledb_catalog.chunk k ON k.schema_name = n.nspname AND k.table_name = c.relname
    LEFT JOIN _timescaledb_catalog.hypertable h
        ON h.id = k.hypertable_id OR (h.schema_name = n.nspname AND h.table_name = c.relname)
    LEFT JOIN _timescaledb_catalog.continuous_agg m ON m.mat_hypertable_id = h.id
    WHERE c.relkind IN ('r', 'v') AND n.nspname !~ '^(pg_|information_schema$)'
        -- Nobody but the server reads its catalog, compressed rows, and the views behind an aggregate's.
        AND (n.nspname !~ '^_timescaledb' OR m.mat_hypertable_id IS NOT NULL OR k.id IS NOT NULL)`;

function known(rows: readonly Row[]): Map<string, Relation> {
    return new Map(
        rows.map((row) => {
            const { oid, schema, name, chunk, hypertableSchema, hypertable, buckets } = row as Record<string, string>; // prettier-ignore
            const own = displayName({ schema: schema ?? "", name: name ?? "" });
            const table = displayName({ schema: hypertableSchema ?? "", name: hypertable ?? "" });
            const of = hypertable === null ? own : Boolean(buckets) ? bucketsOf(table) : table;
            return [oid ?? "", { name: of, chunk: Boolean(chunk) }];
        }),
    );
}

/** The strongest lock among those that are more than reading and writing rows. */
function strongest(held: readonly Row[], names: Map<string, Relation>): Lock | null {
    const locks = held.flatMap(({ oid, mode }) => {
        const relation = names.get(String(oid));
        const strength = lockModes.indexOf(mode as Lock["mode"]);
        return relation === undefined || strength < lockModes.indexOf("ShareUpdateExclusiveLock")
            ? []
            : [{ ...relation, strength }];
    });
    const most = Math.max(...locks.map(({ strength }) => strength));
    const mode = lockModes[most];
    if (mode === undefined) return null;
    const taken = locks.filter(({ strength }) => strength === most);
    const on = new Set(taken.filter(({ chunk }) => !chunk).map(({ name }) => name));
    return { mode, on: [...on].sort(), chunks: taken.some(({ chunk }) => chunk) };
}

function sorted(lock: Lock | null | undefined): Lock | null | undefined {
    return lock && { ...lock, on: [...lock.on].sort() };
}

onServersWithSessions("what statements lock", (target) => {
    if (!target.server.version.startsWith("2.14.")) {
        const why = `the locks are those of TimescaleDB 2.14, not of ${target.server.name}`;
        recordEnvironment(`not measured: ${why}`);
        it.skip(why, () => undefined);
        return;
    }
    const measured = new Set<string>();
    const names = plainNames;
    /** Runs each statement in a transaction of its own; what it holds before the end, by its name. */
    async function held(statements: readonly Statement[], by: Connection): Promise<unknown[]> {
        const names = known(await target.asAdmin(relations));
        const locks: unknown[] = [];
        await withClient(by, async (client) => {
            for (const { name, sql, values, outside } of statements) {
                measured.add(name);
                if (outside === undefined) await client.query("BEGIN");
                await client.query(sql, values as unknown[] | undefined);
                if (outside !== undefined) continue;
                const { rows } = await client.query<Record<string, unknown>>(
                    "SELECT relation::text AS oid, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL",
                );
                await client.query("COMMIT");
                locks.push([name, strongest(rows, names)]);
            }
        });
        return locks;
    }

    function told(statements: readonly Statement[], places: Places | undefined): unknown[] {
        const locks = locksOf(statements, places);
        return statements.flatMap(({ name, outside }, at) =>
            outside === undefined ? [[name, sorted(locks[at])]] : [],
        );
    }

    async function expectLocks(
        { statements, places }: Pick<Plan, "statements" | "places">,
        by = target.database.owner,
    ): Promise<void> {
        expect(await held(statements, by)).toEqual(told(statements, places));
    }

    /** Measures what `up` with these inputs would run, and lets the object be as it is then. */
    async function change<Inputs extends object>(
        object: Declared<Inputs>,
        inputs: Partial<Inputs> = {},
    ): Promise<void> {
        const all = { ...object.inputs, ...inputs };
        const { plan } = await object.plan(all);
        expect(plan.refusals).toEqual([]);
        await expectLocks(plan);
        await object.up(all);
    }

    const { compressionPolicy: _policy, ...uncompressed } = rawTable(names);
    const table = hypertable(target, uncompressed);
    const summary = aggregate(target, hourly(names));
    const ofTable = (given: Partial<Places> = {}): Places => ({
        kind: "hypertable",
        object: "public.requests",
        standing: "public.requests",
        ...given,
    });
    const ofAggregate: Places = {
        kind: "aggregate",
        object: "public.requests_hourly",
        standing: "public.requests_hourly",
        source: "public.requests",
    };

    it("of an object that is to be made: nothing of it, and the source of an aggregate", async () => {
        await change(table);
        await target.byHand(
            `INSERT INTO requests (ts, id, ms)
             SELECT t, 'x', 7 FROM generate_series(now() - interval '12 days', now(), interval '2 hours') t`,
        );
        await change(summary);
        expect((await summary.plan()).plan.places?.standing).toBe("public.requests_hourly");
    });

    it("of an aggregate's settings", async () => {
        await change(summary, { materializedOnly: false });
        await change(summary, {
            refreshPolicy: { startOffset: "2 days", scheduleInterval: "7 minutes" },
            retentionPolicy: { dropAfter: "220 days" },
            compressionPolicy: { compressAfter: "8 days", segmentBy: [] },
        });
        const { refreshPolicy: _f, retentionPolicy: _r, compressionPolicy: _c, ...bare } = summary.inputs; // prettier-ignore
        const { plan } = await summary.plan({ ...bare, indexes: [], grants: [], comment: "x" });
        await expectLocks(plan);
        await summary.up({ ...bare, indexes: [], grants: [], comment: "x", chunkTimeInterval: "6 days" }); // prettier-ignore
        await change(summary);
    });

    it("of names", async () => {
        await target.byHand("CREATE SCHEMA elsewhere");
        await change(summary, { schema: "elsewhere", name: "moved" });
        await change(summary);
        await change(summary, { query: summary.inputs.query.replace("AS quick", "AS swift") });
        await change(summary);
    });

    it("of an aggregate that is dropped and created again", async () => {
        const query = summary.inputs.query.replace("sum(", "max(");
        const { plan } = await summary.plan({ ...summary.inputs, query, onQueryChange: "rebuild" });
        await expectLocks(plan);
        await target.byHand("DROP MATERIALIZED VIEW requests_hourly");
        await summary.up();
    });

    it("of a view that is put back", async () => {
        const replace =
            "CREATE OR REPLACE VIEW requests_hourly AS SELECT now() AS bucket, ''::text AS model, 1::bigint AS requests, 2::bigint AS total, 3::bigint AS quick";
        await target.byHand("ALTER TABLE requests_hourly RENAME TO stray");
        await change(summary);
        await target.byHand(replace);
        await change(summary);
        await summary.up({ ...summary.inputs, materializedOnly: false });
        await target.byHand(replace);
        await change(summary, { materializedOnly: false });
        await summary.up();
    });

    it("of owners, single jobs, and indexes in the transaction", async () => {
        const owner = (it: string, to: string): Statement => ({ name: "alter_owner", sql: `ALTER ${it} OWNER TO ${to}` }); // prettier-ignore
        const back = (it: string) => [owner(it, "postgres"), owner(it, "observatory_owner")];
        const index = (on: string, schema: string): Statement[] => [
            { name: "create_index", sql: `CREATE INDEX plain ON ${on} (model)` },
            { name: "rename_index", sql: `ALTER INDEX ${schema}.plain RENAME TO other` },
            { name: "drop_index", sql: `DROP INDEX ${schema}.other` },
        ];
        await target.byHand("CREATE VIEW of_it AS SELECT 1 AS n");
        await expectLocks(
            {
                statements: [
                    ...index("requests_hourly", "_timescaledb_internal"),
                    { name: "delete_job", sql: "SELECT delete_job(max(id)) FROM _timescaledb_config.bgw_job" },
                    { name: "set_role", sql: "SET LOCAL ROLE observatory_owner" },
                    ...back("MATERIALIZED VIEW requests_hourly"),
                ],
                places: ofAggregate,
            },
            target.database.admin,
        ); // prettier-ignore
        await expectLocks(
            { statements: [...index("requests", "public"), ...back("TABLE requests")], places: ofTable() },
            target.database.admin,
        ); // prettier-ignore
        const places: Places = { kind: "view", object: "public.of_it", standing: "public.of_it" };
        await expectLocks({ statements: back("VIEW of_it"), places }, target.database.admin);
        await summary.up();
    });

    it("of a hypertable's columns, keys and settings", async () => {
        const { columns } = table.inputs;
        await change(table, {
            comment: "n",
            grants: [],
            chunkTimeInterval: "2 days",
            indexes: [],
            columns: [
                ...columns.map((one) => (one.name === "cost" ? { ...one, comment: "c", default: "1" } : one)),
                { name: "extra", type: "int" },
            ],
        }); // prettier-ignore
        await change(table, {
            dropColumns: ["extra"],
            primaryKey: ["ts"],
            columns: columns.map((one) => (one.name === "ms" ? { ...one, nullable: false } : one)),
        });
        const compressed = { ...table.inputs, compressionPolicy: { compressAfter: "7 days" } };
        await change(table, { ...compressed, dropColumns: ["extra"] });
        // Switched off for the moment, and on again.
        await change(table, { ...compressed, primaryKey: ["ts"] });
        const { retentionPolicy: _r, ...bare } = table.inputs;
        const { plan } = await table.plan(bare);
        await expectLocks(plan);
        await table.up();
        await target.byHand("CREATE UNIQUE INDEX once ON requests (ts, model)");
        await target.byHand("ALTER TABLE requests ADD CONSTRAINT single UNIQUE (ts, model)");
        await expectLocks({
            statements: [
                { name: "drop_constraint", sql: "ALTER TABLE requests DROP CONSTRAINT single" },
                { name: "drop_index", sql: "DROP INDEX once" },
                { name: "rename_column", sql: "ALTER TABLE requests RENAME COLUMN tags TO labels" },
                { name: "rename", sql: "ALTER TABLE requests RENAME TO moved" },
                { name: "set_schema", sql: "ALTER TABLE moved SET SCHEMA elsewhere" },
            ],
            places: ofTable(),
        });
        await target.byHand("ALTER TABLE elsewhere.moved SET SCHEMA public");
        await target.byHand("ALTER TABLE moved RENAME TO requests");
        await target.byHand("ALTER TABLE requests RENAME COLUMN labels TO tags");
    });

    /** What a statement that commits in the middle holds and waits for, while somebody else holds `blocker`. */
    async function waiting(sql: string, blocker: string): Promise<Lock | null> {
        const names = known(await target.asAdmin(relations));
        return withClient(target.database.admin, (blocking) =>
            withClient(target.database.owner, async (client) => {
                const { rows } = await client.query<{ pid: number }>(
                    "SELECT pg_backend_pid() AS pid",
                );
                await blocking.query(`BEGIN; LOCK TABLE ONLY ${blocker} IN ROW EXCLUSIVE MODE`);
                const running = client.query(sql);
                const locks = `SELECT relation::text AS oid, mode, granted FROM pg_locks WHERE pid = ${rows[0]?.pid} AND relation IS NOT NULL`;
                try {
                    for (;;) {
                        const found = await target.asAdmin(locks);
                        if (found.some(({ granted }) => granted === false))
                            return strongest(found, names);
                        await new Promise((resolve) => setTimeout(resolve, 10));
                    }
                } finally {
                    await blocking.query("ROLLBACK");
                    await running;
                }
            }),
        );
    }

    it("of what runs outside the transaction: a refresh, and an index chunk by chunk", async () => {
        const [own] = await target.asAdmin(
            `SELECT format('%I.%I', h.schema_name, h.table_name) AS buckets,
                 (SELECT format('%I.%I', c.schema_name, c.table_name) FROM _timescaledb_catalog.chunk c
                  WHERE c.hypertable_id = a.raw_hypertable_id ORDER BY c.id LIMIT 1) AS chunk
             FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
             WHERE a.user_view_name = 'requests_hourly'`,
        );
        const outside = {};
        const refresh: Statement = { name: "refresh_continuous_aggregate", sql: "", outside };
        const index: Statement = { name: "create_index", sql: "", outside };
        await target.byHand("UPDATE requests SET ms = ms + 1");

        const refreshing = await waiting(
            "CALL refresh_continuous_aggregate('requests_hourly', now() - interval '5 days', now() - interval '2 hours')",
            String(own?.["buckets"]),
        );
        const building = (name: string): string =>
            `CREATE INDEX ${name} ON requests (ms) WITH (timescaledb.transaction_per_chunk)`;
        const first = await waiting(building("one"), "requests");
        const then = await waiting(building("two"), String(own?.["chunk"]));

        expect(locksOf([refresh], ofAggregate)).toEqual([refreshing]);
        const said = { mode: "ShareLock", on: ["public.requests"], chunks: true };
        expect(locksOf([index], ofTable())).toEqual([said]);
        // One after the other: the table, and then each chunk by itself.
        expect(first).toEqual({ ...said, chunks: false });
        expect(then).toEqual({ ...said, on: [] });
        measured.add("refresh_continuous_aggregate");
    });

    it("of views and functions", async () => {
        await target.byHand("CREATE TABLE readable (a int, b text)");
        const grants = [{ role: "observatory_reader", privileges: ["SELECT"] }] as const;
        const inputs = { name: "shown", query: "SELECT a, b FROM readable", grants, comment: "x" };
        const shown = view(target, inputs);
        await change(shown);
        await change(shown, { query: "SELECT a, b, 1 AS c FROM readable", comment: "y", grants: [] }); // prettier-ignore
        await change(shown, { query: "SELECT a FROM readable" });
        await change(shown, {
            query: "SELECT a AS z FROM readable",
            name: "seen",
            schema: "elsewhere",
            securityBarrier: true,
        });
        const one = "CREATE FUNCTION counted(x int) RETURNS int LANGUAGE sql AS $$ SELECT a FROM readable $$"; // prettier-ignore
        const counted = sqlFunction(target, { definition: one });
        await change(counted);
        await change(counted, {
            definition: one.replace("SELECT a", "SELECT a + 1"),
            comment: "n",
        });
        await change(counted, { definition: one.replace("RETURNS int", "RETURNS bigint") });
    });

    it("of what is dropped", async () => {
        await expectLocks({
            statements: [
                { name: "drop_continuous_aggregate", sql: "DROP MATERIALIZED VIEW requests_hourly" },
            ],
            places: ofAggregate,
        }); // prettier-ignore
        await expectLocks({
            statements: [{ name: "drop_hypertable", sql: "DROP TABLE requests" }],
            places: ofTable(),
        });
    });

    it("was measured for every statement that has a rule", () => {
        expect([...measured].sort()).toEqual([...statementNames].sort());
    });
});
