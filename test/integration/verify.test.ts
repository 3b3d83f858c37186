/** The ten checks: they pass on a database that is whole, and each fails when its own matter is broken. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { observatoryObjects } from "../../commands/verify/objects";
import { type CheckName, checkNames, type Result } from "../../commands/verify/result";
import { verify } from "../../commands/verify/run";
import type { Session } from "../../components/timescale/core/connection/session";
import { type HypertableInputs, resource } from "./declared";
import { onEveryServer, type Row, type Target } from "./onEveryServer";

/** Raw rows as the copy has them, in the real table. */
const traces = readFileSync(join(__dirname, "../../sql/verify/traces.sql"), "utf8").replaceAll(
    "{now}",
    "now()",
);

/** Names of those that failed, with what is wrong. */
function failures(results: readonly Result[]): Partial<Record<CheckName, readonly string[]>> {
    const failed = results.filter(({ outcome }) => outcome !== "passed");
    return Object.fromEntries(failed.map(({ name, problems }) => [name, problems]));
}

/** The session of somebody who does `instead` before the first statement that fits. */
function meddling(
    session: Session,
    fits: RegExp,
    instead: (text: string) => string,
    read: (text: string) => void = () => undefined,
): Session {
    let done = false;
    const client = new Proxy(session.client, {
        get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== "function") return value;
            const method = value as (...args: unknown[]) => unknown;
            if (name !== "query") return method.bind(target);
            return async (text: string, ...rest: unknown[]) => {
                read(text);
                if (!done && fits.test(text)) {
                    done = true;
                    await target.query(instead(text));
                }
                return method.call(target, text, ...rest);
            };
        },
    });
    return { ...session, client };
}

/** The session of somebody who reads along. */
function watching(session: Session, read: (text: string) => void): Session {
    return meddling(session, /(?!)/, String, read);
}

/** The scratch schema in a statement of a verification. */
function scratchIn(text: string): string {
    const [schema = ""] = /observatory_verify_\w+/.exec(text) ?? [];
    return schema;
}

async function mend(target: Target): Promise<void> {
    for (const { kind, inputs } of observatoryObjects()) {
        if (kind.name !== "View") continue;
        await resource(target, kind.name, inputs as unknown as HypertableInputs).up();
    }
}

onEveryServer((target) => {
    const run = (session: Session = target.session): Promise<readonly Result[]> =>
        verify(session, { quick: true, sample: 3 });
    const schemas = (): Promise<Row[]> =>
        target.asAdmin(
            "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'observatory%'",
        );

    /** What people can see, without sequences and statistics. */
    const everything = async (): Promise<unknown> => ({
        relations: await target.asAdmin(
            `SELECT c.oid, n.nspname, c.relname, c.relacl::text, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind <> 'S' ORDER BY 1`,
        ),
        schemas: await target.asAdmin(
            "SELECT oid, nspname, nspacl::text FROM pg_namespace ORDER BY 1",
        ),
        jobs: await target.asAdmin("SELECT * FROM _timescaledb_config.bgw_job ORDER BY id"),
        pending: await target.asAdmin(
            "SELECT * FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log ORDER BY 1, 2",
        ),
        rows: await target.byHand("SELECT count(*)::int AS n, max(ts) AS newest FROM llm_traces"),
        hours: await target.byHand("SELECT * FROM llm_metrics_1hour ORDER BY 1, 2, 3, 4"),
    });

    beforeAll(async () => {
        for (const { kind, inputs } of observatoryObjects()) {
            await resource(target, kind.name, inputs as unknown as HypertableInputs).up();
        }
    }, 240_000);

    it("pass on an empty database, which says that there is nothing to compare", async () => {
        const results = await verify(target.session, {});

        expect(failures(results)).toEqual({});
        expect(results.map(({ number, name }) => [number, name])).toEqual(
            checkNames.map((name, at) => [at + 1, name]),
        );
        expect(results[7]?.summary).toMatch(
            /^no real bucket to compare: .*; \d{4} rows of the copy$/,
        );
        expect(await schemas()).toEqual([]);
    });

    describe("with data", () => {
        beforeAll(async () => {
            await target.byHand(traces.replaceAll("{table}", "llm_traces"));
            // Within what raw keeps: the rest of it would be no retention's to have dropped.
            for (const { kind, name } of observatoryObjects()) {
                if (kind.name !== "ContinuousAggregate") continue;
                await target.byHand(
                    `CALL refresh_continuous_aggregate('${name}', now() - interval '80 days', date_trunc('minute', now()))`,
                );
            }
        }, 120_000);

        it("pass, and change nothing that anybody could see", async () => {
            const before = await everything();

            const results = await run();

            expect(failures(results)).toEqual({});
            expect(results[7]?.summary).toMatch(
                /^\d+ rows in \d+ stretches of real buckets compared/,
            );
            expect(await everything()).toEqual(before);
        });

        const cases: readonly {
            readonly name: CheckName;
            readonly broken: string;
            readonly problem: RegExp;
            readonly mended: string;
        }[] = [
            {
                name: "existence",
                broken: "DROP VIEW llm_sla_monitoring",
                problem: /view public\.llm_sla_monitoring does not stand/,
                mended: "",
            },
            {
                name: "policies",
                broken: `SELECT alter_job(id, scheduled => false) FROM _timescaledb_config.bgw_job j
                    JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
                    WHERE a.user_view_name = 'llm_metrics_1hour' AND proc_name = 'policy_refresh_continuous_aggregate'`,
                problem: /llm_metrics_1hour: refreshPolicy\.paused is true and should be false/,
                mended: `SELECT alter_job(id, scheduled => true) FROM _timescaledb_config.bgw_job WHERE NOT scheduled AND id >= 1000`,
            },
            {
                name: "columns",
                broken: "ALTER MATERIALIZED VIEW llm_metrics_1day RENAME COLUMN unique_users TO users",
                problem:
                    /llm_metrics_1day: query is another than the declared one: .*unique_users is missing/,
                mended: "ALTER MATERIALIZED VIEW llm_metrics_1day RENAME COLUMN users TO unique_users",
            },
            {
                name: "queries",
                broken: "REVOKE SELECT ON llm_metrics_1min FROM observatory_reader",
                problem: /llm_metrics_1min: observatory_reader may not SELECT/,
                mended: "GRANT SELECT ON llm_metrics_1min TO observatory_reader",
            },
        ];

        it.each(cases)("$name fails alone", async ({ name, broken, problem, mended }) => {
            await target.byHand(broken);
            const results = await run();
            if (mended === "") await mend(target);
            else await target.byHand(mended);

            expect(Object.keys(failures(results))).toEqual([name]);
            expect(failures(results)[name]).toEqual([expect.stringMatching(problem)]);
        });

        it("queries fails alone where a function no longer answers", async () => {
            // The others build on it, and its declaration is only compared with its own text.
            await target.byHand("REVOKE EXECUTE ON FUNCTION llm_bins_of FROM observatory_owner");
            const results = await run();
            await target.byHand("GRANT EXECUTE ON FUNCTION llm_bins_of TO observatory_owner");

            expect(Object.keys(failures(results))).toEqual(["queries"]);
            expect(failures(results).queries?.join("\n")).toMatch(/llm_rank does not answer: /);
        });

        it("accuracy fails alone where a bucket is not what raw gives", async () => {
            const [table] = await target.asAdmin(
                `SELECT format('%I.%I', h.schema_name, h.table_name) AS name FROM _timescaledb_catalog.hypertable h
                 JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id WHERE a.user_view_name = 'llm_metrics_1day'`,
            );
            const name = String(table?.["name"]);
            // The newest day that is over is among those that are looked at.
            const change = (by: number) => `UPDATE ${name} SET request_count = request_count + ${by} WHERE bucket = (SELECT max(bucket) FROM ${name} WHERE bucket + interval '1 day' <= now())`; // prettier-ignore
            await target.asAdmin(change(1));
            const results = await verify(target.session, { quick: true, sample: "all" });
            await target.asAdmin(change(-1));

            expect(Object.keys(failures(results))).toEqual(["accuracy against raw"]);
            expect(failures(results)["accuracy against raw"]?.join("\n")).toMatch(
                /public\.llm_metrics_1day from .*: \d+ stored rows? differ/,
            );
        }, 120_000);

        it("materialization fails alone where rows came too late for every policy", async () => {
            await target.byHand(
                `INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
                 VALUES (date_trunc('day', now(), 'UTC') - interval '20 days' + interval '10 hours', 'too late', 's', 'chat', 'p', 'm', 'text', 1, 'OK')`,
            );
            const results = await run();
            await target.byHand("DELETE FROM llm_traces WHERE trace_id = 'too late'");

            expect(Object.keys(failures(results))).toEqual(["materialization"]);
            const said = failures(results).materialization?.join("\n");
            expect(said).toMatch(
                /public\.llm_metrics_1hour lacks rows of .* that no refresh will reach: its policy looks back 1 day; npm run backfill -- llm_metrics_1hour --from/,
            );
            // Nothing of it is a failure, and a row of one kind changes no other.
            expect(said).not.toContain("llm_error_summary");
        });
    });

    const meddled: readonly {
        readonly name: CheckName;
        readonly what: string;
        readonly at: RegExp;
        readonly broken: (schema: string) => string;
        readonly problem: RegExp;
    }[] = [
        {
            name: "test data",
            what: "rows that are lost on their way",
            at: /INSERT INTO "observatory_verify_/,
            broken: (schema) =>
                `CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS
                     'BEGIN IF new.trace_id LIKE ''%7'' THEN RETURN NULL; END IF; RETURN new; END';
                 CREATE TRIGGER lose BEFORE INSERT ON "${schema}".llm_traces FOR EACH ROW EXECUTE FUNCTION public.lose()`,
            problem: /rows inserted: \d+, and 4560 were expected/,
        },
        {
            name: "refresh",
            what: "a policy that no longer reaches the rows",
            at: /^CALL run_job/,
            broken: (schema) =>
                `SELECT alter_job(j.id, config => jsonb_set(j.config, '{start_offset}', '"5 minutes"'))
                 FROM _timescaledb_config.bgw_job j JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
                 WHERE a.user_view_schema = '${schema}' AND a.user_view_name = 'llm_metrics_1min' AND j.proc_name LIKE 'policy_refresh%'`,
            problem:
                /the copy of llm_metrics_1min differs from raw between .* after its refresh policy ran/,
        },
        {
            name: "speed against raw",
            what: "an aggregate with a row for every request",
            at: /CREATE MATERIALIZED VIEW .*observatory_verify_\w+"\."llm_metrics_1min"/s,
            broken: (schema) => `UPDATE "${schema}".llm_traces SET model = trace_id`,
            // Raw rows of the chunks at the edges are read as well, and how many they are, the hour of the day decides.
            problem: /reads \d+ rows and raw takes \d+: 1\.\d times fewer, and 2 is the least/,
        },
    ];

    it.each(meddled)("$name fails on $what", async ({ name, at, broken, problem }) => {
        let schema = "";
        // Every statement that names the scratch schema tells it.
        const session = watching(target.session, (text) => (schema = scratchIn(text) || schema));
        const results = await run(meddling(session, at, () => broken(schema)));

        const failed = results.filter(({ outcome }) => outcome === "failed");
        expect(failed.map((result) => result.name)).toEqual([name]);
        expect(failed[0]?.problems.join("\n")).toMatch(problem);
        expect(await schemas()).toEqual([]);
        await target.byHand("DROP FUNCTION IF EXISTS public.lose()");
    });

    describe("the scratch schema", () => {
        it("is removed when the verification is stopped", async () => {
            const stop = new AbortController();
            const stopping = verify(target.session, {
                quick: true,
                stop: stop.signal,
                report: (text) => {
                    if (text.includes("copy of llm_metrics_1hour")) stop.abort();
                },
            });

            await expect(stopping).rejects.toThrow("the verification was stopped");
            expect(await schemas()).toEqual([]);
        });

        it("of one that was killed is removed by the next, and nobody else's", async () => {
            const gone = JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1, started: 0 });
            await target.byHand("CREATE SCHEMA observatory_verify_1_gone");
            await target.byHand(
                `COMMENT ON SCHEMA observatory_verify_1_gone IS 'pulumi-timescale verify ${gone}'`,
            );
            await target.byHand(
                "CREATE TABLE observatory_verify_1_gone.t (ts timestamptz NOT NULL)",
            );
            await target.byHand("SELECT create_hypertable('observatory_verify_1_gone.t', 'ts')");
            await target.byHand("CREATE SCHEMA observatory_verify_mine");
            const said: string[] = [];

            const results = await verify(target.session, {
                quick: true,
                say: (text) => said.push(text),
            });

            expect(failures(results)).toEqual({});
            expect(said).toEqual([expect.stringMatching(/^removed observatory_verify_1_gone,/)]);
            expect(await schemas()).toEqual([{ name: "observatory_verify_mine" }]);
            await target.byHand("DROP SCHEMA observatory_verify_mine");
        });

        it("that may not be made skips what needs it, which is not passed", async () => {
            const [database] = await target.byHand("SELECT current_database() AS name");
            // As another owner's it may be used and not be created in.
            await target.asAdmin(
                `ALTER DATABASE "${String(database?.["name"])}" OWNER TO postgres`,
            );
            const [may] = await target.byHand("SELECT has_database_privilege(current_database(), 'CREATE') AS may"); // prettier-ignore
            const results = await run();
            await target.asAdmin(`ALTER DATABASE "${String(database?.["name"])}" OWNER TO observatory_owner`); // prettier-ignore

            // On the embedded server everybody is granted it by name.
            if (may?.["may"] === true) {
                expect(target.server.kind).toBe("embedded");
                return;
            }
            const skipped = results.filter(({ outcome }) => outcome === "skipped");
            expect(skipped.map(({ name }) => name)).toEqual([
                "test data",
                "refresh",
                "speed against raw",
            ]);
            expect(skipped[0]?.problems[0]).toMatch(
                /may not create a schema: GRANT CREATE ON DATABASE/,
            );
            expect(failures(results)).not.toHaveProperty("existence");
        });
    });
});
