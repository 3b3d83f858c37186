/** Name, owner, comment and grants: changes that every kind of object has, and how they show. */
import { TimescaleError } from "../errors";
import { displayName, escapeIdentifier, type QualifiedName } from "../identifier";
import { type ActualGrant, type GrantDifference, grantDifferences } from "../relation/grants";
import type { ChangeLine, Note } from "./plan";

export interface CommentChange {
    readonly kind: "comment";
    readonly was: string | null;
    readonly will: string | null;
}

export interface GrantsChange {
    readonly kind: "grants";
    readonly difference: GrantDifference;
}

export function commentChanges(was: string | null, will: string | null): CommentChange[] {
    return was === will ? [] : [{ kind: "comment", was, will }];
}

export function grantChanges(
    actual: readonly ActualGrant[],
    declared: Parameters<typeof grantDifferences>[1],
): GrantsChange[] {
    return grantDifferences(actual, declared).map((difference) => ({ kind: "grants", difference }));
}

/** Of what holds nothing that making it again would not bring back. */
export const goneNote: Note = {
    code: "gone",
    message: "it stood at the last deployment and is gone: up makes it again",
};

export function nameLine(was: QualifiedName, will: QualifiedName): ChangeLine {
    return { code: "name", property: "name", was: displayName(was), will: displayName(will) };
}

export function ownerLine({ was, will }: OwnerDifference): ChangeLine {
    return { code: "owner", property: "owner", was, will };
}

export interface OwnerDifference {
    readonly was: string;
    readonly will: string;
}

/** Where nothing of the login's own rights lets it give the object away. */
export function ownerRefusal(
    { was, will }: OwnerDifference,
    object: string,
    {
        alter,
        login,
    }: {
        /** Such as `ALTER TABLE "public"."requests"`. */
        readonly alter: string;
        /** What the login is not. */
        readonly login: string;
    },
): TimescaleError {
    return new TimescaleError(`${object} belongs to ${was}`, {
        code: "another_owner",
        detail: `it is to belong to ${will}; the login is ${login}`,
        hint: `run ${alter} OWNER TO ${escapeIdentifier(will)} as a superuser, or declare owner: ${JSON.stringify(was)}`,
        object,
    });
}

/** What stands under the declared name. */
export interface Standing {
    readonly owner: string;
    /** Where the object of the last apply stands now, if it does. */
    readonly movedTo?: QualifiedName;
}

/** Something else has the name: `a view cannot take its place`, `the view itself stands as … now`. */
export function nameTakenDetail(
    { owner, movedTo }: Standing,
    { one, itself }: { readonly one: string; readonly itself: string },
): string {
    return [
        `it belongs to ${owner}; ${one} cannot take its place`,
        ...(movedTo === undefined
            ? []
            : [`${itself} itself stands as ${displayName(movedTo)} now`]),
    ].join("; ");
}
