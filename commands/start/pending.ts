/**
 * Operations that a killed engine has left in the state as pending: it does not know whether they were
 * done.
 */
import type { Step } from "../progress";
import { containerState, removeContainer } from "./docker";
import { nameOf } from "./events";
import type { TargetStack } from "./stack";

/** The part of an exported state that is read here. The rest is passed through untouched. */
export interface ExportedState {
    readonly deployment: {
        readonly resources?: readonly StateResource[];
        readonly pending_operations?: readonly PendingOperation[];
    };
}

export interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly id?: string;
    readonly protect?: boolean;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface PendingOperation {
    readonly resource: StateResource;
    readonly type: string;
}

/** The stack's state; secrets stay encrypted. */
export async function exportState({ pulumi }: TargetStack): Promise<ExportedState> {
    return JSON.parse(await pulumi(["stack", "export"])) as ExportedState;
}

/**
 * Removes a container that was made but not recorded, whose name would be in the way. Its data is in the
 * volume.
 */
export async function removeUnrecordedContainers(
    state: ExportedState,
    step: Pick<Step, "say">,
): Promise<void> {
    for (const name of unrecorded(state, containerType)) {
        if ((await containerState(name)) !== "absent") {
            const obstacle = await removeContainer(name);
            step.say(
                obstacle === undefined
                    ? `container ${name} was made by a run that was killed: removed it, to make it again`
                    : `container ${name} is in the way and cannot be removed: ${obstacle}`,
            );
        }
    }
}

/**
 * Forgets pending operations, so that the next run plans them anew. TimescaleDB's own objects need no
 * more: creating them again takes over what is there.
 */
export async function forgetPending(
    stack: TargetStack,
    before: ExportedState,
    step: Pick<Step, "say">,
): Promise<void> {
    const pending = before.deployment.pending_operations ?? [];
    if (pending.length === 0) {
        return;
    }
    // Exported again: a refresh may have changed it since.
    const state = await exportState(stack);
    const { pending_operations: _forgotten, ...deployment } = state.deployment;
    await stack.pulumi(["stack", "import"], JSON.stringify({ ...state, deployment }));
    const names = pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`);
    step.say(`an earlier run was killed while ${names.join(", ")}: planning that anew`);
}

/** Names of objects of this type whose creation is pending and that the state does not hold. */
export function unrecorded({ deployment }: ExportedState, wanted: string): readonly string[] {
    const recorded = new Set((deployment.resources ?? []).map(({ urn }) => urn));
    return (deployment.pending_operations ?? [])
        .filter(({ type, resource }) => type === "creating" && !recorded.has(resource.urn))
        .filter(({ resource }) => resource.type === wanted)
        .map(({ resource }) => resource.inputs?.["name"])
        .filter((name) => typeof name === "string");
}

export const containerType = "docker:index/container:Container";
