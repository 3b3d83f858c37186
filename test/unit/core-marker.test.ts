import { fillMarker, keptMarker, parseMarker } from "../../components/timescale/core/marker";

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

    it.each([
        ["nothing", null],
        ["someone else's comment", "first fill of the pool"],
        ["a comment of a later version", "pulumi-timescale: something new"],
    ])("is not read into %s", (_what, comment) => {
        expect(parseMarker(comment)).toEqual({ filling: false });
    });
});
