/** What an image would do to the data of its volume. */
import { imageVerdict, imageVersions } from "../../components/server/dockerImage";

describe("an image", () => {
    it.each([
        ["timescale/timescaledb:2.14.2-pg15", 15, "2.14.2"],
        ["timescale/timescaledb:2.14.2-pg16@sha256:abc", 16, "2.14.2"],
        ["registry:5000/timescale/timescaledb:latest-pg16", 16, undefined],
        ["timescale/timescaledb-ha:pg15.6-ts2.14.2", 15, "2.14.2"],
        ["timescale/timescaledb-ha:pg15-ts2.14.2-all", 15, "2.14.2"],
        ["timescale/timescaledb@sha256:abc", undefined, undefined],
        ["registry:5000/timescaledb", undefined, undefined],
    ])("%s tells its versions", (image, postgres, timescale) => {
        expect(imageVersions(image)).toEqual({ postgres, timescale });
    });
});

describe("a volume", () => {
    const standing = { postgres: 15, timescale: "2.14.1" };
    const image = "timescale/timescaledb:2.14.2-pg15";

    it("that is new takes any image", () => {
        expect(imageVerdict("x", undefined)).toEqual({ errors: [], warnings: [], notices: [] });
    });

    it("of another major version refuses the image, with one that fits", () => {
        const { errors } = imageVerdict("timescale/timescaledb:2.14.2-pg16", standing);

        expect(errors).toMatchObject([
            {
                code: "postgres_major",
                message:
                    'image "timescale/timescaledb:2.14.2-pg16" has PostgreSQL 16, and the volume holds data of PostgreSQL 15',
                hint: expect.stringContaining(
                    "pulumi config set image timescale/timescaledb:2.14.2-pg15",
                ) as string,
            },
        ]);
    });

    it("of a newer TimescaleDB refuses the image", () => {
        const { errors } = imageVerdict(image, { ...standing, timescale: "2.15.0" });

        expect(errors).toMatchObject([{ code: "extension_version" }]);
    });

    it("of an older TimescaleDB is told of its update", () => {
        expect(imageVerdict(image, standing)).toEqual({
            errors: [],
            warnings: [],
            notices: [
                "extension timescaledb: 2.14.1 → 2.14.2, by ALTER EXTENSION UPDATE with jobs stopped, once the container is replaced",
            ],
        });
    });

    it("is judged by what the image has where the tag does not tell", () => {
        const unnamed = "registry:5000/timescaledb:latest";

        expect(imageVerdict(unnamed, standing, 16).errors).toMatchObject([
            {
                code: "postgres_major",
                message: `image "${unnamed}" has PostgreSQL 16, and the volume holds data of PostgreSQL 15`,
            },
        ]);
        expect(imageVerdict(unnamed, standing, 15)).toEqual({
            errors: [],
            warnings: [],
            notices: [],
        });
    });

    it("of which nobody can tell what it holds is warned of", () => {
        expect(imageVerdict(image, "unknown")).toMatchObject({
            errors: [],
            warnings: [{ code: "volume_unknown" }],
        });
    });

    it("of the same versions has nothing to say, and warns of a tag that does not tell", () => {
        const same = { postgres: 15, timescale: "2.14.2" };
        expect(imageVerdict(image, same)).toEqual({ errors: [], warnings: [], notices: [] });
        const { errors, warnings } = imageVerdict("timescale/timescaledb@sha256:abc", same);
        expect(errors).toEqual([]);
        expect(warnings).toMatchObject([
            { code: "image_version", hint: "take an image whose tag says -pg15" },
        ]);
    });
});
