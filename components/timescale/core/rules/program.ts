/** The rules between the objects of one program, from its text alone: before anything is registered. */
import { displayName } from "../identifier";
import { lengthOf } from "../interval";
import { bucketWidth } from "../query/query";
import type { Finding, ProgramJudgement, Waiver } from "./finding";
import { productsInText } from "./products";
import { rollUpFindings } from "./rollUp";
import { hierarchyFindings, type PairFinding, sourceFindings, type Windowed } from "./windows";

/** An object of the program as far as these rules go. */
export interface Judgeable {
    readonly kind: string;
    /** Name of the resource. */
    readonly resource: string;
    readonly schema?: string | undefined;
    readonly name?: string | undefined;
    readonly text?: string | undefined;
    readonly refreshPolicy?: Readonly<Record<string, unknown>> | undefined;
    readonly retentionPolicy?: Readonly<Record<string, unknown>> | undefined;
    /** Whether some value of its policies is computed by other resources. */
    readonly computed?: boolean | undefined;
    /** Types of a hypertable's columns by their names. */
    readonly columnTypes?: ReadonlyMap<string, string> | undefined;
    readonly waive?: readonly Waiver[] | undefined;
}

/** @param reads which declared objects each one reads */
export function programJudgements<D extends Judgeable>(
    reads: ReadonlyMap<D, readonly D[]>,
): Map<D, ProgramJudgement> {
    const judged = new Map<D, Collected>();
    for (const one of reads.keys()) {
        judged.set(one, { findings: [], sourceDeclared: false, declaredReaders: [] });
    }
    for (const [reader, sources] of reads) {
        const atReader = judged.get(reader);
        if (reader.kind !== "ContinuousAggregate" || atReader === undefined) continue;
        for (const source of sources) {
            const atSource = judged.get(source);
            if (!isSource(source) || atSource === undefined) continue;
            for (const pair of pairFindings(reader, source)) {
                atReader.findings.push(pair.atReader);
                if (pair.atSource === undefined) continue;
                // Who waives it at the aggregate that would suffer has decided for both ends.
                const waiver = reader.waive?.find(({ rule }) => rule === pair.atReader.rule);
                atSource.findings.push({
                    ...pair.atSource,
                    ...(waiver && { waived: `${waiver.reason} (on ${titleOf(reader)})` }),
                });
            }
            atReader.findings.push(...queryFindings(reader, source));
            if (reader.computed === true || source.computed === true) continue;
            atReader.sourceDeclared = true;
            atSource.declaredReaders.push(titleOf(reader));
        }
    }
    return judged;
}

interface Collected {
    readonly findings: Finding[];
    sourceDeclared: boolean;
    readonly declaredReaders: string[];
}

function isSource({ kind }: Judgeable): boolean {
    return kind === "Hypertable" || kind === "ContinuousAggregate";
}

function pairFindings(reader: Judgeable, source: Judgeable): PairFinding[] {
    const [one, other] = [windowed(reader), windowed(source)];
    return [
        ...sourceFindings(one, other),
        ...(source.kind === "ContinuousAggregate" ? hierarchyFindings(one, other) : []),
    ];
}

function queryFindings(reader: Judgeable, source: Judgeable): Finding[] {
    if (reader.text === undefined) return [];
    if (source.kind === "Hypertable")
        return productsInText(reader.text, source.columnTypes ?? new Map());
    if (source.text === undefined) return [];
    return rollUpFindings(
        { title: titleOf(reader), query: reader.text },
        { title: titleOf(source), query: source.text },
    );
}

function windowed(declaration: Judgeable): Windowed {
    const { text, refreshPolicy, retentionPolicy } = declaration;
    const width = text === undefined ? undefined : bucketWidth(text);
    return {
        title: titleOf(declaration),
        refreshPolicy,
        retentionPolicy,
        bucket: width === undefined ? undefined : lengthOf(width),
    };
}

function titleOf({ schema, name, resource }: Judgeable): string {
    return schema === undefined || name === undefined ? resource : displayName({ schema, name });
}
