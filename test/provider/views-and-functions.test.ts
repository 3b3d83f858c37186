/** A view and a function in the real provider process: made, compared, read, adopted and deleted. */
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine, withoutPlans } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { type Kind, resource, urnOf } from "./resources";

onEveryServer((target) => {
    let engine: FakeEngine;
    let provider: ProviderProcess;

    beforeAll(async () => {
        engine = await startFakeEngine();
        provider = await startProvider(engine.address);
        await target.byHand("CREATE TABLE requests (ts timestamptz NOT NULL, model text, v int)");
    }, 60_000);

    afterAll(async () => {
        await provider.stop();
        engine.kill();
    });

    const declared = (kind: Kind, name: string, inputs: Properties): Properties =>
        resource(kind, name, { connection: { ...target.database.owner }, ...inputs });
    const uuid = async (): Promise<unknown> => {
        const [row] = await target.asAdmin(
            "SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid'",
        );
        return row?.["value"];
    };
    const fingerprint = {
        query: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        definition: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    };

    it("takes a view through its life", async () => {
        const latest = declared("View", "latest", {
            name: "latest",
            query: "SELECT model, max(ts) AS seen FROM requests GROUP BY 1",
            grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
        });
        expect(await provider.check(latest)).toEqual({ inputs: latest, failures: [] });
        const { id, properties } = await provider.create(latest);
        expect(id).toBe("public.latest");
        expect(properties).toEqual({
            ...latest,
            metDatabaseUuid: await uuid(),
            fingerprint,
            objectId: expect.any(Number) as number,
        });
        expect(await provider.diff(properties, latest)).toMatchObject({ changes: "none" });

        await target.byHand("ALTER VIEW latest RENAME TO mine");
        await target.byHand("GRANT SELECT ON mine TO PUBLIC");
        engine.take();
        expect(await provider.diff(properties, latest)).toMatchObject({ changes: "some" });
        expect(withoutPlans(engine.take())).toMatchObject([
            {
                urn: urnOf("View", "latest"),
                message: "~ name: public.mine → public.latest\n~ grants.public: SELECT → removed",
            },
        ]);
        expect((await provider.read(id, properties)).inputs).toMatchObject({ name: "mine" });
        const updated = await provider.update(properties, latest);
        expect(await provider.diff(updated, latest)).toMatchObject({ changes: "none" });
        await provider.delete(updated);
        await provider.delete(updated);
    });

    it("takes a function through its life, and its overload for another one", async () => {
        const definition =
            "CREATE FUNCTION counted(m text) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM requests WHERE model = m'";
        const counted = declared("SqlFunction", "counted", { definition });
        expect(await provider.check(counted)).toEqual({ inputs: counted, failures: [] });
        const { id, properties } = await provider.create(counted);
        expect(id).toBe("public.counted(text)");
        expect(properties).toEqual({
            ...counted,
            metDatabaseUuid: await uuid(),
            fingerprint,
            objectId: expect.any(Number) as number,
            signature: { schema: "public", name: "counted", argumentTypes: "25" },
        });
        const spelt = {
            ...counted,
            definition: definition.replace("SELECT count", "select  COUNT"),
        };
        expect(await provider.check(spelt, counted)).toMatchObject({ failures: [] });
        expect(await provider.diff(properties, spelt)).toMatchObject({ changes: "none" });

        const overload = (name: string, list: string): Properties =>
            declared("SqlFunction", name, {
                definition: definition.replace("counted(m text)", `counted(${list})`),
            });
        expect(await provider.check(overload("more", "m text, n int"))).toMatchObject({
            failures: [],
        });
        expect((await provider.check(overload("again", "M TEXT = 'x'"))).failures).toEqual([
            {
                property: "definition",
                reason: expect.stringMatching(
                    /^public\.counted\(text\) is declared twice\n {2}detail: counted declares it as well\n/,
                ) as string,
            },
        ]);

        await target.byHand("ALTER FUNCTION counted(text) VOLATILE");
        engine.take();
        expect(await provider.diff(properties, counted)).toMatchObject({ changes: "some" });
        expect(withoutPlans(engine.take())).toMatchObject([
            { message: "~ volatility: volatile → stable" },
        ]);
        const updated = await provider.update(properties, counted);
        expect(await provider.diff(updated, counted)).toMatchObject({ changes: "none" });
        // A function that is gone, and what it read with it, is deleted.
        await target.byHand("DROP FUNCTION counted(text)");
        await provider.delete(updated);
    });

    it("shows what stands already under a new resource, and that up refuses", async () => {
        await target.byHand("CREATE VIEW standing AS SELECT 1 AS one");
        engine.take();
        const failures = await provider.check(
            declared("View", "standing", { name: "standing", query: "SELECT 2 AS one" }),
        );
        expect(failures).toMatchObject({ failures: [] });
        expect(engine.take()).toMatchObject([
            { severity: "info", message: "~ query: SELECT 1 AS one; → SELECT 2 AS one;" },
            {
                severity: "warning",
                message: expect.stringContaining(
                    "up will refuse this: a view public.standing exists already and differs",
                ) as string,
            },
        ]);
    });

    it("reports what the server says of a text, and does not mind what is made later", async () => {
        const reasons = async (kind: Kind, name: string, inputs: Properties): Promise<string[]> => {
            const { failures } = await provider.check(declared(kind, name, inputs));
            return failures.map(
                ({ property, reason }) => `${property}: ${reason.split("\n")[0] ?? ""}`,
            );
        };
        expect(
            await reasons("View", "v1", { name: "v1", query: "SELECT count(* FROM requests" }),
        ).toEqual([expect.stringMatching(/^query: syntax error at or near/)]);
        expect(
            await reasons("View", "v2", { name: "v2", query: "SELECT not_yet() FROM not_yet" }),
        ).toEqual([]);
        const body = (text: string) => ({
            definition: `CREATE FUNCTION f${text.length}() RETURNS int LANGUAGE sql AS $$ ${text} $$`,
        });
        expect(await reasons("SqlFunction", "f1", body("SELEC 1"))).toEqual([
            expect.stringMatching(/^definition: syntax error at or near/),
        ]);
        expect(await reasons("SqlFunction", "f2", body("SELECT 'a'::text"))).toEqual([
            expect.stringMatching(/^definition: return type mismatch/),
        ]);
        expect(await reasons("SqlFunction", "f3", body("SELECT n FROM not_yet"))).toEqual([]);
        expect(await reasons("SqlFunction", "f4", body("SELECT not_yet FROM requests"))).toEqual(
            [],
        );
        expect(await reasons("SqlFunction", "f5", body("SELECT not_yet(1)"))).toEqual([]);
        expect(await reasons("SqlFunction", "f6", { definition: "DROP TABLE requests" })).toEqual([
            "definition: the definition is no CREATE FUNCTION",
        ]);
    });
});
