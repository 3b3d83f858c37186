/** What `up` leaves to a person, in words. */
import { TimescaleError } from "../errors";
import { type QualifiedName } from "../identifier";
import { nameTakenDetail, ownerRefusal } from "../plan/objectChanges";
import { definitionDiff } from "../query/definitionDiff";
import { listDependants } from "../relation/dependants";
import { attributeDifferences, type DefinitionDifference, type FunctionRefusal } from "./diff";
import { definitionUnder, displayFunction } from "./routine";

/** @param object such as `public.f(integer)` */
export function refusalError(
    reason: FunctionRefusal,
    object: string,
    name: QualifiedName,
): TimescaleError {
    switch (reason.what) {
        case "other":
            return new TimescaleError(
                reason.movedTo === undefined
                    ? `${object} exists already, and is a ${reason.routine}`
                    : `${object} exists already, and is another function than that of the last deployment`,
                {
                    code: "another_function",
                    detail: nameTakenDetail(reason, {
                        one: "the declared function",
                        itself: "the function",
                    }),
                    hint: "choose another name, or rename or drop what stands there",
                    object,
                },
            );
        case "adopt":
            return new TimescaleError(`a function ${object} exists already and differs`, {
                code: "exists_and_differs",
                detail: [
                    ...(reason.owner === null
                        ? []
                        : [`it belongs to ${reason.owner.was}, not to ${reason.owner.will}`]),
                    ...(reason.difference === null ? [] : describe(reason.difference, name)),
                ].join("\n"),
                hint: "declare what it is, choose another name, or set adopt: true to take it over and change it",
                object,
            });
        case "owner":
            return ownerRefusal(reason, object, {
                alter: `ALTER FUNCTION ${object}`,
                login: "neither a superuser nor a member of both roles",
            });
        case "dependants":
            return new TimescaleError(
                `function ${object} would have to be dropped, and others use it`,
                {
                    code: "dependants",
                    detail: `${reason.why}; used by ${listDependants(reason.dependants)}`,
                    hint: "keep result and argument names, declare it under another name, or drop what uses it first; nothing is ever dropped with CASCADE",
                    object,
                },
            );
        case "stale":
            return new TimescaleError(
                `function ${displayFunction(reason.stale.standing)} would have to be dropped, and others use it`,
                {
                    code: "dependants",
                    detail: `with other arguments ${object} is another function; the old one is used by ${listDependants(reason.stale.dependants)}`,
                    hint: "declare the new one beside the old one, or drop what uses the old one first; nothing is ever dropped with CASCADE",
                    object,
                },
            );
        case "jobs":
            return new TimescaleError(`function ${displayFunction(reason.was)} is run by jobs`, {
                code: "dependants",
                detail: `a job finds its function by name, and would fail under another one: ${listDependants(reason.dependants)}`,
                hint: "keep the name, or delete these jobs first and add them again afterwards",
                object,
            });
    }
}

function describe(difference: DefinitionDifference, name: QualifiedName): string[] {
    return [
        ...(difference.text
            ? [
                  definitionDiff(
                      definitionUnder(difference.was, name),
                      definitionUnder(difference.will, name),
                  ),
              ]
            : []),
        ...attributeDifferences(difference).map(
            ({ property, was, will }) => `${property}: ${was}, declared ${will}`,
        ),
    ];
}
