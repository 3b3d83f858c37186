/** A changed query with `onQueryChange: "keepHistory"`: the new version takes the old one's place, with its history. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openBackup } from "../../components/timescale/core/backup/folder";
import { restore } from "../../components/timescale/core/backup/restore";
import { displayName, quoteQualified } from "../../components/timescale/core/identifier";
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable } from "./declared"; // prettier-ignore
import { everyNames, hourly, quoted, rawTable } from "./names";
import { onEveryServer, type Row } from "./onEveryServer";

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
        const object = displayName({ schema: names.schema, name: names.aggregate });
        /** One column more, and one thing less. */
        const changed = (inputs: AggregateInputs): AggregateInputs => ({
            ...inputs,
            query: inputs.query.replace(
                `count(*) FILTER (WHERE ${it_.value} IN (1, 2)) AS quick`,
                `max(${it_.value}) AS slowest`,
            ),
            onQueryChange: "keepHistory",
        });
        const rows = (columns: string, where = "true"): Promise<Row[]> =>
            target.byHand(
                `SELECT bucket, ${columns} FROM ${it_.aggregate} WHERE ${where} ORDER BY bucket, ${it_.model}`,
            );
        const versions = (): Promise<Row[]> =>
            target.byHand(
                `SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_schema = ${literal(names.schema)} ORDER BY 1`,
            );
        let standing: Declared<AggregateInputs>;

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            const { retentionPolicy: _r, compressionPolicy: _c, ...unlimited } = rawTable(names);
            await hypertable(target, unlimited).up();
        }, 60_000);

        beforeEach(async () => {
            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.model}, ${it_.value})
                 SELECT t, id, id, extract(hour FROM t)::int
                 FROM generate_series(date_bin('1 hour', now(), '2000-01-01') - interval '12 days', now(), interval '20 minutes') t,
                     (VALUES ('x'), ('y')) ids (id)`,
            );
            standing = aggregate(target, hourly(names));
            await standing.up();
            await target.byHand(
                `SELECT drop_chunks(${literal(it_.table)}, older_than => interval '6 days')`,
            );
        });

        afterEach(async () => {
            for (const { view_name: view } of (await versions()).reverse()) {
                await target.byHand(
                    `DROP MATERIALIZED VIEW ${it_.schema}."${String(view).replaceAll('"', '""')}"`,
                );
            }
            await target.byHand(`DELETE FROM ${it_.table}`);
        });

        it("copies what raw data lost, computes the rest, and leaves nothing to change", async () => {
            const before = await rows(`${it_.model}, requests, total`);
            const desired = changed(standing.inputs);

            const preview = await standing.preview(desired);
            await standing.up(desired);

            expect(preview).toEqual([
                "query: changed",
                expect.stringMatching(/^build it beside, as .*_building.*; \d+ rows of history are copied: /), // prettier-ignore
                "history.slowest: none → NULL in the copied history",
                expect.stringMatching(/^what stands now stays as .*_replaced_\d{8}_\d+/),
            ]);
            await expectNoChange(standing, desired);
            expect(await rows(`${it_.model}, requests, total`)).toEqual(before);
            const slowest = await rows("slowest", "slowest IS NOT NULL");
            expect(slowest.length).toBeGreaterThan(200);
            expect(slowest.length).toBeLessThan(before.length);
        });

        it("brings the old version back, without building anything", async () => {
            const before = await rows(`${it_.model}, requests, total, quick`);
            const former = standing.inputs;
            await standing.up(changed(former));

            const preview = await standing.preview(former);
            await standing.up(former);

            expect(preview).toEqual([
                "query: changed",
                expect.stringMatching(/_replaced_.* has this query: it takes its place again$/),
                expect.stringMatching(/^what stands now stays as /),
            ]);
            await expectNoChange(standing, former);
            expect(await rows(`${it_.model}, requests, total, quick`)).toEqual(before);
            expect(await versions()).toHaveLength(2);
        });

        it("drops replaced versions when that is said", async () => {
            await standing.up(changed(standing.inputs));
            const desired = {
                ...changed(standing.inputs),
                history: { replacedVersions: "drop" as const },
            };

            expect(await standing.preview(desired)).toEqual([
                expect.stringMatching(/^history.replacedVersions: .*_replaced_.* → removed$/),
            ]);
            await standing.up(desired);

            await expectNoChange(standing, desired);
            expect(await versions()).toEqual([{ view_name: names.aggregate }]);
        });

        it("backs up what a replaced version holds before that is dropped, and gives it back", async () => {
            const folder = mkdtempSync(join(tmpdir(), "observatory-versions-"));
            const old = await rows(`${it_.model}, requests, total`);
            await standing.up(changed(standing.inputs));
            const history = { replacedVersions: "drop" as const };

            await standing.up({ ...changed(standing.inputs), history, backup: folder });

            const [name = ""] = readdirSync(folder);
            const backup = join(folder, name);
            const { manifest } = await openBackup(backup);
            expect(manifest).toMatchObject({
                ...{ reason: "drop_version", kind: "continuous aggregate", rows: old.length },
                object: {
                    schema: names.schema,
                    name: expect.stringMatching(/_replaced_/) as string,
                },
            });
            const into = { schema: names.schema, name: "former" };
            await restore(target.session, { folder: backup, into, dryRun: false, onStatus: () => undefined }); // prettier-ignore
            const former = quoteQualified(into);
            expect(await target.byHand(`SELECT count(*)::int AS n FROM ${former}`)).toEqual([
                { n: old.length },
            ]);
            await target.byHand(`DROP TABLE ${former}`);
            rmSync(folder, { recursive: true });
        });

        it("backs up replaced versions that go with the aggregate, and drops them first", async () => {
            const folder = mkdtempSync(join(tmpdir(), "observatory-versions-"));
            const inputs = { ...changed(standing.inputs), backup: folder, acceptLoss: { upToRows: 10_000 } }; // prettier-ignore
            await standing.up(inputs);

            const gone = await standing.remove();

            const manifests = await Promise.all(
                readdirSync(folder).map(async (name) => (await openBackup(join(folder, name))).manifest), // prettier-ignore
            );
            expect(manifests).toHaveLength(2);
            expect(manifests.map(({ object }) => object.name)).toEqual(
                expect.arrayContaining([names.aggregate, expect.stringMatching(/_replaced_/)]),
            );
            expect(gone?.split("\n")).toEqual([
                expect.stringMatching(/^dropped continuous aggregate .*; backup in /),
                expect.stringMatching(/^dropped .*_replaced_.*, which it had replaced: .*; backup in /), // prettier-ignore
            ]);
            expect(await versions()).toEqual([]);
            rmSync(folder, { recursive: true });
        });

        it("guards the copied history: a refresh that reaches below raw data fails as a whole", async () => {
            await standing.up(changed(standing.inputs));
            const before = await rows(`${it_.model}, requests, total`);
            await target.byHand(
                `SELECT drop_chunks(${literal(it_.table)}, older_than => interval '4 days')`,
            );

            await expect(
                target.byHand(
                    `CALL refresh_continuous_aggregate(${literal(it_.aggregate)}, NULL, NULL)`,
                ),
            ).rejects.toMatchObject({
                message: expect.stringMatching(/^bucket .* can not be computed again$/) as string,
            });

            expect(await rows(`${it_.model}, requests, total`)).toEqual(before);
        });

        it("lets views that read it read the new version, with their grants and options", async () => {
            await target.byHand(
                `CREATE VIEW ${it_.schema}.reads WITH (security_barrier) AS
                 SELECT bucket, sum(requests) AS requests FROM ${it_.aggregate} GROUP BY bucket`,
            );
            await target.byHand(`GRANT SELECT ON ${it_.schema}.reads TO observatory_reader`);
            try {
                const desired = changed(standing.inputs);
                await standing.up(desired);

                await expectNoChange(standing, desired);
                const [read] = await target.byHand(
                    `SELECT c.reloptions, has_table_privilege('observatory_reader', c.oid, 'SELECT') AS granted,
                        EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                            WHERE r.ev_class = c.oid AND d.refobjid = ${literal(it_.aggregate)}::regclass) AS new
                     FROM pg_class c WHERE c.oid = ${literal(`${it_.schema}.reads`)}::regclass`,
                );
                expect(read).toEqual({
                    reloptions: ["security_barrier=true"],
                    granted: true,
                    new: true,
                });
            } finally {
                await target.byHand(`DROP VIEW ${it_.schema}.reads`);
            }
        });

        it("is refused before it begins where a view reads a column that vanishes", async () => {
            await target.byHand(
                `CREATE VIEW ${it_.schema}.reads AS SELECT bucket, quick FROM ${it_.aggregate}`,
            );
            try {
                await expect(standing.up(changed(standing.inputs))).rejects.toMatchObject({
                    code: "dependant_not_repointed",
                    message: `the query of continuous aggregate ${object} has changed, and its history cannot be kept`,
                    detail: expect.stringContaining(
                        `view ${displayName({ schema: names.schema, name: "reads" })} reads ${object} and cannot read its new version`,
                    ) as string,
                });
                expect(await versions()).toHaveLength(1);
                await expectNoChange(standing);
            } finally {
                await target.byHand(`DROP VIEW ${it_.schema}.reads`);
            }
        });
    });
});
