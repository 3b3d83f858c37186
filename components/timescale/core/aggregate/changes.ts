/** What can differ between an aggregate and its declaration, as values. */
import type { TimescaleError } from "../errors";
import type { QualifiedName } from "../identifier";
import type { CommentChange, GrantsChange } from "../plan/objectChanges";
import type { ColumnDifference } from "../plan/plan";
import type { PolicyChange } from "../policies/changes";
import type { ColumnRename } from "../relation/columns";
import type { IndexChange } from "../relation/indexes";
import type { HistoryAtStake } from "./history";
import type { ActualAggregate } from "./inspect";
import type { RenamedVersion, Replacement } from "./keepHistory/replacement";

export type AggregateChange =
    | { readonly kind: "create" }
    | {
          readonly kind: "rename";
          readonly was: QualifiedName;
          /** Versions that stand beside it, which keep to its name. */
          readonly versions: readonly RenamedVersion[];
      }
    /** Back into service after `onDelete: "keep"` left it standing without jobs. */
    | { readonly kind: "takeBack" }
    | { readonly kind: "refuse"; readonly reason: AggregateRefusal }
    | { readonly kind: "owner"; readonly was: string; readonly will: string }
    /** Dropped and created again with another query, and filled from raw data. */
    | {
          readonly kind: "rebuild";
          readonly actual: ActualAggregate;
          readonly query: QueryDifference;
          readonly stake: HistoryAtStake;
      }
    /** A new version, built beside it, takes its place, with the history that raw data has lost. */
    | {
          readonly kind: "replace";
          readonly query: QueryDifference;
          readonly replacement: Replacement;
      }
    /** A version that stands beside it goes: one that was begun and given up, or one that was replaced. */
    | { readonly kind: "dropVersion"; readonly version: ActualAggregate }
    /** The view that TimescaleDB made is put back over the buckets, which were there all the time. */
    | { readonly kind: "restoreView"; readonly actual: ActualAggregate }
    | { readonly kind: "renameColumns"; readonly columns: readonly ColumnRename[] }
    | { readonly kind: "materializedOnly"; readonly was: boolean; readonly will: boolean }
    | { readonly kind: "chunkTimeInterval"; readonly was: string; readonly will: string }
    | PolicyChange
    | IndexChange
    | CommentChange
    | GrantsChange
    | { readonly kind: "fill" };

export type AggregateRefusal =
    | QueryRefusal
    | {
          readonly what: "other";
          readonly relation: string;
          readonly owner: string;
          readonly movedTo?: QualifiedName;
      }
    | { readonly what: "ambiguous"; readonly candidates: readonly QualifiedName[] }
    | { readonly what: "hijacked"; readonly materialization: QualifiedName }
    | { readonly what: "notFinalized" }
    | { readonly what: "owner"; readonly was: string; readonly will: string }
    | {
          readonly what: "window";
          readonly message: string;
          readonly detail: string;
          readonly hint: string;
      };

/** Two definitions in the server's words. */
export interface QueryDifference {
    readonly was: string;
    readonly will: string;
    readonly columns: readonly ColumnDifference[];
}

export interface QueryRefusal extends QueryDifference {
    /** `adopt`: the aggregate was never this resource's. */
    readonly what: "query" | "adopt";
    /** What a rebuild would lose, and who is in its way; undefined where none is wanted. */
    readonly rebuild?: Rebuild;
    /** Why history cannot be kept, where it was to be. */
    readonly problems?: readonly TimescaleError[];
}

/** What dropping the aggregate would do. */
export interface Rebuild {
    readonly stake: HistoryAtStake;
    /** Views and aggregates that read it, in words. */
    readonly dependants: readonly string[];
}

/** The desired query in the server's words. */
export interface DesiredQuery {
    readonly definition: string;
    /** The same with its columns named as those that stand; null where their number differs. */
    readonly underActualNames: string | null;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    /** See `NormalisedQuery`. */
    readonly products?: string | null;
}
