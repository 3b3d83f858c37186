/** What a reader of the generated code would otherwise stumble over. */

export interface Owned {
    readonly owner: string;
    /** Whether the login may act for the owner. */
    readonly member: boolean;
}

export function ownerRemarks({ owner, member }: Owned, login: string): string[] {
    if (owner === login) return [];
    return [
        member
            ? `Belongs to ${owner}, for which the login acts.`
            : `Belongs to ${owner}: before anything of it can change, GRANT that role to the login.`,
    ];
}
