import {
    buildingMarker,
    fillMarker,
    keptMarker,
    parseMarker,
    replacedMarker,
} from "../../components/timescale/core/memory/marker";

describe("the marker on a materialization table", () => {
    it("says that the first fill is not over", () => {
        expect(parseMarker(fillMarker)).toEqual({ filling: true });
    });

    it("says under which name an aggregate stood that was kept", () => {
        expect(parseMarker(keptMarker('public."we""ird"'))).toEqual({
            filling: false,
            keptFrom: 'public."we""ird"',
        });
    });

    it("says under which name a version stood that was replaced", () => {
        expect(parseMarker(replacedMarker("public.hourly"))).toEqual({
            filling: false,
            replacedFrom: "public.hourly",
        });
    });

    it("says how far the building of a new version has come", () => {
        const building = { of: "public.hourly", cut: "2026-01-01T00:00:00.000000Z", copied: "x" };

        expect(parseMarker(buildingMarker(building))).toEqual({ filling: true, building });
    });

    it.each([
        ["nothing", null],
        ["someone else's comment", "first fill of the pool"],
        ["a comment of a later version", "pulumi-timescale: something new"],
        ["a state that it cannot read", "pulumi-timescale: building {…"],
    ])("is not read into %s", (_what, comment) => {
        expect(parseMarker(comment)).toEqual({ filling: false });
    });
});
