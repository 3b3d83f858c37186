/** Runs cases that are data: a standing object, what was done to it by hand, what is declared, what happens. */
import type { Planned } from "../../components/timescale/provider/resourceKind";
import { type Declared, expectNoChange, previewOf } from "./declared";
import { type Names, quoted } from "./names";
import type { Row, Target } from "./onEveryServer";

export type PolicyName = "refresh" | "retention" | "compression";

/** What the SQL of a case is made of. */
export interface Standing {
    readonly names: Names;
    /** The names, quoted. */
    readonly it: Names;
    /** Of TimescaleDB. */
    readonly version: string;
    /** Selects `id` and `proc_name` of the object's jobs. */
    readonly jobs: string;
    /** An expression for the number of the policy's job. */
    job(policy: PolicyName): string;
}

export interface Case<Inputs extends object> {
    readonly name: string;
    /** Statements that somebody ran by hand since the last `up`, as the owner. */
    readonly given?: (standing: Standing) => readonly string[];
    /** The same as the superuser. */
    readonly givenByAdmin?: (standing: Standing) => readonly string[];
    /** Versions where this can happen at all. @default - all */
    readonly on?: (version: string) => boolean;
    /** What the program declares now. @default - what stands */
    readonly desired?: (declared: Inputs, standing: Standing) => Inputs;
    /** The lines of the preview; none: there is nothing to change. */
    readonly expect: (standing: Standing) => readonly unknown[];
    /** Worth knowing, and kept. */
    readonly notes?: readonly unknown[];
    /** `up` refuses, with this error, and changes nothing. */
    readonly refused?: (standing: Standing) => object;
    /** Statements that make good what `up` refused. */
    readonly undo?: (standing: Standing) => readonly string[];
    readonly undoByAdmin?: (standing: Standing) => readonly string[];
    /** Jobs cannot keep their numbers, as the preview says. */
    readonly newJobs?: boolean;
    /** More to look at when `up` has been. */
    readonly then?: (target: Target, standing: Standing) => Promise<void>;
}

export interface Subject<Inputs extends object> {
    readonly object: () => Declared<Inputs>;
    /** Selects `id` and `proc_name` of its jobs. */
    readonly jobs: string;
}

/** `it` for each case: preview shows it, `up` makes it good, and then there is nothing to change. */
export function runCases<Inputs extends object>(
    target: Target,
    names: Names,
    cases: readonly Case<Inputs>[],
    { object, jobs }: Subject<Inputs>,
): void {
    const standing: Standing = {
        names,
        it: quoted(names),
        version: target.server.version,
        jobs,
        job: (policy) => `(SELECT min(id) FROM (${jobs}) j WHERE proc_name ~ '^policy_${policy}')`,
    };
    const byHand = async (texts: readonly string[] = []): Promise<void> => {
        for (const text of texts) await target.byHand(text);
    };
    const byAdmin = async (texts: readonly string[] = []): Promise<void> => {
        for (const text of texts) await target.asAdmin(text);
    };
    const jobIds = async (): Promise<Map<unknown, unknown>> => {
        const rows = await target.asAdmin(jobs);
        return new Map(rows.map(({ id, proc_name }: Row) => [proc_name, id]));
    };

    const possible = cases.filter(({ on }) => on?.(target.server.version) ?? true);
    it.each(possible.map((one) => [one.name, one] as const))("%s", async (_, one) => {
        const declared = object();
        const before = declared.inputs;
        const desired = one.desired?.(before, standing) ?? before;
        await byHand(one.given?.(standing));
        await byAdmin(one.givenByAdmin?.(standing));
        const ids = await jobIds();

        const { plan } = await declared.plan(desired);
        expect(previewOf(plan)).toEqual(one.expect(standing));
        expect(plan.notes.map(({ message }) => message)).toEqual(one.notes ?? []);

        if (one.refused !== undefined) {
            const stood = await fingerprint(declared, before);
            await expect(declared.up(desired)).rejects.toMatchObject(one.refused(standing));
            expect(await fingerprint(declared, before)).toEqual(stood);
            await byHand(one.undo?.(standing));
            await byAdmin(one.undoByAdmin?.(standing));
        } else {
            await declared.up(desired);
            await expectNoChange(declared, desired);
            // A job that stands keeps its number, and with it its statistics.
            const after = await jobIds();
            for (const [policy, id] of after) {
                if (ids.has(policy) && one.newJobs !== true) expect(id).toBe(ids.get(policy));
            }
            await one.then?.(target, standing);
            if (desired === before) return;
            await declared.up(before);
        }
        await expectNoChange(declared, before);
    });
}

async function fingerprint<Inputs extends object>(
    declared: Declared<Inputs>,
    inputs: Inputs,
): Promise<Omit<Planned, "plan">> {
    const { plan: _plan, ...rest } = await declared.plan(inputs);
    return rest;
}
