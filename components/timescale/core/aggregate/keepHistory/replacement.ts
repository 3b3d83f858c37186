/**
 * What takes the place of an aggregate whose query has changed, and of everything that reads it: as a
 * value, made from the catalog and from a trial that is rolled back.
 */
import type { QualifiedName } from "../../identifier";
import type { HistoryAtStake } from "../history";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";
import type { Mapping } from "./mapping";

/** One aggregate and the one that takes its place: first the changed one, then those that read it. */
export interface Pair {
    /** Under which the new version stands in the end. */
    readonly name: QualifiedName;
    readonly old: ActualAggregate;
    /** The new version, under `beside`. */
    readonly desired: DesiredAggregate;
    /** Where the new version stands until the exchange. */
    readonly beside: QualifiedName;
    /** Where the old version stands after it. */
    readonly replaced: QualifiedName;
    /** Set where the new version stands already. */
    readonly standing?: ActualAggregate;
    /** Null: a version that was replaced comes back, with the history that it has. */
    readonly mapping: Mapping | null;
    /** Buckets of the old version that raw data cannot give any more. */
    readonly stake: HistoryAtStake;
    /** From when on the data that the old version reads is whole; null: it holds nothing. */
    readonly floor: string | null;
}

/** A view that reads one of the old versions and is to read the new one. */
export interface RepointedView {
    readonly name: QualifiedName;
    readonly definition: string;
    /** Such as `security_barrier=true`. */
    readonly options: readonly string[] | null;
    readonly owner: string;
}

export interface Replacement {
    /** `back`: a version that was replaced takes its place again. */
    readonly kind: "build" | "back";
    readonly pairs: readonly [Pair, ...Pair[]];
    readonly views: readonly RepointedView[];
    /** Versions that were replaced before, where the aggregate gets another name as well. */
    readonly renamed: readonly RenamedVersion[];
}

/** A version goes with its aggregate: it is found by the aggregate's name. */
export interface RenamedVersion {
    readonly was: QualifiedName;
    readonly will: QualifiedName;
    readonly marker: string;
}
