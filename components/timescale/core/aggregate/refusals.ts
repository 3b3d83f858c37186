/** Why `up` refuses a change of an aggregate: what, why, and what to do. */
import { TimescaleError } from "../errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { nameTakenDetail, ownerRefusal } from "../plan/objectChanges";
import { definitionDiff } from "../query/definitionDiff";
import { describeColumns } from "../relation/columns";
import type { AggregateRefusal, QueryRefusal, Rebuild } from "./changes";
import { describeStake } from "./history";

function queryRefusal(reason: QueryRefusal, object: string): TimescaleError {
    const { rebuild, problems } = reason;
    if (problems !== undefined) return historyRefusal(reason, problems, object);
    const lost = rebuild === undefined || rebuild.stake.rows === 0 ? [] : [describeStake(rebuild.stake)]; // prettier-ignore
    const readers =
        rebuild === undefined || rebuild.dependants.length === 0
            ? []
            : [`it is read by ${rebuild.dependants.join(", ")}`];
    return new TimescaleError(`the query of continuous aggregate ${object} has changed`, {
        code: "query_changed",
        detail: [
            "TimescaleDB can only drop and create it again, and history that raw data no longer has would be gone",
            ...lost,
            ...readers,
            definitionDiff(reason.was, reason.will),
            ...describeColumns(reason),
        ].join("\n"),
        hint: queryHint(rebuild),
        object,
    });
}

/** Everything that keeps history from being kept, so that none hides another. */
function historyRefusal(
    reason: QueryRefusal,
    problems: readonly TimescaleError[],
    object: string,
): TimescaleError {
    const [first] = problems;
    return new TimescaleError(
        `the query of continuous aggregate ${object} has changed, and its history cannot be kept`,
        {
            code: first?.code ?? "query_changed",
            detail: [
                ...problems.map(({ message, detail }) =>
                    [message, detail].filter(Boolean).join(": "),
                ),
                definitionDiff(reason.was, reason.will),
                ...describeColumns(reason),
            ].join("\n"),
            hint: [...new Set(problems.map(({ hint }) => hint))].filter(Boolean).join("; "),
            object,
        },
    );
}

/** The choices, as far as they are open. */
function queryHint(rebuild: Rebuild | undefined): string {
    const choices = [
        'set onQueryChange: "keepHistory", which builds the new version beside this one and keeps its history',
        "or declare the new one under another name",
        "or put the query back",
    ];
    if (rebuild === undefined) return choices.join(", ");
    const { stake, dependants } = rebuild;
    return [
        ...choices,
        dependants.length > 0
            ? 'or drop what reads it and set onQueryChange: "rebuild": nothing is ever dropped with CASCADE'
            : stake.rows === 0
              ? 'or set onQueryChange: "rebuild", which drops it and fills the new one from raw data: nothing is lost by it'
              : `or accept the loss with onQueryChange: "rebuild" and acceptLoss: { upToRows: ${stake.rows} }`,
    ].join(", ");
}

export function refusalError(reason: AggregateRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "query":
            return queryRefusal(reason, object);
        case "adopt":
            return new TimescaleError(
                `a continuous aggregate ${object} with another query exists already`,
                {
                    code: "exists_and_differs",
                    detail: [
                        definitionDiff(reason.was, reason.will),
                        ...describeColumns(reason),
                    ].join("\n"),
                    hint: "declare the query that it has, choose another name, or set adopt: true to take it over: columns that are only named otherwise are then renamed, and any other query is a change of query",
                    object,
                },
            );
        case "other":
            return new TimescaleError(`${object} exists already, and is a ${reason.relation}`, {
                code: "another_relation",
                detail: nameTakenDetail(reason, {
                    one: "a continuous aggregate",
                    itself: "the aggregate",
                }),
                hint: "choose another name, or rename or drop what stands there",
                object,
            });
        case "ambiguous":
            return new TimescaleError(`the view of continuous aggregate ${object} is gone`, {
                code: "orphan",
                detail: `TimescaleDB's catalog still knows it, and several views read its buckets: ${reason.candidates.map(displayName).join(", ")}`,
                hint: `rename the one that it was back with ALTER TABLE … RENAME TO ${escapeIdentifier(name.name)}, or drop the others`,
                object,
            });
        case "hijacked":
            return new TimescaleError(`the view of continuous aggregate ${object} was replaced`, {
                code: "hijacked",
                detail: "its view is not the one that TimescaleDB made, and has other columns, so it cannot be put back in its place",
                hint: `rename it away with ALTER TABLE ${quoteQualified(name)} RENAME TO …, after a look at what reads it; the next deployment makes the view over ${displayName(reason.materialization)} again`,
                object,
            });
        case "notFinalized":
            return new TimescaleError(
                `continuous aggregate ${object} has the form from before TimescaleDB 2.7`,
                {
                    code: "not_finalized",
                    detail: "its buckets hold partial states, which this package neither reads nor compares",
                    hint: `run CALL cagg_migrate(${escapeLiteral(quoteQualified(name))}) first`,
                    object,
                },
            );
        case "owner":
            return ownerRefusal(reason, object, {
                alter: `ALTER MATERIALIZED VIEW ${quoteQualified(name)}`,
                login: "no superuser, and only one can give it away",
            });
        case "window":
            return new TimescaleError(reason.message, {
                code: "refresh_window",
                detail: reason.detail,
                hint: reason.hint,
                object,
            });
    }
}
