/**
 * What an aggregate still needs, written where a killed run cannot lose it: as the comment of its
 * materialization table. It is set in the transaction that creates the aggregate and cleared when
 * the first fill has reached the present, so a fill that was stopped is told from late rows that
 * wait for the next refresh.
 */
export interface Marker {
    /** The first fill has not reached the present yet. */
    readonly filling: boolean;
    /** Left standing by `onDelete: "keep"`, under this name before. */
    readonly keptFrom?: string;
}

const prefix = "pulumi-timescale: ";

export function parseMarker(comment: string | null): Marker {
    if (comment === null || !comment.startsWith(prefix)) return { filling: false };
    const text = comment.slice(prefix.length);
    if (text.startsWith("kept ")) return { filling: false, keptFrom: text.slice("kept ".length) };
    return { filling: text.startsWith("first fill") };
}

export const fillMarker = `${prefix}first fill under way; the next deployment finishes it`;

export function keptMarker(name: string): string {
    return `${prefix}kept ${name}`;
}
