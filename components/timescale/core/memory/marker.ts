/**
 * What an aggregate still needs, or is, written where a killed run cannot lose it: as the comment of
 * its materialization table. It is set in the transaction that creates the aggregate and cleared when
 * the first fill has reached the present, so a fill that was stopped is told from late rows that
 * wait for the next refresh.
 */
export interface Marker {
    /** The first fill has not reached the present yet. */
    readonly filling: boolean;
    /** Left standing by `onDelete: "keep"`, under this name before. */
    readonly keptFrom?: string;
    /** Being built beside the aggregate whose place it is to take. */
    readonly building?: BuildingState;
    /** Stood under this name before a changed query took its place; it can be put back. */
    readonly replacedFrom?: string;
}

/** How far the building of a new version has come. Times are literals in UTC. */
export interface BuildingState {
    /** Displayed name of the aggregate whose place it is to take. */
    readonly of: string;
    /** Before it, buckets are copied; set once everything from it on was filled from raw data. */
    readonly cut?: string;
    /** Before it, buckets have been copied. */
    readonly copied?: string;
    /** Whether the refresh job of the old version waits for the exchange, and ran before. */
    readonly held?: boolean;
}

const prefix = "pulumi-timescale: ";

export function parseMarker(comment: string | null): Marker {
    if (comment === null || !comment.startsWith(prefix)) return { filling: false };
    const text = comment.slice(prefix.length);
    const after = (word: string): string | undefined =>
        text.startsWith(word) ? text.slice(word.length) : undefined;
    const keptFrom = after("kept ");
    if (keptFrom !== undefined) return { filling: false, keptFrom };
    const replacedFrom = after("replaced ");
    if (replacedFrom !== undefined) return { filling: false, replacedFrom };
    const building = after("building ");
    const state = building === undefined ? undefined : parseState(building);
    if (state !== undefined) return { filling: true, building: state };
    return { filling: text.startsWith("first fill") };
}

function parseState(text: string): BuildingState | undefined {
    try {
        return JSON.parse(text) as BuildingState;
    } catch {
        // Of a later version, or somebody else's.
        return undefined;
    }
}

export const fillMarker = `${prefix}first fill under way; the next deployment finishes it`;

export function keptMarker(name: string): string {
    return `${prefix}kept ${name}`;
}

export function replacedMarker(name: string): string {
    return `${prefix}replaced ${name}`;
}

export function buildingMarker(state: BuildingState): string {
    return `${prefix}building ${JSON.stringify(state)}`;
}
