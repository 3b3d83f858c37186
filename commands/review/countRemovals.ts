/**
 * Asks the database what each object holds that a preview deletes or replaces, by the code with which `up`
 * looks before it drops: read-only, three objects at a time, none of them for long.
 */
import { TimescaleError } from "../../components/timescale/core/errors";
import { displayName } from "../../components/timescale/core/identifier";
import type { Leaving } from "../../components/timescale/core/removal/leaving";
import { readByOthers } from "../../components/timescale/core/removal/removal";
import { continuousAggregateKind } from "../../components/timescale/provider/continuousAggregateKind";
import { hypertableKind } from "../../components/timescale/provider/hypertableKind";
import { withPooledSession } from "../../components/timescale/provider/pool";
import type { Preview } from "../../components/timescale/provider/preview";
import {
    connectionOf,
    nameOf,
    type Properties,
    type ResourceKind,
} from "../../components/timescale/provider/resourceKind";
import { actionOf, timescaleKind } from "./elsewhere";
import { nameIn } from "./objects";
import { losesRows, type Removal } from "./removal";
import { secretsIn } from "./secrets";
import { type RecordedResource, recordedResources } from "./state";

export interface Removals {
    readonly byUrn: ReadonlyMap<string, Removal>;
    /** Of the logins that were used. */
    readonly secrets: ReadonlySet<string>;
}

export interface Limits {
    /** For one statement, in milliseconds. */
    readonly statement: number;
    /** For one object. */
    readonly object: number;
    /** From when on no other object is looked at. */
    readonly all: number;
}

const limits: Limits = { statement: 5000, object: 20_000, all: 60_000 };

/** How many objects are looked at together. */
const parallel = 3;

/**
 * @param exported reads the state, with secrets in clear text, as `pulumi stack export` writes it; called only
 *     where something with rows goes
 */
export async function countRemovals(
    preview: Preview,
    exported: () => Promise<string>,
    { statement, object, all }: Limits = limits,
): Promise<Removals> {
    const byUrn = new Map<string, Removal>();
    const secrets = new Set<string>();
    const urns = [...preview.steps].flatMap(([urn, steps]) => {
        const kind = timescaleKind(steps[0]?.type ?? "");
        return kind !== undefined && losesRows(kind, steps) ? [urn] : [];
    });
    if (urns.length === 0) return { byUrn, secrets };
    const resources = await read(exported);
    if (typeof resources === "string") {
        for (const urn of urns) byUrn.set(urn, { notCounted: resources });
        return { byUrn, secrets };
    }
    for (const urn of urns) secretsIn(resources.get(urn)?.outputs["connection"], secrets);
    const touched = touchedBy(preview, resources);
    const deadline = Date.now() + all;
    const late = Promise.resolve<Removal>({
        notCounted: `counting took longer than ${all / 1000} s`,
    });
    // Each takes the next one from the same list.
    const waiting = urns.values();
    const work = async (): Promise<void> => {
        for (const urn of waiting) {
            const look = Date.now() < deadline ? lookAt(urn, resources, touched, statement) : late;
            const unanswered = `the database did not answer within ${object / 1000} s`;
            byUrn.set(urn, await within(object, look, { notCounted: unanswered }));
        }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return { byUrn, secrets };
}

/** The resources of the state, or why there are none. */
async function read(
    exported: () => Promise<string>,
): Promise<ReadonlyMap<string, RecordedResource> | string> {
    try {
        return recordedResources(await exported());
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return `the state cannot be read: ${describe(error)}`;
    }
}

/** What the same run deletes or changes. */
interface Touched {
    /** Qualified names of what does not stand as it is when deletions begin. */
    readonly names: ReadonlySet<string>;
    /** Of those, what goes. */
    readonly deleted: ReadonlySet<string>;
    readonly deletedUrns: ReadonlySet<string>;
}

function touchedBy(
    { steps: all }: Preview,
    resources: ReadonlyMap<string, RecordedResource>,
): Touched {
    const names = new Set<string>();
    const deleted = new Set<string>();
    const deletedUrns = new Set<string>();
    for (const [urn, steps] of all) {
        const action = actionOf(steps);
        if (action === "same") continue;
        // A function's name is in its text; its id is `public.f(integer)`.
        const name = nameIn(steps) ?? resources.get(urn)?.id?.replace(/\([^]*$/, "");
        if (name !== undefined) names.add(name);
        if (action !== "delete") continue;
        if (name !== undefined) deleted.add(name);
        deletedUrns.add(urn);
    }
    return { names, deleted, deletedUrns };
}

const kinds: Readonly<Record<string, ResourceKind>> = {
    ContinuousAggregate: continuousAggregateKind,
    Hypertable: hypertableKind,
};

async function lookAt(
    urn: string,
    resources: ReadonlyMap<string, RecordedResource>,
    touched: Touched,
    patience: number,
): Promise<Removal> {
    const found = resources.get(urn);
    const kind = kinds[timescaleKind(found?.type ?? "") ?? ""];
    if (found === undefined || kind?.leaving === undefined) {
        return { notCounted: "this version knows no such resource in the state" };
    }
    const { outputs, deletedWith } = found;
    const { leaving: look } = kind;
    try {
        const leaving = await withPooledSession(connectionOf(outputs), (session) =>
            look(session, outputs, patience),
        );
        if (leaving === undefined) return { gone: true };
        const met = outputs["metDatabaseUuid"] as string | undefined;
        if (met !== undefined && met !== leaving.databaseUuid) {
            return {
                notCounted: `another database answers: it is ${leaving.databaseUuid}, and this resource was made in ${met}`,
            };
        }
        const { buckets } = leaving;
        // What goes with another resource is not dropped by itself, and nobody is asked.
        const asked = deletedWith === undefined || !touched.deletedUrns.has(deletedWith);
        return {
            leaving,
            refusals: asked ? refusalsOf(kind, outputs, leaving, touched) : [],
            sourceGoes: buckets !== undefined && touched.deleted.has(displayName(buckets.source)),
        };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return { notCounted: describe(error) };
    }
}

/** Readers that go or change in the same run do so before. */
function refusalsOf(
    { name: kind }: ResourceKind,
    outputs: Properties,
    { readers, buckets }: Leaving,
    { names }: Touched,
): TimescaleError[] {
    const staying = readers.filter(({ name }) => !names.has(displayName(name)));
    const words = kind === "Hypertable" ? "hypertable" : "continuous aggregate";
    return [
        ...(staying.length === 0
            ? []
            : [readByOthers(words, displayName(nameOf(outputs)), staying)]),
        ...(buckets?.refusals ?? []),
    ];
}

function describe({ message, detail }: TimescaleError): string {
    return [message, detail].filter(Boolean).join(": ");
}

async function within<T>(milliseconds: number, work: Promise<T>, otherwise: T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((resolve) => {
        timer = setTimeout(() => resolve(otherwise), milliseconds);
    });
    try {
        return await Promise.race([work, late]);
    } finally {
        clearTimeout(timer);
    }
}
