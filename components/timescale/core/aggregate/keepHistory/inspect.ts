/**
 * Finds out what a changed query takes with it: who reads the aggregate, whether each of them can
 * read the new version instead, and how history gets there. What that needs is made in a transaction
 * that is rolled back: temporary views that stand for the new versions.
 */
import { DatabaseError } from "pg";

import type { Queryable, Session } from "../../connection/session";
import { TimescaleError } from "../../errors";
import {
    displayName,
    escapeIdentifier,
    type QualifiedName,
    quoteQualified,
} from "../../identifier";
import { trying } from "../../plan/converging";
import { parseDefinition, readInstead } from "../../query/definition";
import { statementBody } from "../../query/query";
import { readSql } from "../../sqlFile";
import type { DesiredQuery } from "../changes";
import { rawFloor } from "../floor";
import { type HistoryAtStake, historyAtStake } from "../history";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";
import { declaredAs } from "./declaredAs";
import { mapHistory, type Mapping, type Version } from "./mapping";
import { buildingName, replacedName } from "./names";
import type { Pair, Replacement, RepointedView } from "./replacement";
import { renamedVersions } from "./versionDiff";
import { inspectStanding, inspectVersions, type Versions } from "./versions";

/** What is to happen, or every reason why it cannot. */
export type Outcome =
    { readonly replacement: Replacement } | { readonly problems: readonly TimescaleError[] };

export interface Change {
    readonly actual: ActualAggregate;
    readonly desired: DesiredAggregate;
    readonly query: DesiredQuery;
    readonly stake: HistoryAtStake;
    /** A version with just that query which was replaced before: it comes back. */
    readonly former?: ActualAggregate;
}

export function inspectReplacement(
    session: Session,
    change: Change,
    searchPath: readonly string[],
): Promise<Outcome> {
    return trying(session, change.desired, searchPath, "inspect_replacement", async (client) => {
        const trial = new Trial(client, change, new Date());
        await trial.run();
        return trial.outcome();
    });
}

interface Reader extends QualifiedName {
    readonly kind: "aggregate" | "view" | "other";
    readonly title: string | null;
    readonly definition: string | null;
    readonly options: readonly string[] | null;
    readonly owner: string | null;
    readonly member: boolean | null;
    readonly columns: Version["columns"] | null;
}

class Trial {
    private readonly pairs: Pair[] = [];
    private readonly views = new Map<string, Reader>();
    private readonly problems: TimescaleError[] = [];
    private kind: Replacement["kind"] = "build";
    private renamed: Replacement["renamed"] = [];

    constructor(
        private readonly client: Queryable,
        private readonly changed: Change,
        private readonly now: Date,
    ) {}

    async outcome(): Promise<Outcome> {
        const views: RepointedView[] = [];
        for (const view of this.views.values()) {
            const problem = await this.viewProblem(view);
            if (problem !== undefined) this.problems.push(problem);
            const { schema, name, definition, options, owner } = view;
            views.push({
                name: { schema, name },
                definition: this.afterExchange(definition ?? ""),
                options,
                owner: owner ?? "",
            });
        }
        const [first, ...others] = this.pairs;
        if (this.problems.length > 0 || first === undefined) return { problems: this.problems };
        return {
            replacement: {
                kind: this.kind,
                pairs: [first, ...others],
                views,
                renamed: this.renamed,
            },
        };
    }

    /** By its name, which the new version has then; one that gets another name is called by that. */
    private afterExchange(definition: string): string {
        return this.pairs
            .filter(({ old, name }) => displayName(old.name) !== displayName(name))
            .reduce((text, { old, name }) => readInstead(text, old.name, name), definition);
    }

    async run(): Promise<void> {
        const { actual, desired, query, former } = this.changed;
        const name = { schema: desired.schema, name: desired.name };
        const versions = await this.renameVersions(actual, name, former);
        if (former !== undefined) {
            this.kind = "back";
            await this.standIn(former.name, `SELECT * FROM ${quoteQualified(former.name)}`);
            await this.addBack(name, actual, former, desired);
            await this.addReaders(actual, former.name);
            return;
        }
        const beside = versions.building ?? buildingName(name);
        await this.standIn(beside, statementBody(desired.query));
        const version = { ...query, groupColumns: await this.groupColumns(beside, query) };
        await this.addBuilt(name, actual, { ...desired, ...beside }, version);
        await this.addReaders(actual, beside);
    }

    private async renameVersions(
        { name: was }: ActualAggregate,
        name: QualifiedName,
        former: ActualAggregate | undefined,
    ): Promise<Versions> {
        const versions = await inspectVersions(this.client, was);
        if (displayName(was) === displayName(name)) return versions;
        const standing = await Promise.all(versions.replaced.map((it) => inspectStanding(this.client, it))); // prettier-ignore
        const others = standing.filter((it) => it !== undefined && it.materializationId !== former?.materializationId); // prettier-ignore
        this.renamed = renamedVersions(others as ActualAggregate[], was, name);
        return versions;
    }

    /** A temporary view in the place of a version that does not stand yet. */
    private async standIn({ name }: QualifiedName, query: string): Promise<void> {
        await this.client.query(`CREATE TEMPORARY VIEW ${escapeIdentifier(name)} AS\n${query}\n`);
    }

    /** What the query groups by, without its bucket. */
    private async groupColumns(
        beside: QualifiedName,
        { definition, columns }: DesiredQuery,
    ): Promise<string[]> {
        const { rows } = await this.client.query<{ columns: string[] }>(
            readSql("catalog/group_columns.sql"),
            [quoteQualified({ ...beside, schema: "pg_temp" })],
        );
        const names = columns.map(({ name }) => name);
        const buckets = parseDefinition(definition, names).columns.filter(({ expression }) =>
            expression.includes("time_bucket("),
        );
        return (rows[0]?.columns ?? []).filter((key) => !buckets.some(({ name }) => name === key));
    }

    private async addBuilt(
        name: QualifiedName,
        old: ActualAggregate,
        desired: DesiredAggregate,
        version: Version,
    ): Promise<void> {
        const object = displayName(name);
        const mapped = mapHistory(old, version, desired.history, object);
        if ("problems" in mapped) {
            this.problems.push(...mapped.problems);
            return;
        }
        const problem = await this.mappingProblem(mapped.mapping, old, desired, object);
        if (problem !== undefined) this.problems.push(problem);
        const begun = await inspectStanding(this.client, desired);
        const of = begun?.marker.building?.of;
        const standing = of === displayName(name) || of === displayName(old.name) ? begun : undefined; // prettier-ignore
        // The first is declared by the program, the others as they stand.
        const held = this.pairs.length > 0 && standing?.marker.building?.held === true;
        const built = held ? unpaused(desired) : desired;
        await this.add({ name, old, desired: built, beside: desired, mapping: mapped.mapping }, standing); // prettier-ignore
    }

    private async addBack(
        name: QualifiedName,
        old: ActualAggregate,
        former: ActualAggregate,
        desired: DesiredAggregate,
    ): Promise<void> {
        const there = { ...desired, ...former.name };
        await this.add({ name, old, desired: there, beside: former.name, mapping: null }, former);
    }

    private async add(
        pair: Pick<Pair, "name" | "old" | "desired" | "beside" | "mapping">,
        standing: ActualAggregate | undefined,
    ): Promise<void> {
        const { old, name } = pair;
        if (old.view.state !== "intact" || !old.finalized) {
            this.problems.push(
                new TimescaleError(`the view of continuous aggregate ${displayName(old.name)} is not the one that TimescaleDB made`, {
                    code: "view_replaced",
                    detail: "a new version takes the place of a whole one only",
                    hint: "run up once with the query that it had, which puts the view back, then change the query",
                    object: displayName(name),
                }), // prettier-ignore
            );
        }
        this.pairs.push({
            ...pair,
            beside: { schema: pair.beside.schema, name: pair.beside.name },
            replaced: replacedName(name, old.materializationId, this.now),
            ...(standing !== undefined && { standing }),
            stake: old === this.changed.actual ? this.changed.stake : await historyAtStake(this.client, old), // prettier-ignore
            floor: await rawFloor(this.client, old.sourceId),
        });
    }

    /** @param beside the version that the readers of `old` are to read, which has a stand-in */
    private async addReaders(old: ActualAggregate, beside: QualifiedName): Promise<void> {
        const { rows } = await this.client.query<Reader & Record<string, unknown>>(
            readSql("catalog/readers.sql"),
            [quoteQualified(old.name)],
        );
        for (const reader of rows) {
            if (reader.kind === "view") this.views.set(displayName(reader), reader);
            else if (reader.kind === "aggregate") await this.addChild(reader, old, beside);
            else this.problems.push(cannotFollow(reader.title ?? "", old, "it can only be dropped and made again")); // prettier-ignore
        }
    }

    private async addChild(
        reader: QualifiedName,
        parent: ActualAggregate,
        beside: QualifiedName,
    ): Promise<void> {
        const child = await inspectStanding(this.client, reader);
        if (child === undefined) return;
        // What was replaced goes on reading what was replaced with it.
        if (child.marker.replacedFrom !== undefined || child.marker.building !== undefined) return;
        const former = await this.formerOver(child, parent, beside);
        const next = former?.name ?? buildingName(child.name);
        const stand = { schema: "pg_temp", name: beside.name };
        const trial = readInstead(child.definition, parent.name, stand).replace(/;\s*$/, "");
        const problem = await this.attempt(() => this.standIn(next, trial));
        const columns = problem === undefined ? await this.columnsOf(next) : [];
        if (problem !== undefined || !sameColumns(child.columns, columns)) {
            const why = problem?.message ?? "its columns would have other types";
            this.problems.push(cannotFollow(`continuous aggregate ${displayName(child.name)}`, parent, why)); // prettier-ignore
            return;
        }
        const query = readInstead(child.definition, parent.name, beside);
        const desired = { ...declaredAs(child, query), ...next };
        if (former !== undefined) await this.addBack(child.name, child, former, desired);
        else await this.addBuilt(child.name, child, desired, child);
        await this.addReaders(child, next);
    }

    /** The version of a child that was replaced together with the version of its parent that comes back. */
    private async formerOver(
        child: ActualAggregate,
        parent: ActualAggregate,
        beside: QualifiedName,
    ): Promise<ActualAggregate | undefined> {
        const { replaced } = await inspectVersions(this.client, child.name);
        for (const name of replaced) {
            const version = await inspectStanding(this.client, name);
            if (version === undefined || displayName(version.source) !== displayName(beside))
                continue;
            const reads = (definition: string, source: QualifiedName): string =>
                readInstead(definition, source, parent.name);
            if (
                reads(version.definition, version.source) === reads(child.definition, parent.name)
            ) {
                return version;
            }
        }
        return undefined;
    }

    private async viewProblem(view: Reader): Promise<TimescaleError | undefined> {
        const title = `view ${displayName(view)}`;
        const [top] = this.pairs;
        if (top === undefined) return undefined;
        if (view.member !== true) {
            return cannotFollow(title, top.old, `it belongs to ${view.owner}, and the login is no member of that role`); // prettier-ignore
        }
        const text = this.pairs.reduce(
            (definition, { old, beside }) =>
                readInstead(definition, old.name, { schema: "pg_temp", name: beside.name }),
            (view.definition ?? "").replace(/;\s*$/, ""),
        );
        const stand = { schema: "pg_temp", name: "pulumi_timescale_reader" };
        const problem = await this.attempt(async () => {
            await this.client.query(`DROP VIEW IF EXISTS ${quoteQualified(stand)}`);
            await this.standIn(stand, text);
        });
        if (problem !== undefined) return cannotFollow(title, top.old, problem.message);
        // CREATE OR REPLACE VIEW keeps names and types, and adds columns at the end.
        const columns = await this.columnsOf(stand);
        const fits = sameColumns(view.columns ?? [], columns);
        return fits
            ? undefined
            : cannotFollow(title, top.old, "its columns would have other types");
    }

    /** Whether the server takes the copy, with values that the program gave. */
    private async mappingProblem(
        mapping: Mapping,
        old: ActualAggregate,
        desired: QualifiedName,
        object: string,
    ): Promise<TimescaleError | undefined> {
        const names = mapping.columns.map(({ name }) => escapeIdentifier(name)).join(", ");
        const values = mapping.columns.map(({ expression }) => expression).join(", ");
        const group =
            mapping.groupBy === undefined ? "" : ` GROUP BY ${mapping.groupBy.join(", ")}`;
        const problem = await this.attempt(async () => {
            await this.client.query(
                `CREATE TEMPORARY TABLE pulumi_timescale_history AS SELECT * FROM ${quoteQualified({ ...desired, schema: "pg_temp" })} WITH NO DATA`,
            );
            await this.client.query(
                `INSERT INTO pulumi_timescale_history (${names}) SELECT ${values} FROM ${quoteQualified(old.name)} WHERE false${group}`,
            );
            await this.client.query("DROP TABLE pulumi_timescale_history");
        });
        if (problem === undefined) return undefined;
        return new TimescaleError(`the history of ${object} does not fit the new query`, {
            code: "history_column",
            detail: problem.message,
            hint: "give such a column another name, so that its history stays empty; or correct history.defaults and history.rollUp",
            object,
        });
    }

    private async columnsOf(stand: QualifiedName): Promise<Version["columns"]> {
        const { rows } = await this.client.query<{ name: string; type: string }>(
            `SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
             WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
            [quoteQualified({ ...stand, schema: "pg_temp" })],
        );
        return rows;
    }

    private async attempt(work: () => Promise<void>): Promise<DatabaseError | undefined> {
        await this.client.query("SAVEPOINT attempt");
        try {
            await work();
            await this.client.query("RELEASE SAVEPOINT attempt");
            return undefined;
        } catch (error) {
            if (!(error instanceof DatabaseError)) throw error;
            await this.client.query("ROLLBACK TO SAVEPOINT attempt");
            return error;
        }
    }
}

/** An attempt that was cut off has paused the job of the old version, and nobody else. */
function unpaused(desired: DesiredAggregate): DesiredAggregate {
    const { refreshPolicy } = desired;
    if (refreshPolicy === undefined) return desired;
    return { ...desired, refreshPolicy: { ...refreshPolicy, paused: false } };
}

function sameColumns(was: Version["columns"], will: Version["columns"]): boolean {
    return (
        was.length === will.length &&
        was.every(({ name, type }, at) => will[at]?.name === name && will[at]?.type === type)
    );
}

function cannotFollow(title: string, read: ActualAggregate, why: string): TimescaleError {
    const object = displayName(read.name);
    return new TimescaleError(`${title} reads ${object} and cannot read its new version`, {
        code: "dependant_not_repointed",
        detail: why,
        hint: "keep the columns that it reads, or drop it first and make it again after the change; nothing is ever dropped with CASCADE",
        object,
    });
}
