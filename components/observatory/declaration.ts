/** An aggregate of the Observatory as it is declared. */
import type { ContinuousAggregateProperties } from "../timescale";

export type Declaration = Omit<
    ContinuousAggregateProperties,
    "connection" | "databaseUuid" | "schema" | "query"
> & {
    /** Where the SELECT lies, under sql/. */
    readonly file: string;
    /** The SELECT where the file is a pattern for several. */
    readonly query?: string;
    readonly refreshPolicy: NonNullable<ContinuousAggregateProperties["refreshPolicy"]>;
};
