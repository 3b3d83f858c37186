/** What the lifecycle needs of each kind of resource, in terms of the core. */
import type { Connection } from "../core/connection/connection";
import type { Session } from "../core/connection/session";
import type { QualifiedName } from "../core/identifier";
import type { KnownObject, ObjectMemory, Remembered } from "../core/memory/memory";
import type { ChangeLine, Plan } from "../core/plan/plan";
import { declarableGrants } from "../core/relation/grants";
import type { PartsMemory } from "../core/relation/hypertableParts";
import type { ActualRelation } from "../core/relation/relation";
import type { Leaving } from "../core/removal/leaving";
import type { Finding, ProgramJudgement } from "../core/rules/finding";
import type { IsUnknown, Problem } from "../core/validate";

export type Properties = Readonly<Record<string, unknown>>;

export interface Hooks {
    readonly onStatus: (text: string) => void;
    /** The outputs so far: the object stands, and a failure from here on is partial. */
    readonly onApplied: (outputs: Properties) => void;
    /** What people should read when the run is over, such as where a backup lies. */
    readonly onReport?: (text: string) => void;
    /** @throws TimescaleError when another database answers than the one that is meant */
    readonly checkDatabase: (databaseUuid: string) => void;
    /** @throws TimescaleError when the plan is not the one that was reviewed */
    readonly checkPlan?: (plan: Plan, exists: boolean) => void;
    /** Aborted by the first Ctrl-C: what takes long ends early, and the next up goes on. */
    readonly stop?: AbortSignal | undefined;
}

export interface Planned {
    readonly plan: Plan;
    readonly databaseUuid: string;
    /** Whether the object stands at all. */
    readonly exists: boolean;
    /** The inputs as the database has them, in the program's spelling wherever that is the same. */
    readonly actualInputs: Properties;
}

export interface ResourceKind {
    /** As in the type token, such as `ContinuousAggregate`. */
    readonly name: string;
    /**
     * What tells the object from others of its database, such as `public.f(integer)`, and the input
     * that says so; undefined while that is not known. Default: schema and name of the inputs.
     */
    readonly identityOf?: (inputs: Properties) => string | undefined;
    readonly identityProperty?: string;
    /** Whether it stands on the server, also while the connection's database does not. Default: it goes with it. */
    readonly ofServer?: boolean;
    /** The names of every input but the connection. */
    readonly properties: readonly string[];
    validate(inputs: Properties, isUnknown: IsUnknown): Problem[];
    /** Problems that only the server can see; called when inputs that it depends on have changed. */
    validateLive(session: Session, inputs: Properties): Promise<Problem[]>;
    /** Inputs that validateLive depends on. */
    readonly liveProperties: readonly string[];
    /** What the rules find in the inputs alone. Default: nothing. */
    readonly findings?: (inputs: Properties) => Finding[];
    /** @param rules what the program found of them; without it none is looked at */
    plan(
        session: Session,
        inputs: Properties,
        outputs: Properties | undefined,
        rules?: ProgramJudgement,
    ): Promise<Planned>;
    /** What makes the login work, before a session is opened for `converge`. Default: nothing. */
    readonly admit?: (
        inputs: Properties,
        outputs: Properties | undefined,
        hooks: Hooks,
    ) => Promise<void>;
    /**
     * The plan where the server refuses every password that is known, for what is about just that.
     * Default: it is not compared with the live database.
     */
    readonly planRefused?: (inputs: Properties, outputs: Properties | undefined) => Planned;
    /** The outputs beside the inputs. */
    converge(
        session: Session,
        inputs: Properties,
        outputs: Properties | undefined,
        hooks: Hooks,
        rules?: ProgramJudgement,
    ): Promise<Properties>;
    /** What has gone with it, in a sentence; undefined where nothing has that could not be made again. */
    remove(
        session: Session,
        outputs: Properties,
        onStatus: (text: string) => void,
    ): Promise<string | undefined>;
    /**
     * What `remove` would take, which is read and not taken; undefined: nothing stands. Default: the kind holds
     * no rows. Each statement ends after `patience` milliseconds.
     */
    readonly leaving?: (
        session: Session,
        outputs: Properties,
        patience: number,
    ) => Promise<Leaving | undefined>;
}

export function connectionOf(inputs: Properties): Connection {
    return inputs["connection"] as Connection;
}

/** The name that the last apply gave the object, when the program has given it another one since. */
export function formerName(
    inputs: Properties,
    outputs: Properties | undefined,
): QualifiedName | undefined {
    if (outputs === undefined) return undefined;
    const was = nameOf(outputs);
    const will = nameOf(inputs);
    return was.schema === will.schema && was.name === will.name ? undefined : was;
}

/** The object of the last apply, which a rename by hand does not hide. */
export function knownObject(outputs: Properties | undefined): { readonly known?: KnownObject } {
    const databaseUuid = outputs?.["metDatabaseUuid"] as string | undefined;
    const objectId = outputs?.["objectId"] as number | undefined;
    if (databaseUuid === undefined || objectId === undefined) return {};
    return { known: { databaseUuid, objectId } };
}

export function objectMemory(
    outputs: Properties | undefined,
): Pick<ObjectMemory, "managed" | "known" | "fingerprint"> {
    const fingerprint = outputs?.["fingerprint"] as Remembered | undefined;
    return {
        managed: outputs !== undefined,
        ...knownObject(outputs),
        ...(fingerprint !== undefined && { fingerprint }),
    };
}

/** The same of an object with policies and indexes. @param indexesOf those that outputs declare */
export function partsMemory(
    inputs: Properties,
    outputs: Properties | undefined,
    indexesOf: (outputs: Properties) => readonly { readonly name: string }[],
): PartsMemory {
    return {
        ...objectMemory(outputs),
        formerName: formerName(inputs, outputs),
        declared: {
            refreshPolicy: outputs?.["refreshPolicy"] !== undefined,
            retentionPolicy: outputs?.["retentionPolicy"] !== undefined,
            compressionPolicy: outputs?.["compressionPolicy"] !== undefined,
            indexes: outputs === undefined ? [] : indexesOf(outputs).map(({ name }) => name),
        },
    };
}

/** Whether a property, or anything inside it, is among the lines of a plan. */
export function differing(lines: readonly ChangeLine[]): (property: string) => boolean {
    return (property) =>
        lines.some(({ property: path }) => path === property || path.startsWith(`${property}.`));
}

/** What every object has in the database beside its definition, as far as it differs. */
export function actualCommon(
    actual: Pick<ActualRelation, "owner" | "comment" | "grants">,
    differs: (property: string) => boolean,
): Properties {
    return {
        ...(differs("owner") && { owner: actual.owner }),
        ...(differs("comment") && { comment: actual.comment ?? undefined }),
        ...(differs("grants") && { grants: declarableGrants(actual.grants) }),
    };
}

/** The hooks as the core takes them: what it says of an object that stands becomes outputs. */
export function applying(
    hooks: Hooks,
): Omit<Hooks, "onApplied"> & { readonly onApplied: (converged: object) => void } {
    return { ...hooks, onApplied: (converged) => hooks.onApplied({ ...converged }) };
}

/** Where it stands, when somebody moved it by hand. */
export function actualName(
    { schema, name }: QualifiedName,
    differs: (property: string) => boolean,
): Properties {
    return differs("name") ? { schema, name } : {};
}

/** The declared indexes that stand as they are declared. */
export function standingIndexes(
    inputs: Properties,
    desired: readonly { readonly name: string }[],
    differs: (property: string) => boolean,
): unknown[] {
    const declared = inputs["indexes"] as readonly unknown[] | undefined;
    return (declared ?? []).filter((_, at) => !differs(`indexes.${desired[at]?.name}`));
}

/** Schema and name as the program gives them. */
export function nameOf(properties: Properties): QualifiedName {
    return {
        schema: (properties["schema"] as string | undefined) ?? "public",
        name: properties["name"] as string,
    };
}
