/**
 * What a version left behind, in state and database, is found unchanged by this one: a change of a component, of a
 * file under sql/ or of the provider that would show in the preview of everybody who has that version shows here.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { version } from "../../package.json";
import { previewChangesSince } from "../helpers/changelog";
import { withClient } from "../helpers/clients";
import { declaredObservatory, type DeclaredResource } from "../helpers/declaredObservatory";
import type { RecordedResource, RecordedState } from "../helpers/recordState";
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { type Kind, resource } from "./resources";

const folder = path.join(__dirname, "..", "fixtures", "states");
const states = readdirSync(folder).map((file) => {
    const state = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RecordedState;
    return [`${state.version} of ${state.of}`, state] as const;
});

it.each(states)("%s holds no login and no path of the machine that recorded it", (_, state) => {
    const text = JSON.stringify(state);
    expect(text).not.toMatch(/"(?:password|connection|host|user)":/);
    expect(text).not.toMatch(/(?<![\w.:/])\/(?:home|Users|root|work|tmp|mnt|srv)\/[\w.-]+/);
});

it("is recorded for this version: npm run record-state", () => {
    const present = states.filter(([, state]) => state.version === version);
    expect(present.map(([, state]) => state.of).sort()).toEqual(["kinds", "observatory"]);
});

// Each in a database of its own: statements name jobs by the numbers that they had.
describe.each(states)("the state of %s", (_, state) => {
    onEveryServer((target) => {
        const { resources } = state;
        let engine: FakeEngine;
        let provider: ProviderProcess;
        let uuid: unknown;
        /** What today's program declares. */
        let declared: readonly DeclaredResource[];

        beforeAll(async () => {
            declared = state.of === "kinds" ? resources : await declaredObservatory();
            engine = await startFakeEngine();
            provider = await startProvider(engine.address);
            await withClient(target.database.owner, async (client) => {
                // As the sessions that they were recorded in.
                await client.query("SET TimeZone TO 'UTC'; SET search_path TO public");
                for (const { text, values } of resources.flatMap((one) => one.statements)) {
                    await client.query(text, [...values]);
                }
            });
            const [row] = await target.asAdmin(
                "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
            );
            uuid = row?.["value"];
        }, 120_000);

        afterAll(async () => {
            await provider.stop();
            engine.kill();
        });

        /** Inputs of today's program, without what is only told; and what that version left. */
        function recorded(one: RecordedResource): { inputs: Properties; outputs: Properties } {
            const now = declared.find(({ name }) => name === one.name);
            const connection = target.database.owner;
            const given = resource(one.kind as Kind, one.name, { ...now?.inputs, connection });
            const { __findings: _findings, ...inputs } = given;
            const hidden = { __provider: inputs["__provider"], __urn: inputs["__urn"], connection };
            // A server's own belongs to no database.
            const met = onServer.includes(one.kind) ? "" : uuid;
            const outputs = { ...one.inputs, ...one.outputs, ...hidden, metDatabaseUuid: met };
            return { inputs, outputs };
        }

        const intended = previewChangesSince(state.version);
        const isCalledOut = (name: string): boolean => intended.includes(`\`${name}\``);
        const standing = resources.filter(({ name }) => !isCalledOut(name));

        it("is declared by the same resources", () => {
            const names = (all: readonly { readonly name: string }[]): string[] =>
                all.map(({ name }) => name).filter((name) => !isCalledOut(name));
            if (sameText(names(declared).sort(), names(resources).sort())) return;
            throw changed(state, [
                ...names(declared).filter((name) => !names(resources).includes(name)).map((name) => `${name} is new`), // prettier-ignore
                ...names(resources).filter((name) => !names(declared).includes(name)).map((name) => `${name} is gone`), // prettier-ignore
            ]);
        });

        it.each(standing.map((one) => [one.kind, one.name, one] as const))(
            "of %s %s causes no change, and nothing to say",
            async (_kind, name, one) => {
                const { inputs, outputs } = recorded(one);

                expect(await provider.check(inputs, inputs)).toEqual({ inputs, failures: [] });
                const { changes, replaces } = await provider.diff(outputs, inputs);
                const said = engine.take().map(({ message }) => message);
                if (changes === "none" && replaces.length === 0 && said.length === 0) return;
                throw changed(state, [`${name} shows as ${changes}`, ...said]);
            },
        );

        it.each(standing.map((one) => [one.kind, one.name, one] as const))(
            "of %s %s that remembers nothing but its inputs causes none either",
            async (_kind, name, one) => {
                const { inputs, outputs } = recorded(one);
                const remembered = { ...inputs, metDatabaseUuid: outputs["metDatabaseUuid"] };
                const { changes } = await provider.diff(remembered, inputs);
                const said = engine.take().map(({ message }) => message);
                if (changes === "none" && said.length === 0) return;
                throw changed(state, [`${name} shows as ${changes}`, ...said]);
            },
        );

        it("is enough to delete everything", async () => {
            const before = await standingObjects();
            for (const one of [...resources].reverse()) {
                await provider.delete(recorded(one).outputs);
            }

            expect(before).toBeGreaterThanOrEqual(4);
            expect(await standingObjects()).toBe(0);
        });

        /** Relations of schema public, and functions that are no extension's. */
        async function standingObjects(): Promise<number> {
            const [row] = await target.asAdmin(
                `SELECT (SELECT count(*) FROM pg_class
                     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm'))::int
                     + (SELECT count(*) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
                         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'))::int AS n`,
            );
            return Number(row?.["n"]);
        }
    });
});

/** Kinds that are the server's, and no database's. */
const onServer: readonly string[] = ["ExtensionVersion", "LoginPassword"];

function sameText(one: readonly string[], other: readonly string[]): boolean {
    return one.join("\n") === other.join("\n");
}

/** What to do about it, for whoever has changed something and reads this. */
function changed({ version: then, of }: RecordedState, found: readonly string[]): Error {
    const released = then !== version;
    return new Error(
        [
            `whoever has version ${then} would see this in the first preview after an upgrade:`,
            ...found.map((text) => text.replace(/^/gm, "    ")),
            "If that is not meant, it is a defect of the change. If it is meant, say what shows, why, and what to do about it",
            `under "### Changes a preview" of ${released ? "the version in CHANGELOG.md that is to be released" : version} in CHANGELOG.md${released ? `, naming each of these in backticks, such as \`${found[0]?.split(" ")[0] ?? of}\`: then it is expected here` : ", and record anew: npm run record-state"}.`,
            released
                ? `The file of ${then} stays as it is: that version is out.`
                : `Only while ${version} is not released: a file of a version that is out is never recorded anew.`,
        ].join("\n"),
    );
}
