/**
 * Changes that are cut off after each of their statements, as a kill -9 does it: the next `up` goes
 * on, no history is lost, and whoever reads the aggregate finds it at any moment.
 */
import { withSession } from "../../components/timescale/core/connection/session";
import { breakingAfter } from "./breaking";
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable } from "./declared"; // prettier-ignore
import { hourly, plainNames, quoted, rawTable } from "./names";
import { onServersWithSessions, type Row } from "./onEveryServer";

const names = plainNames;
const it_ = quoted(names);

interface Change {
    readonly name: string;
    /** What was done before, as an `up` each. */
    readonly before?: readonly ((inputs: AggregateInputs) => AggregateInputs)[];
    readonly change: (inputs: AggregateInputs) => AggregateInputs;
    /** Under which the aggregate is found from then on. @default - the same name */
    readonly renamed?: string;
    /** Rows that raw data lost are given up. */
    readonly loses?: boolean;
}

const slowest = (inputs: AggregateInputs): AggregateInputs => ({
    ...inputs,
    query: inputs.query.replace(/count\(\*\) FILTER \(.*?\)\) AS quick/, `max(${it_.value}) AS slowest`),
}); // prettier-ignore
const keepHistory = (inputs: AggregateInputs): AggregateInputs => ({
    ...slowest(inputs),
    onQueryChange: "keepHistory",
});

const changes: readonly Change[] = [
    {
        name: "policies, comment, grants and indexes",
        change: (inputs) => ({
            ...inputs,
            comment: "another one",
            refreshPolicy: { startOffset: "2 days", endOffset: "2 hours", scheduleInterval: "1 hour" }, // prettier-ignore
            retentionPolicy: { dropAfter: "300 days" },
            compressionPolicy: { compressAfter: "9 days", segmentBy: [] },
            indexes: [{ name: "requests_by_bucket_and_total", columns: ["bucket", "total"] }],
            grants: [{ role: "observatory_writer", privileges: ["SELECT"] }],
        }),
    },
    {
        name: "its name",
        change: (inputs) => ({ ...inputs, name: "requests_by_the_hour" }),
        renamed: "requests_by_the_hour",
    },
    {
        name: 'its query, with onQueryChange: "rebuild"',
        change: (inputs) => ({
            ...slowest(inputs),
            onQueryChange: "rebuild",
            acceptLoss: { upToRows: 1_000 },
        }),
        loses: true,
    },
    { name: 'its query, with onQueryChange: "keepHistory"', change: keepHistory },
    { name: "its query, back to what it was", before: [keepHistory], change: (inputs) => inputs },
    {
        name: "versions that were replaced, which go",
        before: [keepHistory],
        change: (inputs) => ({ ...keepHistory(inputs), history: { replacedVersions: "drop" } }),
    },
];

onServersWithSessions("changes that are cut off", (target) => {
    const contents = (name: string): Promise<Row[]> =>
        target.byHand(
            `SELECT bucket, ${it_.model}, requests, total FROM ${it_.schema}.${name} ORDER BY 1, 2`,
        );

    const clear = async (): Promise<void> => {
        const views = await target.byHand(
            "SELECT view_name FROM timescaledb_information.continuous_aggregates ORDER BY 1 DESC",
        );
        for (const { view_name: view } of views) {
            await target.byHand(`DROP MATERIALIZED VIEW ${String(view)}`);
        }
        await target.byHand(`DELETE FROM ${it_.table}`);
    };

    const begin = async ({ before = [] }: Change): Promise<Declared<AggregateInputs>> => {
        await clear();
        await target.byHand(
            `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.model}, ${it_.value})
             SELECT t, id, id, extract(hour FROM t)::int
             FROM generate_series(date_bin('1 hour', now(), '2000-01-01') - interval '8 days', now(), interval '30 minutes') t,
                 (VALUES ('x'), ('y')) ids (id)`,
        );
        const standing = aggregate(target, hourly(names));
        await standing.up();
        await target.byHand(`SELECT drop_chunks('${it_.table}', older_than => interval '4 days')`);
        for (const inputs of before) await standing.up(inputs(standing.inputs));
        return standing;
    };

    beforeAll(async () => {
        const { retentionPolicy: _r, compressionPolicy: _c, ...unlimited } = rawTable(names);
        await hypertable(target, unlimited).up();
    }, 60_000);

    it.each(changes.map((change) => [change.name, change] as const))(
        "of %s are finished by the next up",
        async (_, change) => {
            const renamed = change.renamed ?? names.aggregate;
            let statements = Number.POSITIVE_INFINITY;
            for (let count = 1; count <= statements; count += 1) {
                const standing = await begin(change);
                const before = await contents(names.aggregate);
                const desired = change.change(standing.inputs);

                const error = await withSession(target.database.owner, async (session) => {
                    const breaking = breakingAfter(session, count);
                    const broken = aggregate(target, desired, breaking.session);
                    broken.outputs = standing.outputs;
                    const thrown = await broken.up().then(
                        () => undefined,
                        (reason: unknown) => reason,
                    );
                    if (thrown === undefined) statements = breaking.ran();
                    return thrown;
                });

                const [{ stands } = { stands: null }] = await target.byHand(
                    `SELECT coalesce(to_regclass('${it_.aggregate}'), to_regclass('${it_.schema}.${renamed}'))::text AS stands`,
                );
                const meanwhile = await contents(String(stands));
                if (error !== undefined && change.loses !== true) {
                    expect({ count, meanwhile }).toEqual({ count, meanwhile: before });
                }
                await standing.up(desired);
                await expectNoChange(standing, desired);
                const after = await contents(renamed);
                if (change.loses === true) expect(after.length).toBeGreaterThan(150);
                else expect({ count, after }).toEqual({ count, after: before });
            }
            expect(statements).toBeLessThan(400);
        },
        600_000,
    );
});
