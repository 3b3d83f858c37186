/** What the roles of the Observatory may do with tables and aggregates. */
import { roles } from "../roles";
import type { FunctionGrant, Grant } from "../timescale";

export const writerReads: readonly Grant[] = [
    { role: roles.writer, privileges: ["SELECT", "INSERT"] },
];

export const readerReads: readonly Grant[] = [{ role: roles.reader, privileges: ["SELECT"] }];

export const readerCalls: readonly FunctionGrant[] = [
    { role: roles.reader, privileges: ["EXECUTE"] },
];
