/** The three roles of the Observatory. Grants and owners name them, so they are not configurable. */
export const roles = {
    /** Owns every object. It can log in because TimescaleDB runs its jobs as it. */
    owner: "observatory_owner",
    /** Writes raw rows. */
    writer: "observatory_writer",
    /** Reads aggregates and views, and no raw text. */
    reader: "observatory_reader",
} as const;
