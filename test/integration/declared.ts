/** Objects as a program declares them, brought to the database as the provider's lifecycle does it. */
import type { ContinuousAggregateProperties } from "../../components/timescale/continuousAggregate";
import type { Session } from "../../components/timescale/core/connection/session";
import { describePlan, isEmpty, type Plan } from "../../components/timescale/core/plan/plan";
import type { ProgramJudgement } from "../../components/timescale/core/rules/finding";
import type { HypertableProperties } from "../../components/timescale/hypertable";
import { continuousAggregateKind } from "../../components/timescale/provider/continuousAggregateKind";
import { hypertableKind } from "../../components/timescale/provider/hypertableKind";
import type {
    Planned,
    Properties,
    ResourceKind,
} from "../../components/timescale/provider/resourceKind";
import { sqlFunctionKind } from "../../components/timescale/provider/sqlFunctionKind";
import { viewKind } from "../../components/timescale/provider/viewKind";
import type { SqlFunctionProperties } from "../../components/timescale/sqlFunction";
import type { ViewProperties } from "../../components/timescale/view";
import type { Target } from "./onEveryServer";

export type AggregateInputs = Omit<ContinuousAggregateProperties, "connection" | "databaseUuid">;
export type HypertableInputs = Omit<HypertableProperties, "connection" | "databaseUuid">;
export type ViewInputs = Omit<ViewProperties, "connection" | "databaseUuid">;
export type SqlFunctionInputs = Omit<SqlFunctionProperties, "connection" | "databaseUuid">;

/** One declared object, and what its last `up` left in the state. */
export interface Declared<Inputs extends object> {
    readonly inputs: Inputs;
    /** Outputs of the last successful `up`; undefined before the first. */
    outputs: Properties | undefined;
    /** What `up` said it was doing, since the last time. */
    statuses: readonly string[];
    /** What its program found of the rules. @default undefined: no rule is looked at */
    rules: ProgramJudgement | undefined;
    /** What the last `up` left to read. */
    reports: readonly string[];
    /** The plan for these inputs, without applying it. */
    plan(inputs?: Inputs): Promise<Planned>;
    /** The plan as preview shows it; numbers of jobs are left out. */
    preview(inputs?: Inputs): Promise<string[]>;
    /** Inspects, plans, applies and inspects again; the inputs become the declared ones. */
    up(inputs?: Inputs, hooks?: UpHooks): Promise<void>;
    /** What it says has gone. */
    remove(onStatus?: (text: string) => void): Promise<string | undefined>;
}

export interface UpHooks {
    readonly onStatus?: (text: string) => void;
    readonly onApplied?: () => void;
}

/** @param session - the target's own, unless another one is given */
export function aggregate(
    target: Target,
    inputs: AggregateInputs,
    session?: Session,
): Declared<AggregateInputs> {
    return declare(target, continuousAggregateKind, inputs, session);
}

export function hypertable(
    target: Target,
    inputs: HypertableInputs,
    session?: Session,
): Declared<HypertableInputs> {
    return declare(target, hypertableKind, inputs, session);
}

export function view(target: Target, inputs: ViewInputs, session?: Session): Declared<ViewInputs> {
    return declare(target, viewKind, inputs, session);
}

export function sqlFunction(
    target: Target,
    inputs: SqlFunctionInputs,
    session?: Session,
): Declared<SqlFunctionInputs> {
    return declare(target, sqlFunctionKind, inputs, session);
}

const kinds: readonly ResourceKind[] = [
    hypertableKind,
    continuousAggregateKind,
    viewKind,
    sqlFunctionKind,
];

/** @param kind its name, as in the type token */
export function resource<Inputs extends object>(
    target: Target,
    kind: string,
    inputs: Inputs,
): Declared<Inputs> {
    const found = kinds.find(({ name }) => name === kind);
    if (found === undefined) throw new Error(`there is no resource ${kind}`);
    return declare(target, found, inputs, undefined);
}

function declare<Inputs extends object>(
    target: Target,
    kind: ResourceKind,
    inputs: Inputs,
    given: Session | undefined,
): Declared<Inputs> {
    const session = (): Session => given ?? target.session;
    const properties = (given: Inputs): Properties => {
        const all: Properties = { ...given, connection: target.database.owner };
        expect(kind.validate(all, () => false)).toEqual([]);
        return all;
    };
    const declared: Declared<Inputs> = {
        inputs,
        outputs: undefined,
        statuses: [],
        reports: [],
        rules: undefined,
        plan: (given = inputs) =>
            kind.plan(session(), properties(given), declared.outputs, declared.rules),
        async preview(given = inputs) {
            return previewOf((await declared.plan(given)).plan);
        },
        async up(given = inputs, { onStatus, onApplied } = {}) {
            const statuses: string[] = [];
            declared.statuses = statuses;
            const reports: string[] = [];
            declared.reports = reports;
            const all = properties(given);
            const told = {
                onStatus: (text: string) => {
                    statuses.push(text);
                    onStatus?.(text);
                },
                onReport: (text: string) => reports.push(text),
                onApplied: () => onApplied?.(),
                checkDatabase: () => undefined,
            };
            const { outputs, rules } = declared;
            const result = await kind.converge(session(), all, outputs, told, rules);
            const { databaseUuid, ...rest } = result;
            declared.outputs = { ...all, ...rest, metDatabaseUuid: databaseUuid };
        },
        remove: (onStatus = () => undefined) =>
            kind.remove(session(), declared.outputs ?? properties(inputs), onStatus),
    };
    return declared;
}

export function previewOf(plan: Plan): string[] {
    return describePlan(plan).map((line) => line.replace(/\bjob \d+/g, "job N"));
}

/** Nothing differs, whether the state remembers the last apply or has lost it. */
export async function expectNoChange<Inputs extends object>(
    declared: Declared<Inputs>,
    inputs: Inputs = declared.inputs,
): Promise<void> {
    const { outputs } = declared;
    for (const remembered of [outputs, undefined]) {
        declared.outputs = remembered;
        const { plan } = await declared.plan(inputs);
        declared.outputs = outputs;
        expect({ plan: describePlan(plan), refusals: plan.refusals }).toEqual({
            plan: [],
            refusals: [],
        });
        expect(isEmpty(plan)).toBe(true);
    }
}
