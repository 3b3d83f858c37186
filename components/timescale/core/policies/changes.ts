/** Policies as they are and as they are to be, and what can differ between the two, as values. */
import type { Note } from "../plan/plan";
import type {
    ActualJob,
    CompressionPolicy,
    DesiredJob,
    JobDifference,
    PolicyKind,
    RefreshPolicy,
    RetentionPolicy,
} from "./policy";

export type PolicyChange =
    | {
          readonly kind: "compression";
          readonly was: ActualCompression | null;
          readonly will: CompressionSettings | null;
      }
    | { readonly kind: "addPolicy"; readonly job: DesiredJob }
    | {
          readonly kind: "alterPolicy";
          readonly actual: ActualJob;
          readonly job: DesiredJob;
          readonly differences: readonly JobDifference[];
      }
    | { readonly kind: "removePolicy"; readonly policy: PolicyKind; readonly actual: ActualJob }
    /** A policy that stands twice, as concurrent adds can make it, or compresses where compression is off. */
    | {
          readonly kind: "deleteJob";
          readonly policy: PolicyKind;
          readonly actual: ActualJob;
          readonly why: "duplicated" | "stale";
      }
    /** A job that a change of owner left behind: alter_job cannot move it, so a new one takes its place. */
    | {
          readonly kind: "replaceJob";
          readonly policy: PolicyKind;
          readonly actual: ActualJob;
          readonly job: DesiredJob;
          readonly will: string;
      }
    /** The same, where the login may not delete it. */
    | { readonly kind: "jobOwner"; readonly actual: ActualJob; readonly will: string }
    /** Compressed chunks stand in the way of switching compression off. */
    | { readonly kind: "compressedChunks"; readonly chunks: number };

export interface DesiredPolicies {
    readonly refreshPolicy?: RefreshPolicy;
    readonly retentionPolicy?: RetentionPolicy;
    readonly compressionPolicy?: CompressionPolicy;
}

/** What the program declared at the last apply; a separate object that it then leaves out is removed. */
export interface DeclaredPolicies {
    readonly refreshPolicy: boolean;
    readonly retentionPolicy: boolean;
    readonly compressionPolicy: boolean;
}

export interface ActualPolicies {
    readonly jobs: readonly ActualJob[];
    readonly compressed: boolean;
    /** How many chunks are compressed. Default 0. */
    readonly compressedChunks?: number;
    readonly compression: ActualCompression | null;
}

export interface PolicyDiff {
    readonly changes: readonly PolicyChange[];
    /** Policies that stand and were never declared: reported and kept. */
    readonly notes: readonly Note[];
}

/** Compression settings as the catalog has them, in the order of its arrays. */
export interface ActualCompression {
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
    readonly orderByDesc: readonly boolean[];
    readonly orderByNullsFirst: readonly boolean[];
    readonly chunkTimeInterval?: string | null;
}

/** Settings as they are to be; those that are undefined are left to the server. */
export type CompressionSettings = Pick<
    CompressionPolicy,
    "segmentBy" | "orderBy" | "compressChunkTimeInterval"
>;
