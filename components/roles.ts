/** The three roles of the Observatory. Grants and owners name them, so they are not configurable. */
export const roles = {
    /** Owns every object. Needs LOGIN, because TimescaleDB runs its jobs as their owner. */
    owner: "observatory_owner",
    /** Writes raw rows. */
    writer: "observatory_writer",
    /** Reads aggregates and views, and no raw text. */
    reader: "observatory_reader",
} as const;
