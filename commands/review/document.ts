/** A review as `--json` has it, and as the Markdown shows it. */
import type {
    PlanDocument,
    PlannedChange,
    PlannedHazard,
    PlannedRefusal,
    PlannedStatement,
} from "../../components/timescale/provider/planDocument";
import type { Verdict } from "./verdict";

/** Fields are never renamed; a reader passes over those it does not know. */
export interface Review {
    /** Format of this document. */
    readonly timescaleReview: 1;
    /** `project/stack`; null where the preview names none. */
    readonly stack: string | null;
    /** What is reviewed. Absent in reviews of earlier versions: `up`. */
    readonly operation?: "up" | "destroy";
    readonly verdict: Verdict;
    /** That of `npm run review`. */
    readonly exitCode: number;
    /** In one sentence. */
    readonly summary: string;
    /** The gravest first; those of one verdict in the order of the program. */
    readonly objects: readonly ReviewedObject[];
    /** What the engine and other providers said, errors first; plans are in the objects. */
    readonly messages: readonly Message[];
}

export interface Message {
    readonly severity: "info" | "warning" | "error";
    /** Name of the resource that it is about; null: of the run. */
    readonly resource: string | null;
    readonly message: string;
}

export interface ReviewedObject {
    readonly urn: string;
    /** Qualified name in the database, or the resource's name. */
    readonly object: string;
    /** Such as `ContinuousAggregate`, or a type of another provider. */
    readonly kind: string;
    /** What Pulumi does with the resource. `same` with a plan that differs: only the database does. */
    readonly action: Action;
    readonly verdict: Verdict;
    /** Why it is graver than safe; `new_database`: why it is safe, although it was not compared. */
    readonly reasons: readonly Reason[];
    /** Whether a plan tells what `up` does: not of other providers, nor of what is deleted. */
    readonly planned: boolean;
    readonly changes: readonly PlannedChange[];
    readonly statements: readonly PlannedStatement[];
    readonly hazards: readonly PlannedHazard[];
    readonly refusals: readonly PlannedRefusal[];
    readonly notes: PlanDocument["notes"];
    /** What goes with an object with rows that is deleted or replaced. Absent: no rows go with it by that. */
    readonly removed?: RemovedRows;
    /** Inputs that the program declares otherwise than at the last `up`; values are in the changes. */
    readonly inputs: readonly string[];
}

export interface RemovedRows {
    /** Null where they were not counted, or where the server has no statistics to estimate them from. */
    readonly rows: number | null;
    /** Times as the server prints them, in UTC. */
    readonly oldest: string | null;
    readonly newest: string | null;
    /** False: counted. True: rows by statistics, times by the edges of chunks. */
    readonly estimated: boolean;
    readonly chunks: number | null;
    /** On disk, indexes included. */
    readonly bytes: number | null;
    /** Why the rows are not known, or which of them raw data no longer has; null where all is. */
    readonly notCounted: string | null;
}

export interface Reason {
    /** Stable, such as the name of a hazard. */
    readonly code: string;
    readonly message: string;
}

/** What one of several steps on the same resource makes of them all. */
export type Action = "create" | "update" | "delete" | "replace" | "same" | "other";
