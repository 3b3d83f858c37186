/** Works out what of an aggregate is to be computed, and has it computed. */
import { fill } from "../../components/timescale/core/aggregate/fill";
import {
    type FillScope,
    type FillUnit,
    type FillWindow,
    readRange,
    readUnits,
} from "../../components/timescale/core/aggregate/fillRange";
import type { ActualAggregate } from "../../components/timescale/core/aggregate/inspect";
import { wholeFrom } from "../../components/timescale/core/aggregate/wholeFrom";
import {
    inTransaction,
    type Session,
    withObjectLock,
} from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import {
    displayName,
    escapeIdentifier,
    quoteQualified,
} from "../../components/timescale/core/identifier";
import { policyProcedures } from "../../components/timescale/core/policies/policy";
import { type Clamp, clamps, describeClamp } from "./clamp";
import { findAggregate } from "./find";
import type { BackfillOptions } from "./options";
import type { Part, Result } from "./report";
import { showTime } from "./times";

export interface BackfillHooks {
    readonly onStatus: (text: string) => void;
    /** A line that stays. */
    readonly onClamp: (text: string) => void;
    readonly stop?: AbortSignal;
}

/**
 * Computes what is pending in the range, under the lock that deployments of the aggregate take as well.
 *
 * @throws TimescaleError
 */
export async function backfill(
    session: Session,
    options: Pick<BackfillOptions, "aggregate" | "from" | "to" | "dryRun">,
    { onStatus, onClamp, stop }: BackfillHooks,
): Promise<Result> {
    const found = await findAggregate(session, options.aggregate);
    const { aggregate, searchPath, extensionSchema } = found;
    const name = displayName(aggregate.name);
    return withObjectLock(session, name, onStatus, async () => {
        const whole = await inTransaction(session, { readOnly: true, searchPath }, (client) =>
            wholeFrom(client, aggregate),
        );
        const scope: FillScope = {
            ...{ name: aggregate.name, aggregate, searchPath, retention: retentionOf(aggregate) },
            from: later(options.from, whole),
            to: options.to,
            recompute: true,
        };
        const range = await readRange(session, scope);
        if (range === undefined) throw await nothingToCompute(session, scope, options, whole);
        const narrowed: Clamp[] = clamps(options, range, whole);
        narrowed.map(describeClamp).forEach(onClamp);
        const units = await readUnits(session, scope, range);
        const parts = await standingRows(session, scope, aggregate, runs(units));
        const result: Result = {
            ...{ aggregate: name, range: { start: range.lower, end: range.upper } },
            ...{ clamps: narrowed, parts, dryRun: options.dryRun, windows: 0 },
        };
        if (options.dryRun || parts.length === 0) return result;
        const windows = await fill(session, {
            ...{ ...scope, aggregate, extensionSchema, onStatus, stop },
            onProgress: (_done, _total, text) => onStatus(text),
        });
        return { ...result, windows };
    });
}

function later(one: string | undefined, other: string | undefined): string | undefined {
    if (one === undefined || other === undefined) return one ?? other;
    return one > other ? one : other;
}

function retentionOf({ jobs }: ActualAggregate): string | null {
    const job = jobs.find(({ procedure }) => procedure === policyProcedures.retention);
    const after = job?.config["drop_after"];
    return typeof after === "string" ? after : null;
}

async function nothingToCompute(
    session: Session,
    scope: FillScope,
    { from, to }: Pick<BackfillOptions, "from" | "to">,
    whole: string | undefined,
): Promise<TimescaleError> {
    const all = await readRange(session, { ...scope, from: whole, to: undefined });
    const object = displayName(scope.name);
    if (all === undefined) {
        return new TimescaleError(`nothing of ${object} can be computed`, {
            code: "nothing_to_compute",
            detail: "there is no raw data of a whole bucket that is over",
            object,
        });
    }
    const asked = `${from === undefined ? "the beginning" : showTime(from)} to ${to === undefined ? "now" : showTime(to)}`;
    return new TimescaleError(`nothing of ${object} can be computed in this range`, {
        code: "nothing_to_compute",
        detail: `${asked} holds no whole bucket (${all.width}) of those from ${showTime(all.lower)}, where raw data begins to be whole, to ${showTime(all.upper)}, where the last bucket that is over ends`,
        hint: "computing older buckets again would delete the history that they hold; give a range within these times",
        object,
    });
}

/** What is pending, with neighbours taken together. */
export function runs(units: readonly FillUnit[]): FillWindow[] {
    const found: FillWindow[] = [];
    for (const { start, end, pending } of units) {
        if (!pending) continue;
        const last = found.at(-1);
        if (last?.end === start) found[found.length - 1] = { start: last.start, end };
        else found.push({ start, end });
    }
    return found;
}

function standingRows(
    session: Session,
    { searchPath }: FillScope,
    aggregate: ActualAggregate,
    windows: readonly FillWindow[],
): Promise<Part[]> {
    const bucket = escapeIdentifier(aggregate.timeColumn);
    return inTransaction(session, { readOnly: true, searchPath }, async (client) => {
        const { rows } = await client.query<{ rows: string }>(
            [
                `SELECT (SELECT count(*) FROM ${quoteQualified(aggregate.materialization)} WHERE ${bucket} >= begins AND ${bucket} < ends) AS rows`,
                "FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS part (begins, ends, number)",
                "ORDER BY number",
            ].join("\n"),
            [windows.map(({ start }) => start), windows.map(({ end }) => end)],
        );
        return windows.map((window, at) => ({ ...window, rows: Number(rows[at]?.rows ?? 0) }));
    });
}
