/** What the program found by the rules: told, refused by, waived, and stored nowhere. */
import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Finding, ProgramJudgement } from "../../components/timescale/core/rules/finding";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { hourly, rawTable, resource } from "./resources";

const wide: Finding = {
    rule: "refresh_beyond_source_retention",
    severity: "refuse",
    property: "refreshPolicy",
    message: "refreshes of public.requests_hourly reach further back than public.requests is kept",
    detail: "40 days, and 30 days",
    hint: "shorten it",
};

const late: Finding = {
    rule: "child_window_shorter",
    severity: "warn",
    property: "refreshPolicy",
    message: "late rows will be missing from public.requests_hourly",
    detail: "7 days, and 1 day",
    hint: "lengthen it",
};

function judgement(...findings: readonly Finding[]): ProgramJudgement {
    return { findings, sourceDeclared: true, declaredReaders: [] };
}

onEveryServer((target) => {
    let engine: FakeEngine;
    let provider: ProviderProcess;
    let json: ProviderProcess;
    let connection: Connection;
    let aggregate: Properties;

    beforeAll(async () => {
        connection = target.database.owner;
        engine = await startFakeEngine();
        provider = await startProvider(engine.address);
        json = await startProvider(engine.address, undefined, { PULUMI_TIMESCALE_PLANS: "json" });
        aggregate = resource("ContinuousAggregate", "hourly", { ...hourly, connection });
        await provider.create(resource("Hypertable", "raw", { ...rawTable, connection }));
        engine.take();
    }, 60_000);

    afterAll(async () => {
        await provider.stop();
        await json.stop();
        engine.kill();
    });

    const told = (): string[] =>
        engine.take().map(({ severity, message }) => `${severity}: ${message.split("\n")[0]}`);

    const refusal = `warning: up will refuse this: ${wide.message} (refresh_beyond_source_retention)`;

    it("does not come back from check, nor reach the state", async () => {
        const given = { ...aggregate, __findings: judgement(late) };

        const { inputs, failures } = await provider.check(given);

        expect(failures).toEqual([]);
        expect(inputs).toEqual(aggregate);
        const { properties } = await provider.create(inputs);
        expect(Object.keys(properties)).not.toContain("__findings");
        expect(JSON.stringify(properties)).not.toContain("late rows");
        expect(told()).toContainEqual(`warning: ${late.message} (child_window_shorter)`);
        aggregate = inputs;
    });

    it("is a note or a refusal in later comparisons, of which the note makes no difference", async () => {
        const { inputs, properties: outputs } = await standing();

        await provider.check({ ...aggregate, __findings: judgement(late) }, inputs);
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });

        await provider.check({ ...aggregate, __findings: judgement(wide) }, inputs);
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "some" });
        expect(told()).toContain(refusal);
        await expect(provider.update(outputs, aggregate)).rejects.toThrow(
            "(refresh_beyond_source_retention)\n  detail: 40 days, and 30 days\n  hint:   shorten it",
        );

        await provider.check(aggregate, inputs);
        expect(await provider.diff(outputs, aggregate)).toMatchObject({ changes: "none" });
    });

    it("waived, is shown each time and makes no difference", async () => {
        const { properties: outputs } = await standing();
        const waive = [
            { rule: "refresh_beyond_source_retention", reason: "raw data is restored" },
            { rule: "having", reason: "once there was one" },
        ];
        const given = { ...aggregate, waive };

        const { inputs, failures } = await provider.check({
            ...given,
            __findings: judgement(wide),
        });
        expect(failures).toEqual([]);
        engine.take();
        const another = await startProvider(engine.address);
        try {
            await another.check({ ...given, __findings: judgement(wide) }, inputs);
            expect(await another.diff(outputs, inputs)).toMatchObject({ changes: "none" });
            expect(told()).toEqual([
                `info: rule refresh_beyond_source_retention waived: raw data is restored; ${wide.message}`,
                "info: rule having waived, and does not apply: once there was one",
            ]);
            await another.update(outputs, inputs);
        } finally {
            await another.stop();
        }
    });

    it("is part of the plan document, with its rule", async () => {
        const { properties: outputs, inputs: before } = await standing();
        const waive = [{ rule: "child_window_shorter", reason: "no late rows" }];
        const given = { ...aggregate, waive, __findings: judgement(wide, late) };
        const { inputs } = await json.check(given, before);
        engine.take();

        await json.diff(outputs, inputs);

        const document = JSON.parse(engine.take()[0]?.message ?? "") as PlanDocument;
        expect(document).toMatchObject({
            result: "differs",
            refusals: [{ code: "refresh_beyond_source_retention", detail: wide.detail }],
            notes: [
                {
                    code: "waived",
                    rule: "child_window_shorter",
                    message: `rule child_window_shorter waived: no late rows; ${late.message}`,
                },
            ],
        });
    });

    it("is told without a database to compare with, as are the rules on the inputs alone", async () => {
        const elsewhere = { ...connection, port: 1 };
        const query = `${hourly.query} ORDER BY 1`;
        const fresh = resource("ContinuousAggregate", "fresh", {
            ...hourly,
            name: "fresh",
            query,
            connection: elsewhere,
            waive: [{ rule: "having", reason: "not to be told of" }],
        });

        await provider.check({ ...fresh, __findings: judgement(wide) });

        expect(told()).toEqual([
            expect.stringContaining("warning: not compared with the live database: "),
            "warning: the query of public.fresh has ORDER BY (order_by)",
            refusal,
        ]);
    });

    it("is not asked of a waiver that is malformed", async () => {
        const waive = [
            { rule: "refresh_beyond_retention", reason: "x" },
            { rule: "two_buckets", reason: "x" },
            { rule: "having" },
        ];

        const { failures } = await provider.check({ ...aggregate, waive });

        expect(failures.map(({ property, reason }) => [property, reason.split("\n")[0]])).toEqual([
            ["waive", "waive[0].rule is no rule"],
            ["waive", "rule two_buckets cannot be waived"],
            ["waive", "waive[2].reason is missing"],
        ]);
    });

    /** The aggregate without findings. */
    async function standing(): Promise<{ inputs: Properties; properties: Properties }> {
        const { inputs } = await provider.check(aggregate);
        const { properties } = await provider.create(inputs);
        engine.take();
        return { inputs, properties };
    }
});
