/** What is read from the state that a killed run has left. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { declaredIn } from "../../commands/start/declared";
import { unprotectedData } from "../../commands/start/destroy";
import {
    containerType,
    type ExportedState,
    type StateResource,
    unrecorded,
} from "../../commands/start/pending";
import { stateLocks } from "../../commands/start/stateLock";
import { workspaceIn } from "../../commands/start/workspace";

function resource(type: string, name: string, more: Partial<StateResource> = {}): StateResource {
    return { urn: `urn:pulumi:dev::p::${type}::${name}`, type, ...more };
}

function state(
    resources: readonly StateResource[],
    pending: readonly { type: string; resource: StateResource }[] = [],
): ExportedState {
    return { deployment: { resources, pending_operations: pending } };
}

describe("unrecorded objects", () => {
    const container = resource(containerType, "db", { inputs: { name: "llm-observatory-1" } });

    it("are those whose creation is pending", () => {
        expect(
            unrecorded(state([], [{ type: "creating", resource: container }]), containerType),
        ).toEqual(["llm-observatory-1"]);
    });

    it.each([
        ["an update is pending", state([container], [{ type: "updating", resource: container }])],
        ["they are in the state", state([container], [{ type: "creating", resource: container }])],
        ["nothing is pending", state([container])],
        [
            "they are of another type",
            state([], [{ type: "creating", resource: resource("x", "y") }]),
        ],
    ])("are none when %s", (_when, found) => {
        expect(unrecorded(found, containerType)).toEqual([]);
    });
});

describe("unprotected data", () => {
    const hypertable = "pulumi-nodejs:dynamic/timescale:Hypertable";
    const aggregate = "pulumi-nodejs:dynamic/timescale:ContinuousAggregate";

    it("is what a rollback must not meet", () => {
        expect(
            unprotectedData(
                state([
                    resource(hypertable, "traces", { protect: true }),
                    resource(hypertable, "logs"),
                    resource(aggregate, "hourly"),
                    resource(containerType, "db"),
                ]),
            ),
        ).toEqual(["logs"]);
    });
});

describe("what was declared", () => {
    const of = (type: string, name: string, schema?: string) =>
        resource(`pulumi-nodejs:dynamic/timescale:${type}`, name, { outputs: { name, schema } });

    it("has hypertables by name and aggregates in the program's order", () => {
        const found = state([
            of("ContinuousAggregate", "daily", "public"),
            of("Hypertable", "traces", "public"),
            of("ContinuousAggregate", "hourly", "public"),
            of("Hypertable", "logs"),
        ]);

        expect(declaredIn(found, ["public.hourly", "public.daily"])).toEqual({
            hypertables: [
                { schema: "public", name: "logs" },
                { schema: "public", name: "traces" },
            ],
            aggregates: [
                { schema: "public", name: "hourly" },
                { schema: "public", name: "daily" },
            ],
        });
    });
});

describe("locks on the state", () => {
    const folder = mkdtempSync(join(tmpdir(), "locks-test-"));
    const workspace = workspaceIn(folder);
    afterAll(() => rmSync(folder, { recursive: true }));

    it("are none before the first run, and name their process after a killed one", () => {
        expect(stateLocks(workspace, "docker")).toEqual([]);

        const locks = join(
            ...[workspace.stateFolder, ".pulumi", "locks", "organization", "llm-observatory"],
            "docker",
        );
        mkdirSync(locks, { recursive: true });
        const lock = { pid: 4242, username: "me", hostname: "here", timestamp: "2026-01-01" };
        writeFileSync(join(locks, "3e1f.json"), JSON.stringify(lock));
        writeFileSync(join(locks, "3e1f.json.attrs"), "");

        expect(stateLocks(workspace, "docker")).toMatchObject([{ pid: 4242, hostname: "here" }]);
        expect(stateLocks(workspace, "embedded")).toEqual([]);
    });
});
