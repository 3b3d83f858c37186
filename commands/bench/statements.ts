/** What planning one unchanged aggregate sends, and how long each statement takes to be answered. */
import { planLive } from "../../components/timescale/core/aggregate/live";
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import type { ConvergedObject } from "../../components/timescale/core/plan/convergeObject";
import { inputsOf, memoryOf } from "./manyAggregates";

/** Milliseconds by statement, one a plan, in the order in which they are sent. */
export type Timings = ReadonlyMap<string, readonly number[]>;

/** Plans these aggregates, each on a connection of its own, or all on one that has planned before. */
export async function timeStatements(
    connection: Connection,
    aggregates: ReadonlyMap<number, ConvergedObject>,
    connections: "new" | "kept",
): Promise<Timings> {
    const timings = new Map<string, number[]>();
    const add = (what: string, time: number): void => {
        timings.set(what, [...(timings.get(what) ?? []), time]);
    };
    const plan = (session: Session, [number, made]: [number, ConvergedObject]): Promise<unknown> =>
        planLive(
            { ...session, client: timing(session.client, add) },
            desiredAggregate(inputsOf(number)),
            memoryOf(made),
        );
    if (connections === "kept") {
        await withSession(connection, async (session) => {
            const [first] = aggregates;
            if (first !== undefined) await plan(session, first);
            timings.clear();
            for (const one of aggregates) await plan(session, one);
        });
        return timings;
    }
    for (const one of aggregates) {
        const start = performance.now();
        await withSession(connection, async (session) => {
            add("open the connection", performance.now() - start);
            await plan(session, one);
        });
    }
    return timings;
}

/** The same client, whose statements are timed. */
function timing(
    client: Session["client"],
    add: (what: string, time: number) => void,
): Session["client"] {
    const query = async (text: string, values?: unknown[]): Promise<unknown> => {
        const start = performance.now();
        const answer = await client.query(text, values);
        add(text.split(/[\n;]/)[0]?.slice(0, 60) ?? "", performance.now() - start);
        return answer;
    };
    return Object.create(client, { query: { value: query } }) as Session["client"];
}
