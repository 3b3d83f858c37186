/** A changed query with its history kept: what preview shows of it, and the statements in their order. */
import { displayName } from "../../identifier";
import type { ChangeLine, Hazard, Plan, Statement } from "../../plan/plan";
import { timeOf } from "../bucket";
import type { QueryDifference } from "../changes";
import { describeStake } from "../history";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";
import type { Pair, Replacement } from "./replacement";
import {
    asBuilt,
    copyStatements,
    exchangeStatements,
    indexesAfterExchange,
    markBuilding,
    markDone,
    pauseRefresh,
} from "./statements";

export interface ReplacementContext {
    readonly login: string;
    readonly extensionSchema: string;
    /** The statements that create an aggregate with everything that belongs to it. */
    readonly creation: (desired: DesiredAggregate) => readonly Statement[];
}

export function planReplacement(
    { query, replacement }: { readonly query: QueryDifference; readonly replacement: Replacement },
    context: ReplacementContext,
): Plan {
    const [top] = replacement.pairs;
    return {
        lines: [queryLine(query), ...lines(replacement)],
        statements: [
            ...replacement.pairs.flatMap((pair) => build(pair, context)),
            ...replacement.pairs.map(pauseRefresh),
            ...exchangeStatements(replacement, {
                login: context.login,
                cuts: replacement.pairs.map(({ stake, floor, mapping }) =>
                    stake.rows > 0 && mapping !== null ? (floor ?? undefined) : undefined,
                ),
            }),
            ...replacement.pairs.flatMap((pair) => indexesAfterExchange(pair, true)),
        ],
        fill: false,
        refusals: [],
        notes: [],
        hazards: hazards(replacement),
        places: {
            kind: "aggregate",
            object: displayName(top.name),
            standing: displayName(top.old.name),
            source: displayName(top.old.source),
        },
    };
}

export function queryLine({ was, will, columns }: QueryDifference): ChangeLine {
    return { code: "query", property: "query", was, will, columns };
}

/** What the run does before the exchange, as far as it is known before. */
function build(pair: Pair, { creation, extensionSchema }: ReplacementContext): Statement[] {
    const { mapping, floor, stake, beside, name } = pair;
    if (mapping === null) return [];
    return [
        ...(pair.standing === undefined
            ? [...creation(asBuilt(pair)), markBuilding(beside, { of: displayName(name) })]
            : []),
        ...(stake.rows === 0
            ? []
            : [
                  ...(floor === null ? [] : [markDone(beside, floor, extensionSchema)]),
                  ...copyStatements(pair, mapping, floor === null ? {} : { to: timeOf(floor) }),
              ]),
    ];
}

function lines({ kind, pairs, views }: Replacement): ChangeLine[] {
    const [top, ...children] = pairs;
    const { mapping, stake, standing } = top;
    const followers = [
        ...children.map(
            ({ name, mapping: built }) =>
                `continuous aggregate ${displayName(name)} reads the new version${built === null ? "" : ": it is built again over it"}`,
        ),
        ...views.map(({ name }) => `view ${displayName(name)} reads the new version`),
    ];
    const kept = stake.rows === 0 ? [] : [`${stake.rows} rows of history are copied: ${describeStake(stake)}`]; // prettier-ignore
    return [
        kind === "back"
            ? {
                  code: "version_back",
                  property: `${displayName(top.beside)} has this query: it takes its place again`,
              }
            : {
                  code: "keep_history",
                  property: [
                      standing === undefined
                          ? `build it beside, as ${displayName(top.beside)}, and let it take its place`
                          : `go on building ${displayName(top.beside)}, and let it take its place`,
                      ...kept,
                  ].join("; "),
              },
        ...(mapping?.empty ?? []).map((column): ChangeLine => ({
            code: "history_column",
            property: `history.${column}`,
            was: "none",
            will: stake.rows === 0 ? "computed from raw data" : "NULL in the copied history",
        })),
        ...followers.map((property): ChangeLine => ({ code: "repointed", property })),
        {
            code: "replaced_version",
            property: `what stands now stays as ${displayName(top.replaced)}`,
        },
    ];
}

function hazards({ kind, pairs, views }: Replacement): Hazard[] {
    const [, ...children] = pairs;
    return [
        ...(kind === "back"
            ? []
            : [
                  {
                      name: "REBUILDS",
                      message: `${pairs.length === 1 ? "it is" : `it and ${children.length} aggregates over it are`} computed from raw data beside what stands; readers go on, and nothing is dropped`,
                  } as const,
              ]),
        ...views.map(({ name }): Hazard => ({
            name: "REPOINTS_DEPENDANT",
            message: `view ${displayName(name)} is replaced by the same query over the new version`,
        })),
        ...children.map(({ name, mapping }): Hazard => ({
            name: "REPOINTS_DEPENDANT",
            message: `continuous aggregate ${displayName(name)} is ${mapping === null ? "exchanged as well" : "built again over the new version"}`,
        })),
        {
            name: "RESTARTS_JOB",
            message:
                kind === "back"
                    ? "the jobs of the version that comes back, which went on, take over"
                    : "its jobs get new numbers, and begin their statistics anew",
        },
    ];
}

export function versionLine({ name, marker }: ActualAggregate): ChangeLine {
    return {
        code: "drop_version",
        property: marker.building === undefined ? "history.replacedVersions" : "building",
        was: `${displayName(name)}${marker.building === undefined ? "" : ", which was begun and given up"}`,
    };
}
