/** What is remembered of an earlier apply; nothing of it decides what the database should be. */
import { createHash } from "node:crypto";

import type { QualifiedName } from "../identifier";

/** The object of an earlier apply, which may have been renamed by hand since. */
export interface KnownObject {
    readonly databaseUuid: string;
    /**
     * Its number, which a rename leaves as it is: of its (materialization) hypertable, or in pg_class
     * or pg_proc.
     */
    readonly objectId: number;
}

/** What the last apply saw, so that an unchanged text need not be compared by the server again. */
export interface Remembered {
    readonly query: string;
    readonly definition: string;
}

export interface ObjectMemory {
    /** True when the resource is in state already. */
    readonly managed: boolean;
    readonly known?: KnownObject;
    readonly fingerprint?: Remembered;
    /** Its name at the last apply, when the program has given it another one since. */
    readonly formerName?: QualifiedName | undefined;
}

/** The number of the known object in this database; in another one it is somebody else's. */
export function knownIn(databaseUuid: string, known: KnownObject | undefined): number | null {
    return known?.databaseUuid === databaseUuid ? known.objectId : null;
}

export function rememberedOf(text: string, definition: string): Remembered {
    return { query: hash(text), definition: hash(definition) };
}

/** Whether text and definition are those of the last apply, so that there is nothing to compare. */
export function isRemembered(
    { fingerprint }: ObjectMemory,
    text: string,
    definition: string,
): boolean {
    return fingerprint?.query === hash(text) && fingerprint.definition === hash(definition);
}

function hash(text: string): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
