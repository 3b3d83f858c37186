import * as pulumi from "@pulumi/pulumi";

import { ContinuousAggregate, Hypertable } from "../../components/timescale";
import { connection, one, record, type Registered } from "./recording";

type Options = pulumi.CustomResourceOptions;
type Where = pulumi.Input<typeof connection>;

function table(name: string, opts?: Options, where: Where = connection): Hypertable {
    const columns = [{ name: "ts", type: "timestamptz", nullable: false }];
    return new Hypertable(name, { connection: where, name, columns, timeColumn: "ts" }, opts);
}

function aggregate(
    name: string,
    from: string,
    opts?: Options,
    where: Where = connection,
): ContinuousAggregate {
    const query = `SELECT time_bucket('1 hour', ts) AS ts, count(*) AS n FROM ${from} GROUP BY 1`;
    return new ContinuousAggregate(name, { connection: where, name, query }, opts);
}

class Group extends pulumi.ComponentResource {
    constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
        super("test:group:Group", name, {}, opts);
    }
}

async function run(program: () => unknown): Promise<Registered[]> {
    const registered = await record("test");
    await program();
    await pulumi.runtime.disconnect();
    return registered;
}

const dependencies = (registered: readonly Registered[], name: string): string[] =>
    [...one(registered, name).dependencies].sort();

const problemsOf = (registered: readonly Registered[]): unknown[] =>
    registered.map(({ inputs }) => inputs["__problems"]);

describe("an aggregate", () => {
    it("is registered after what it reads, in whatever order they are declared", async () => {
        const registered = await run(() => {
            aggregate("day", "hour");
            aggregate("hour", "m");
            table("m");
        });

        expect(registered.map(({ name }) => name)).toEqual(["m", "hour", "day"]);
        expect(dependencies(registered, "hour")).toEqual(["m"]);
        expect(dependencies(registered, "day")).toEqual(["hour"]);
        expect(problemsOf(registered)).toEqual([undefined, undefined, undefined]);
    });

    it("knows a connection that is not known yet by its identity", async () => {
        const output = pulumi.output(connection);
        const other = pulumi.output(connection);
        const registered = await run(() => {
            aggregate("hour", "m", {}, output);
            aggregate("elsewhere", "m", {}, other);
            table("m", {}, output);
        });

        expect(dependencies(registered, "hour")).toEqual(["m"]);
        expect(dependencies(registered, "elsewhere")).toEqual([]);
    });

    it.each<[string, (other: pulumi.Resource, group: Group) => Options["dependsOn"], string[]]>([
        ["a resource", (other) => other, ["m", "other"]],
        ["several", (other, group) => [other, group], ["inner", "m", "other"]],
        ["a promise", (other) => [Promise.resolve(other)], ["m", "other"]],
        ["an output of several", (other) => pulumi.output([other]), ["m", "other"]],
        ["the table itself as well", () => undefined, ["m"]],
    ])("still depends on what its options name: %s", async (_, given, expected) => {
        const registered = await run(() => {
            const group = new Group("group");
            table("inner", { parent: group });
            const dependsOn = given(table("other"), group);
            aggregate("hour", "m", dependsOn === undefined ? {} : { dependsOn });
            table("m");
        });

        expect(dependencies(registered, "hour")).toEqual(expected);
    });

    it("and its table may be children of one component, or of two that wait for each other", async () => {
        const registered = await run(() => {
            const group = new Group("group");
            aggregate("hour", "m", { parent: group });
            table("m", { parent: group });
            const later = new Group("later", { dependsOn: group });
            aggregate("day", "hour", { parent: later, dependsOn: group });
        });

        expect(dependencies(registered, "hour")).toEqual(["m"]);
        expect(dependencies(registered, "day")).toEqual(["hour", "m"]);
    });

    it.each<[string, (made: { hour: pulumi.Resource; group: Group }) => Options]>([
        ["depends on it", ({ hour }) => ({ dependsOn: hour })],
        ["is its child", ({ hour }) => ({ parent: hour })],
        ["goes with it", ({ hour }) => ({ deletedWith: hour })],
        ["depends on its component", ({ group }) => ({ dependsOn: [group] })],
        [
            "is a child's child of it",
            ({ hour }) => ({ parent: new Group("sub", { parent: hour }) }),
        ],
    ])("does not wait for a table that %s: each would wait for the other", async (_, options) => {
        const registered = await run(() => {
            const group = new Group("group");
            const hour = aggregate("hour", "m", { parent: group });
            table("m", options({ hour, group }));
        });

        expect(dependencies(registered, "hour")).toEqual([]);
        expect(one(registered, "m")).toBeDefined();
    });

    it("that is declared later knows what is there already", async () => {
        const registered = await run(() => {
            const m = table("m");
            return new Promise((resolve) => {
                m.name.apply((name) => resolve([aggregate("hour", name)]));
            });
        });

        expect(dependencies(registered, "hour")).toEqual(["m"]);
    });

    it("knows nothing of another run of a program", async () => {
        await run(() => table("m"));
        const registered = await run(() => {
            aggregate("hour", "m");
            table("k");
            aggregate("k-hour", "k");
        });

        expect(dependencies(registered, "hour")).toEqual([]);
        expect(dependencies(registered, "k-hour")).toEqual(["k"]);
        expect(problemsOf(registered)).toEqual([undefined, undefined, undefined]);
    });
});

describe("declarations that do not fit together", () => {
    it("are told to the provider with every resource, all at once, and wait for nothing", async () => {
        const registered = await run(() => {
            table("m");
            table("m", { aliases: ["x"] });
            aggregate("a", "b");
            aggregate("b", "a");
        });

        expect(registered).toHaveLength(4);
        for (const problems of problemsOf(registered)) {
            expect(problems).toMatch(
                /^the program's declarations do not fit together\n\npublic.m is declared twice\n[^]*\n\npublic.a and public.b read each other in a cycle\n {2}detail:.*\n {2}hint: {3}.*$/,
            );
        }
    });
});
