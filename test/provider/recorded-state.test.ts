/** What a version left behind, in state and database, is found unchanged by this one. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { version } from "../../package.json";
import { withClient } from "../helpers/clients";
import type { RecordedState } from "../helpers/recordState";
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { type Kind, resource } from "./resources";

const folder = path.join(__dirname, "..", "fixtures", "states");
const states = readdirSync(folder).map(
    (file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RecordedState,
);

it.each(states.map((state) => [state.version, state] as const))(
    "%s holds no login and no path of the machine that recorded it",
    (_, state) => {
        const text = JSON.stringify(state);
        expect(text).not.toMatch(/"(?:password|connection|host|user)":/);
        expect(text).not.toMatch(/(?<![\w.:/])\/(?:home|Users|root|work|tmp|mnt|srv)\/[\w.-]+/);
    },
);

it("is recorded for this version: npm run record-state", () => {
    expect(states.map((state) => state.version)).toContain(version);
});

onEveryServer((target) => {
    describe.each(states.map((state) => [state.version, state] as const))(
        "the state of %s",
        (_, { resources }) => {
            let engine: FakeEngine;
            let provider: ProviderProcess;
            let uuid: unknown;

            beforeAll(async () => {
                engine = await startFakeEngine();
                provider = await startProvider(engine.address);
                await withClient(target.database.owner, async (client) => {
                    for (const { text, values } of resources.flatMap((one) => one.statements)) {
                        await client.query(text, [...values]);
                    }
                });
                const [row] = await target.asAdmin(
                    "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
                );
                uuid = row?.["value"];
            }, 60_000);

            afterAll(async () => {
                await provider.stop();
                engine.kill();
            });

            /** As the engine has them: inputs of today's program, outputs of that version. */
            function recorded(one: (typeof resources)[number]): [Properties, Properties] {
                const connection = target.database.owner;
                const inputs = resource(one.kind as Kind, one.kind, { ...one.inputs, connection });
                return [inputs, { ...inputs, ...one.outputs, metDatabaseUuid: uuid }];
            }

            it.each(resources.map((one) => [one.kind, one] as const))(
                "of a %s causes no change, and nothing to say",
                async (_kind, one) => {
                    const [inputs, outputs] = recorded(one);

                    expect(await provider.check(inputs, inputs)).toEqual({ inputs, failures: [] });
                    expect(await provider.diff(outputs, inputs)).toEqual({
                        changes: "none",
                        replaces: [],
                    });
                    expect(engine.take()).toEqual([]);
                },
            );

            it.each(resources.map((one) => [one.kind, one] as const))(
                "of a %s that remembers nothing but its inputs causes none either",
                async (_kind, one) => {
                    const [inputs, { metDatabaseUuid }] = recorded(one);

                    expect(
                        await provider.diff({ ...inputs, metDatabaseUuid }, inputs),
                    ).toMatchObject({ changes: "none" });
                    expect(engine.take()).toEqual([]);
                },
            );

            it("is enough to delete everything", async () => {
                for (const one of [...resources].reverse()) await provider.delete(recorded(one)[1]);

                expect(
                    await target.asAdmin(
                        "SELECT to_regclass('requests') AS a, to_regclass('requests_hourly') AS b, to_regclass('requests_daily') AS c, to_regproc('requests_of') AS d",
                    ),
                ).toEqual([{ a: null, b: null, c: null, d: null }]);
            });
        },
    );
});
