/** Which numbers of a snapshot need more rights than the login has. Pure. */
import type { Health } from "../../components/timescale/core/health/health";

export function describeRights({ server, aggregates, hypertables, jobs }: Health): string[] {
    const notes: string[] = [];
    const closed = [...aggregates, ...hypertables].filter(({ readable }) => !readable).length;
    if (closed > 0) {
        notes.push(
            `note  ${server.login} may not read ${closed} of these: their rows are estimates (~) and first buckets unknown (?)`,
        );
    }
    const owners = new Set(
        jobs.filter(({ ownedByMember }) => !ownedByMember).map(({ owner }) => owner),
    );
    if (owners.size > 0) {
        notes.push(
            `note  the text of failures is told to members of ${[...owners].join(", ")} alone`,
        );
    }
    return notes;
}
