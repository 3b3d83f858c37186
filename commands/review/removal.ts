/**
 * What it means that a resource of this package goes, of which no plan tells: a provider is not asked about
 * deletions in a preview. How many rows go is told where the database was asked; see countRemovals.ts.
 */
import { describeStake } from "../../components/timescale/core/aggregate/history";
import type { TimescaleError } from "../../components/timescale/core/errors";
import { describeHeld } from "../../components/timescale/core/removal/held";
import type { Leaving } from "../../components/timescale/core/removal/leaving";
import {
    type PlannedHazard,
    plannedRefusal,
} from "../../components/timescale/provider/planDocument";
import type { Step } from "../../components/timescale/provider/preview";
import type { Action, Reason, ReviewedObject } from "./document";
import { actionOf, isRetained } from "./elsewhere";
import type { Verdict } from "./verdict";

/** What the database was found to hold of it, or why that is not known. */
export type Removal =
    | { readonly notCounted: string }
    | { readonly gone: true }
    | {
          readonly leaving: Leaving;
          /** Whatever stands against dropping it. */
          readonly refusals: readonly TimescaleError[];
          /** Whether what an aggregate is computed from goes in the same run. */
          readonly sourceGoes: boolean;
      };

/** Where nobody has looked: a preview in a file is no access to a database. */
export const notLookedAt: Removal = { notCounted: "run npm run review with --stack" };

export interface RemovalJudgement extends Pick<ReviewedObject, "hazards" | "refusals" | "removed"> {
    readonly verdict: Verdict;
    readonly reasons: readonly Reason[];
}

/** Those that hold no rows of their own. */
const withoutRows = ["View", "SqlFunction", "ExtensionVersion", "LoginPassword"];

/** Whether rows go with it. */
export function losesRows(kind: string, steps: readonly Step[]): boolean {
    const action = actionOf(steps);
    const goes = action === "delete" || action === "replace";
    return goes && !withoutRows.includes(kind) && whyKept(action, steps) === undefined;
}

export function judgeRemoval(
    kind: string,
    steps: readonly Step[],
    removal: Removal = notLookedAt,
): RemovalJudgement {
    const action = actionOf(steps);
    const nothing = { hazards: [], refusals: [] };
    const caution = (code: string, message: string): RemovalJudgement => ({
        ...nothing,
        ...{ verdict: "caution", reasons: [{ code, message }] },
    });
    const why = whyKept(action, steps);
    if (why !== undefined) {
        const message = `Pulumi forgets it, and it stays in the database (${why})`;
        return caution("forgets_resource", message);
    }
    const goes = action === "delete" ? "dropped" : "dropped and made again";
    if (withoutRows.includes(kind)) {
        return caution("drops_object", `it is ${goes}; it holds no rows`);
    }
    if ("gone" in removal) {
        return caution("gone", "it is not in the database any more");
    }
    const inputs = inputsOf(steps);
    if ("notCounted" in removal) {
        const { notCounted } = removal;
        return {
            ...nothing,
            verdict: "destructive",
            reasons: [
                dropsRows(
                    `it is ${goes}, with all its rows`,
                    ...backupText(inputs),
                    ...(kind === "ContinuousAggregate" ? [refusesLoss(inputs)] : []),
                    `rows not counted: ${notCounted}`,
                ),
            ],
            removed: { ...unknownRows, notCounted },
        };
    }
    return judgeLeaving(goes, inputs, removal);
}

const unknownRows = {
    ...{ rows: null, oldest: null, newest: null, estimated: false, chunks: null, bytes: null },
};

function judgeLeaving(
    goes: string,
    inputs: Inputs,
    { leaving, refusals, sourceGoes }: Extract<Removal, { readonly leaving: Leaving }>,
): RemovalJudgement {
    const { held, buckets } = leaving;
    const lost = (buckets?.history ?? []).map(({ version, stake }): PlannedHazard => ({
        name: "LOSES_HISTORY",
        message: `${version === undefined ? "" : `${version}, which it had replaced, goes as well: `}${describeStake(stake)}`,
        stake: { rows: stake.rows, oldest: stake.oldest, newest: stake.newest, estimated: false },
    }));
    const { rows, oldest, newest, estimated } = held;
    const text = describeHeld(held);
    const drops = dropsRows(
        text === undefined ? `it is ${goes}; it holds no rows now` : `it is ${goes}, with ${text}`,
        ...backupText(inputs),
        ...(buckets === undefined || text === undefined
            ? []
            : [
                  buckets.notCounted === undefined
                      ? canGiveAgain(lost.length > 0, sourceGoes)
                      : `what raw data no longer has of it is not counted: ${buckets.notCounted}; ${refusesLoss(inputs)}`,
              ]),
    );
    // An aggregate's own, but for its history, can be computed again.
    const data: PlannedHazard[] =
        buckets !== undefined || text === undefined
            ? []
            : [
                  {
                      name: "LOSES_DATA",
                      message: drops.message,
                      stake: { rows, oldest, newest, estimated },
                  },
              ];
    const refused = refusals.map(plannedRefusal);
    return {
        verdict: refused.length > 0 ? "refused" : "destructive",
        reasons: [
            ...refused.map(({ code, message }) => ({ code, message })),
            ...lost.map(({ name, message }) => ({ code: name, message })),
            drops,
        ],
        hazards: [...lost, ...data],
        refusals: refused,
        removed: { ...held, notCounted: buckets?.notCounted ?? null },
    };
}

function canGiveAgain(losesHistory: boolean, sourceGoes: boolean): string {
    if (sourceGoes) return "what they are computed from goes as well";
    return losesHistory ? "raw data can give the others again" : "raw data can give them again";
}

type Inputs = Readonly<Record<string, unknown>>;

function inputsOf(steps: readonly Step[]): Inputs {
    return steps.find(({ old }) => old !== undefined)?.old?.inputs ?? {};
}

/** Undefined: it is dropped. */
function whyKept(action: Action, steps: readonly Step[]): string | undefined {
    if (action !== "delete") return undefined;
    if (inputsOf(steps)["onDelete"] === "keep") return 'onDelete: "keep"';
    return isRetained(steps) ? "retainOnDelete" : undefined;
}

function backupText({ backup }: Inputs): string[] {
    return typeof backup === "string" && backup !== ""
        ? [`a backup is written to ${backup} first`]
        : [];
}

function refusesLoss({ acceptLoss }: Inputs): string {
    return acceptLoss === undefined
        ? "up refuses where raw data no longer has them, and says how many"
        : `acceptLoss allows ${JSON.stringify(acceptLoss)} of what raw data no longer has`;
}

function dropsRows(...parts: readonly string[]): Reason {
    return { code: "drops_rows", message: parts.join("; ") };
}
