/** Reads the data of a report: one snapshot, read only, of the aggregates and helpers alone. */
import { serverError } from "../../components/timescale/core/connection/serverErrors";
import {
    inTransaction,
    type Queryable,
    type Session,
} from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import { readSql } from "../../components/timescale/core/sqlFile";
import type { Freshness, ReportData } from "./data";
import { readFreshness } from "./newest";
import type { AskedWindow } from "./options";
import { keptFor, readPolicies } from "./policies";
import {
    type BandRow,
    bandsOf,
    costOf,
    countsOf,
    fractions,
    type ModelPercentileRow,
    modelsOf,
    percentilesOf,
    type SlaBucketRow,
    slaRowsOf,
    stepsOf,
    trafficOf,
    type TrafficRow,
} from "./shape";
import { chooseWindow, cutsOf, type Level, levelAggregates } from "./window";

/**
 * @param schema where the aggregates stand; undefined: where they are found
 * @param onStatus told what is being read
 * @throws TimescaleError when no observatory stands there, or the login may not read it
 */
export async function readReport(
    session: Session,
    asked: AskedWindow,
    schema: string | undefined,
    onStatus: (text: string) => void = () => undefined,
): Promise<ReportData> {
    const home = schema ?? (await findHome(session));
    return inTransaction(
        session,
        { readOnly: true, oneSnapshot: true, searchPath: [home] },
        (client) =>
            read(client, asked, home, session.connection.database, onStatus).catch(
                (error: unknown) => {
                    throw serverError(error, { statement: "report", object: home });
                },
            ),
    );
}

async function findHome({ client, connection }: Session): Promise<string> {
    const { rows } = await client.query<{ readonly schema: string }>(readSql("report/home.sql"));
    const [first] = rows;
    if (first !== undefined && rows.length === 1) return first.schema;
    if (first === undefined) {
        throw new TimescaleError(`${connection.database} has no observatory to report on`, {
            code: "no_observatory",
            detail: `no schema that ${connection.user} may use has an llm_metrics_1hour that it may read`,
            hint: "check --db-name and --db-user, or run npm start first; the role observatory_reader may read it",
        });
    }
    throw new TimescaleError(`${connection.database} has several observatories`, {
        code: "several_observatories",
        detail: `llm_metrics_1hour stands in ${rows.map((row) => row.schema).join(", ")}`,
        hint: "say which one is meant with --schema",
    });
}

async function read(
    client: Queryable,
    asked: AskedWindow,
    schema: string,
    database: string,
    onStatus: (text: string) => void,
): Promise<ReportData> {
    const all = async <Row extends object>(file: string, values: unknown[] = []): Promise<Row[]> =>
        (await client.query<Row>(readSql(file), values)).rows;

    const [standing] = await all<{ now: Date; sla: boolean }>("report/helpers.sql");
    const now = standing?.now ?? new Date();
    onStatus("reading how far the aggregates reach");
    const policies = await readPolicies(client, schema);
    const freshness = await readFreshness(client, now, policies);
    const window = chooseWindow(asked, now.getTime(), (level) => keptFor(policies.get(levelAggregates[level]))); // prettier-ignore
    const ends = {
        minute: endOf(freshness, "minute"),
        hour: endOf(freshness, "hour"),
        day: endOf(freshness, "day"),
    };
    const cuts = cutsOf(window, ends);
    const { from, step } = window;
    const to = cuts.minutes;
    const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

    onStatus("reading requests, errors and cost");
    const rows = await all<TrafficRow>("report/traffic.sql", [
        ...[from, cuts.days, cuts.hours, to].map(time),
        step / 1000,
    ]);
    onStatus("computing percentiles");
    const bounds = [time(from), time(to)];
    const overall = await all<ModelPercentileRow>("report/percentiles.sql", [
        ...bounds,
        fractions,
        [],
    ]);
    const byModel = await all<ModelPercentileRow>("report/percentiles.sql", [...bounds, fractions, ["provider", "model"]]); // prettier-ignore
    const bands = await all<BandRow>("report/bands.sql", [...bounds, step / 1000, fractions]);
    onStatus("reading targets");
    const sla = standing?.sla === true ? await all<SlaBucketRow>("report/sla.sql") : [];

    const models = modelsOf(rows, byModel);
    return {
        at: now.toISOString(),
        database,
        schema,
        window: {
            from: time(from),
            to: time(to),
            stepSeconds: step / 1000,
            level: levelAggregates[window.level],
        },
        totals: { ...countsOf(rows), ...percentilesOf(overall) },
        bands: bandsOf(bands),
        traffic: trafficOf(rows, { from, to, step }),
        models,
        cost: costOf(rows, models, stepsOf(from, to, step)),
        sla: { stands: standing?.sla === true, rows: slaRowsOf(sla) },
        freshness,
    };
}

function endOf(freshness: readonly Freshness[], level: Level): number | undefined {
    const end = freshness.find(({ aggregate }) => aggregate === levelAggregates[level])?.completeTo;
    return end === null || end === undefined ? undefined : Date.parse(end);
}
