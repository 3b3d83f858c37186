/**
 * What an image would do to the data that its container's volume holds already: told in preview, and
 * refused before the container is replaced where the data cannot be opened. Pure.
 */
import { keys } from "../config/keys";
import { TimescaleError } from "../timescale/core/errors";
import type { Verdict } from "./refusals";
import { compareVersions } from "./version";

export interface ImageVersions {
    /** Major version of PostgreSQL; undefined: the tag does not tell. */
    readonly postgres: number | undefined;
    /** Version of TimescaleDB; undefined: the tag does not tell. */
    readonly timescale: string | undefined;
}

/** What stands on the volume now. */
export interface StandingData {
    readonly postgres: number;
    /** TimescaleDB in the Observatory's database; undefined: not known, or not there. */
    readonly timescale: string | undefined;
}

/** Reads tags such as `2.14.2-pg15`, `latest-pg16` and `pg15.6-ts2.14.2`. */
export function imageVersions(image: string): ImageVersions {
    const tag = /:([\w.-]+)(?:@|$)/.exec(image)?.[1] ?? "";
    const postgres = /(?:^|-)pg(\d+)(?:\D|$)/.exec(tag)?.[1];
    const timescale = /^(\d+\.\d+\.\d+)(?:-|$)/.exec(tag)?.[1] ?? /(?:^|-)ts(\d+\.\d+\.\d+)/.exec(tag)?.[1]; // prettier-ignore
    return { postgres: postgres === undefined ? undefined : Number(postgres), timescale };
}

/** Beside errors and warnings: what `up` will do, in a sentence. */
export interface ImageVerdict extends Verdict {
    readonly notices: readonly string[];
}

/** The volume of a new container. */
export function volumeOf(containerName: string): string {
    return `${containerName}-data`;
}

/**
 * @param standing what the volume holds; undefined: nothing yet
 * @param within major version that the image itself has, for a tag that does not tell; undefined: it is
 *   not on this machine, or does not tell either
 */
export function imageVerdict(
    image: string,
    standing: StandingData | "unknown" | undefined,
    within?: number,
): ImageVerdict {
    const nothing: ImageVerdict = { errors: [], warnings: [], notices: [] };
    if (standing === undefined) return nothing;
    if (standing === "unknown") return { ...nothing, warnings: [unknownData(image)] };
    const { timescale, ...told } = imageVersions(image);
    const postgres = told.postgres ?? within;
    if (postgres === undefined) {
        return { ...nothing, warnings: [unknownImage(image, standing.postgres)] };
    }
    if (postgres !== standing.postgres) {
        return { ...nothing, errors: [anotherMajor(image, postgres, standing)] };
    }
    const { timescale: installed } = standing;
    if (timescale === undefined || installed === undefined) return nothing;
    const order = compareVersions(timescale, installed);
    if (order < 0) return { ...nothing, errors: [olderExtension(image, timescale, installed)] };
    if (order === 0) return nothing;
    return {
        ...nothing,
        notices: [
            `extension timescaledb: ${installed} → ${timescale}, by ALTER EXTENSION UPDATE with jobs stopped, once the container is replaced`,
        ],
    };
}

function unknownData(image: string): TimescaleError {
    return new TimescaleError("nobody can tell whether a volume holds data already", {
        code: "volume_unknown",
        detail: "no server answers, and the docker command is not on PATH or cannot look into the volume",
        hint: `start the server, or see to it yourself that the volume is of the PostgreSQL of "${image}"`,
    });
}

function unknownImage(image: string, postgres: number): TimescaleError {
    return new TimescaleError(`image "${image}" does not tell its version of PostgreSQL`, {
        code: "image_version",
        detail: `the volume holds data of PostgreSQL ${postgres}, and no other version starts on it; the image is looked into once it is pulled, before the container is replaced`,
        hint: `take an image whose tag says -pg${postgres}`,
    });
}

export function anotherMajor(
    image: string,
    postgres: number,
    standing: Pick<StandingData, "postgres">,
): TimescaleError {
    const same = `${keys.image.default.replace(/-pg\d+$/, "")}-pg${standing.postgres}`;
    return new TimescaleError(
        `image "${image}" has PostgreSQL ${postgres}, and the volume holds data of PostgreSQL ${standing.postgres}`,
        {
            code: "postgres_major",
            detail: "PostgreSQL opens data of its own major version alone: the new container would not start, and the old one would be gone",
            hint: `pulumi config set image ${same}, or another that says -pg${standing.postgres}; to change the major version, make a stack with another containerName and move the data by pg_dump and pg_restore`,
        },
    );
}

function olderExtension(image: string, timescale: string, installed: string): TimescaleError {
    return new TimescaleError(
        `image "${image}" has TimescaleDB ${timescale}, and the database has ${installed}`,
        {
            code: "extension_version",
            detail: "an older TimescaleDB does not open a database of a newer one, and there is no way back",
            hint: `take an image of TimescaleDB ${installed} or newer`,
        },
    );
}
