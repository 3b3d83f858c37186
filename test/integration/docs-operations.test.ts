/**
 * The pages for operators, on the Observatory with data: every block of SQL is run in the role that it names,
 * every command that can be run here is run, and every message of TimescaleDB is caused.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { observatoryObjects } from "../../commands/verify/objects";
import { aggregates } from "../../components/observatory/aggregates";
import { hypertables } from "../../components/observatory/hypertables";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import {
    type Block,
    blocks,
    codeIn,
    commandsOf,
    page,
    statementsOf,
    tableBelow,
} from "../helpers/documents";
import { recordEnvironment } from "../helpers/environment";
import { findServerBinaries } from "../helpers/serverBinaries";
import { type HypertableInputs, resource } from "./declared";
import { onEveryServer, type Row, type Target } from "./onEveryServer";
import { causes, notCaused } from "./serverMessages";

const root = path.resolve(__dirname, "../..");
const original = "docs/operations/original.md";
const traces = readFileSync(path.join(root, "sql/verify/traces.sql"), "utf8").replaceAll(
    "{now}",
    "now()",
);

const labelled = (chosen: readonly Block[]): [string, Block][] =>
    chosen.map((block) => [`${block.where} ${block.info}`, block]);
const sql = labelled(blocks.filter(({ language }) => language === "sql"));
const shell = (info: string): [string, Block][] =>
    labelled(blocks.filter((block) => block.language === "sh" && block.info === info));

/** Statements that find nothing where all is well, no job has run yet, or there is no list of sessions. */
const mayFindNothing = [
    /AND NOT scheduled$/,
    /last_run_duration/,
    /FROM pg_stat_activity/,
    /^SET /,
];

async function deploy(target: Target): Promise<void> {
    for (const { kind, inputs } of observatoryObjects()) {
        await resource(target, kind.name, inputs as unknown as HypertableInputs).up();
    }
    await target.byHand(traces.replaceAll("{table}", "llm_traces"));
    for (const { name } of aggregates) {
        await target.byHand(
            `CALL refresh_continuous_aggregate('${name}', now() - interval '80 days', date_trunc('minute', now()))`,
        );
    }
}

async function inRole(target: Target, info: string, text: string): Promise<Row[]> {
    const role = /^(reader|writer|owner|admin)\b/.exec(info)?.[1] as
        "reader" | "writer" | "owner" | "admin";
    return withClient(target.database[role], async (client) => {
        await client.query("SET TimeZone TO 'UTC'");
        return (await client.query<Row>(text)).rows;
    });
}

/** Runs a command of the pages against the test's database, and what it wrote. */
function run(line: string, login: Connection, folder = root): string {
    const program = line
        .replaceAll("db.example.com", login.host)
        .replaceAll("observatory_owner", login.user)
        .replace(/\bllm_observatory\b/g, login.database)
        .replaceAll("llm_observatory_restored", `${login.database}_restored`);
    const { status, stdout, stderr } = spawnSync(program, {
        cwd: folder,
        shell: true,
        encoding: "utf8",
        timeout: 120_000,
        env: {
            ...process.env,
            PATH: [findServerBinaries()[0]?.directory, process.env["PATH"]].join(":"),
            PGHOST: login.host,
            PGPORT: String(login.port),
            PGUSER: login.user,
            PGPASSWORD: login.password,
            PGSSLMODE: "disable",
            NO_COLOR: "1",
        },
    });
    // Doctor says that the scheduler is stopped, as it is here.
    const expected = line.startsWith("npm run doctor") ? [0, 2] : [0];
    if (status === null || !expected.includes(status))
        throw new Error(`${program} ended with ${status}:\n${stdout}\n${stderr}`);
    return stdout;
}

onEveryServer((target) => {
    beforeAll(() => deploy(target), 240_000);

    describe("SQL", () => {
        it.each(sql)("%s", async (_, block) => {
            if (block.info.endsWith("job_errors")) await failure(target);
            for (const statement of statementsOf(block)) {
                const rows = await inRole(target, block.info, statement);
                if (mayFindNothing.some((one) => one.test(statement))) continue;
                expect(rows.length).toBeGreaterThan(0);
                if (block.info.endsWith("job_errors")) {
                    expect(rows[0]).toMatchObject({ sqlerrcode: "22003", err_message: "integer out of range" }); // prettier-ignore
                }
            }
        });
    });

    describe("commands", () => {
        it.each(shell("test"))(
            "%s",
            (_, block) => {
                for (const { line } of commandsOf(block)) {
                    expect(run(line, target.database.owner)).not.toBe("");
                }
            },
            300_000,
        );
    });

    const dumps = shell("server");
    if (target.server.kind === "embedded") {
        recordEnvironment(
            `not run on ${target.server.name}: dump, restore and update by PostgreSQL's own programs: it has one database and one session`,
        );
    } else {
        describe("commands of PostgreSQL", () => {
            let folder = "";
            beforeAll(() => {
                folder = mkdtempSync(path.join(tmpdir(), "docs-operations-"));
            });
            afterAll(async () => {
                rmSync(folder, { recursive: true, force: true });
                await target.asAdmin(
                    `DROP DATABASE IF EXISTS ${target.database.owner.database}_restored WITH (FORCE)`,
                );
            });

            it.each(dumps)(
                "%s",
                async (_, block) => {
                    for (const { line } of commandsOf(block)) run(line, target.database.admin, folder); // prettier-ignore
                    if (block.text.includes("pg_restore")) await expectRestored(target);
                },
                300_000,
            );
        });
    }

    describe("columns of the original", () => {
        const columns = async (): Promise<Map<string, Set<unknown>>> => {
            const rows = await target.asAdmin(
                "SELECT table_name AS object, column_name AS name FROM information_schema.columns WHERE table_schema = 'public'",
            );
            const found = new Map<string, Set<unknown>>();
            for (const { object, name } of rows) {
                const key = String(object);
                found.set(key, (found.get(key) ?? new Set()).add(name));
            }
            return found;
        };

        it.each(listed())("%s", async (name, kept, added) => {
            const declared = (await columns()).get(name);
            expect(new Set(kept)).toEqual(new Set(fixtureColumns(name)));
            expect(new Set([...kept, ...added])).toEqual(declared);
        });

        it("lists all four aggregates", () => {
            expect(listed().map(([name]) => name)).toEqual(
                observatoryObjects()
                    .filter(({ name }) => /^llm_(metrics_1|error_)/.test(name))
                    .map(({ name }) => name),
            );
        });

        it.each([
            ...tableBelow(original, "Columns"),
            ...tableBelow(original, "The view that was removed"),
        ])("%s: %s is now there", async (where, _, here) => {
            const [object = ""] = codeIn(where);
            const known = await columns();
            expect(codeIn(here).length).toBeGreaterThan(0);
            for (const code of codeIn(here)) {
                const [, of = object, name = ""] = /^(?:(\w+)\.)?(\w+)$/.exec(code) ?? [];
                if (name === "") {
                    await inRole(target, "reader", `SELECT ${code} FROM ${object}`);
                } else if (!known.get(of)?.has(name)) {
                    const [row] = await target.asAdmin(`SELECT count(*)::int AS n FROM pg_proc WHERE proname = '${name}'`); // prettier-ignore
                    expect([code, row]).toEqual([code, { n: 1 }]);
                }
            }
        });
    });

    it("counts the jobs that capacity counts", async () => {
        const of = (name: string): string => `count(*) FILTER (WHERE proc_name = '${name}')::int`;
        const [row] = await target.asAdmin(
            `SELECT count(*)::int AS jobs, ${of("policy_refresh_continuous_aggregate")} AS refresh,
                ${of("policy_retention")} AS retention, ${of("policy_compression")} AS compression
             FROM timescaledb_information.jobs WHERE job_id >= 1000`,
        );
        const [, ...said] =
            /(\d+) jobs: (\d+) refresh, (\d+) retention, (\d+) compression/.exec(
                page("docs/operations/capacity.md"),
            ) ?? [];
        const [jobs, refresh, retention, compression] = said.map(Number);
        expect(row).toEqual({ jobs, refresh, retention, compression });
        expect(retention).toBe(aggregates.length + hypertables.length);
    });

    describe("messages of TimescaleDB", () => {
        const messages = tableBelow("docs/operations/troubleshooting.md", "What TimescaleDB says");
        const sessions = target.server.kind !== "embedded";

        it("are caused, or say why they are not", () => {
            const named = messages.map(([message]) => codeIn(message)[0]);
            expect(named).toEqual(
                [...Object.keys(causes), ...Object.keys(notCaused)].sort(by(named)),
            );
        });

        it.each(
            messages.flatMap(([message, state]) => {
                const text = codeIn(message)[0] ?? "";
                const cause = causes[text];
                return cause === undefined || (cause.sessions === true && !sessions)
                    ? []
                    : [[text, state ?? "", cause] as const];
            }),
        )(
            "%s (%s)",
            async (message, state, { given = [], role = "owner", text, newer, undo = [] }) => {
                for (const one of given) await target.byHand(one);
                const attempt = withClient(target.database[role], async (client) => {
                    const statements = typeof text === "string" ? [text] : text;
                    try {
                        for (const one of statements) await client.query(one);
                    } finally {
                        // The embedded server's sessions are one: what was set is set for all, and RESET ALL gives the build's own path.
                        await client.query("ROLLBACK");
                        await client.query("RESET ALL");
                        await client.query(`SET search_path = "$user", public`);
                    }
                }).then(
                    () => ({ message: "nothing", code: "" }),
                    (error: unknown) =>
                        error as { readonly message: string; readonly code: string },
                );
                const failed = await attempt;
                for (const one of undo) await target.byHand(one);

                if (newer !== undefined && !target.server.version.startsWith("2.14.")) {
                    expect(failed.message).toMatch(newer);
                    return;
                }
                expect(failed.message).toContain(message);
                expect(failed.code).toBe(state);
            },
            60_000,
        );
    });
});

/** The copy has what the original has, works, and is another database to this program. */
async function expectRestored(target: Target): Promise<void> {
    const { admin } = target.database;
    const seen = `SELECT (SELECT count(*) FROM llm_traces) AS raw, (SELECT sum(request_count) FROM llm_metrics_1hour) AS hours,
        (SELECT count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000) AS jobs`;
    const uuid = "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'";
    await withClient({ ...admin, database: `${admin.database}_restored` }, async (client) => {
        expect((await client.query<Row>(seen)).rows).toEqual(await target.asAdmin(seen));
        expect((await client.query<Row>(uuid)).rows).not.toEqual(await target.asAdmin(uuid));
        await client.query(
            "CALL refresh_continuous_aggregate('llm_metrics_1hour', now() - interval '1 day', now())",
        );
    });
}

if (shell("docker").length > 0) {
    recordEnvironment("not run: docker blocks of docs/operations, which name a container of one's own; their options are checked by the unit suite"); // prettier-ignore
}

function by(order: readonly (string | undefined)[]): (one: string, other: string) => number {
    return (one, other) => order.indexOf(one) - order.indexOf(other);
}

/** A failure of a job as TimescaleDB's scheduler records it. */
async function failure(target: Target): Promise<void> {
    const job = "(SELECT min(job_id) FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate')"; // prettier-ignore
    const data = `'{"sqlerrcode": "22003", "message": "integer out of range"}'::jsonb`;
    await target.asAdmin(
        target.server.version.startsWith("2.14.")
            ? `INSERT INTO _timescaledb_internal.job_errors (job_id, pid, start_time, finish_time, error_data) VALUES (${job}, 1, now(), now(), ${data})`
            : `INSERT INTO _timescaledb_internal.bgw_job_stat_history (job_id, pid, execution_start, execution_finish, succeeded, data)
               VALUES (${job}, 1, now(), now(), false, jsonb_build_object('error_data', ${data}))`,
    );
}

/** Each aggregate in the list of columns: its name, what the original had, what was added. */
function listed(): readonly (readonly [string, readonly string[], readonly string[]])[] {
    const list = page(original).split("Every column of the original is here:")[1]?.split("Columns that it took")[0] ?? ""; // prettier-ignore
    return list
        .split(/\n- /)
        .slice(1)
        .map((item) => {
            const [kept = "", added = ""] = item.split("Added:");
            const [name = "", ...columns] = codeIn(kept);
            return [name, columns, codeIn(added)] as const;
        });
}

/** Columns of an aggregate in the original's own SQL. */
function fixtureColumns(aggregate: string): readonly string[] {
    const text = readFileSync(path.join(root, "test/fixtures/original-deployment.sql"), "utf8");
    const [, list = ""] = new RegExp(`VIEW ${aggregate} WITH [^;]*?SELECT([^;]*?)\\nFROM`).exec(text) ?? []; // prettier-ignore
    let depth = 0;
    const parts: string[] = [];
    let part = "";
    for (const letter of `${list},`) {
        if (letter === "(") depth += 1;
        if (letter === ")") depth -= 1;
        if (letter === "," && depth === 0) {
            parts.push(part);
            part = "";
        } else {
            part += letter;
        }
    }
    return parts.map((one) => /(\w+)\s*$/.exec(one)?.[1] ?? "");
}
