/** What every step of a replacement works with: the session, the database as it is now, and the pairs that change places. */
import type { UsableServer } from "../../connection/server";
import type { Queryable, Session } from "../../connection/session";
import { TimescaleError } from "../../errors";
import { displayName, type QualifiedName } from "../../identifier";
import { type ApplyOptions, applyStatements } from "../../plan/apply";
import { inspecting } from "../../plan/converging";
import type { Statement } from "../../plan/plan";
import { roleStatements } from "../../relation/tableStatements";
import { fill } from "../fill";
import type { ActualAggregate } from "../inspect";
import { beginsOf, cutOf } from "./cut";
import type { Pair } from "./replacement";
import { inspectStanding } from "./versions";

export interface RunOptions {
    readonly server: UsableServer;
    readonly searchPath: readonly string[];
    readonly onStatus: (text: string) => void;
    /** When it is aborted, the run ends after the window that is being filled. */
    readonly stop?: AbortSignal | undefined;
    /** The statements that create an aggregate with everything that belongs to it. */
    readonly creation: (desired: Pair["desired"]) => readonly Statement[];
}

/** A new version that stands, and from when on it was computed. */
export interface Built {
    readonly pair: Pair;
    readonly version: ActualAggregate;
    readonly cut: string;
    /** Whether rows were copied that raw data cannot give. */
    readonly copied: boolean;
}

export class Work {
    constructor(
        readonly session: Session,
        readonly options: RunOptions,
        readonly pairs: readonly Pair[],
    ) {}

    /** The first bucket of the new version that can be computed from whole data. */
    cut({ old, mapping }: Pair, version: ActualAggregate): Promise<string> {
        // A child reads the new version of its parent, which holds copied rows: the old one's floor counts.
        const over = this.pairs.some((it) => displayName(it.old.name) === displayName(old.source));
        const source = over && mapping !== null ? old.sourceId : version.sourceId;
        return this.reading((client) => cutOf(client, source, version));
    }

    /** @param cut from which on it may be computed; what retention would drop at once is left out */
    async fillFrom(
        { name, old, desired }: Pair,
        version: ActualAggregate,
        cut: string,
        recompute = false,
    ): Promise<void> {
        const retention = desired.retentionPolicy?.dropAfter ?? null;
        const { from } = await this.reading((client) =>
            beginsOf(client, { old, version, cut, retention }),
        );
        await fill(this.session, {
            name: version.name,
            aggregate: version,
            retention: null,
            searchPath: this.options.searchPath,
            extensionSchema: this.options.server.extensionSchema,
            from,
            recompute,
            onProgress: (_done, _total, text) =>
                this.options.onStatus(`building ${displayName(name)}: ${text}`),
            onStatus: this.options.onStatus,
            stop: this.options.stop,
        });
    }

    async inspect(name: QualifiedName): Promise<ActualAggregate> {
        const found = await this.reading((client) => inspectStanding(client, name));
        if (found !== undefined) return found;
        throw new TimescaleError(`continuous aggregate ${displayName(name)} is gone`, {
            code: "version_gone",
            detail: "it stood a moment ago, and somebody has dropped or renamed it",
            hint: "run the same command again",
            object: displayName(name),
        });
    }

    async reading<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
        const { found } = await inspecting(this.session, { schema: this.options.searchPath[0] ?? "public", name: "" }, work); // prettier-ignore
        return found;
    }

    async apply({ name, desired }: Pair, statements: readonly Statement[]): Promise<void> {
        const inside = statements.some(({ outside }) => outside === undefined);
        const role = inside && statements[0]?.name !== "set_role" ? roleStatements(desired.owner, this.session.connection.user) : []; // prettier-ignore
        await applyStatements(this.session, [...role, ...statements], this.applyOptions(name));
    }

    applyOptions(name: QualifiedName): ApplyOptions {
        return {
            object: displayName(name),
            searchPath: this.options.searchPath,
            onRetry: this.options.onStatus,
        };
    }
}
