/**
 * The picture as text.
 */
import Table from "cli-table3";

import type { Connection } from "../../components/timescale/core/connection/connection";
import type { Picture } from "../picture";

/** Server, hypertables and aggregates. */
export function renderPicture(picture: Picture, target: string): string {
    const server = `TimescaleDB ${picture.timescaleVersion} on PostgreSQL ${picture.postgresVersion}, target ${target}`;
    const hypertables = table(
        ["hypertable", "chunks", "compress after", "keep"],
        picture.hypertables.map(({ name, chunkTimeInterval, compressAfter, dropAfter }) => [
            name,
            shorter(chunkTimeInterval),
            shorter(compressAfter),
            shorter(dropAfter) || "for ever",
        ]),
    );
    const aggregates = table(
        ["continuous aggregate", "bucket", "refreshes", "every", "compress after", "keep"],
        picture.aggregates.map((aggregate) => [
            aggregate.name,
            shorter(aggregate.bucket),
            aggregate.schedule === null
                ? "only by hand"
                : `${shorter(aggregate.startOffset) || "all"} to ${shorter(aggregate.endOffset) || "no time"} ago`,
            shorter(aggregate.schedule),
            shorter(aggregate.compressAfter),
            shorter(aggregate.dropAfter) || "for ever",
        ]),
    );
    return [server, hypertables, aggregates].join("\n\n");
}

/** How to reach the database with psql, without its password. */
export function renderConnection(connection: Connection): string {
    const { host, port, database, user, sslMode } = connection;
    const name = encodeURIComponent(database);
    const address = host.includes(":") ? `[${host}]` : host;
    return `postgresql://${encodeURIComponent(user)}@${address}:${port}/${name}?sslmode=${sslMode}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const drawn = new Table({
        head: [...head],
        // Colours of the table's own would ignore NO_COLOR.
        style: { head: [], border: [], compact: true },
        chars: {
            top: "",
            "top-mid": "",
            "top-left": "",
            "top-right": "",
            bottom: "",
            "bottom-mid": "",
            "bottom-left": "",
            "bottom-right": "",
            left: "",
            "left-mid": "",
            mid: "",
            "mid-mid": "",
            right: "",
            "right-mid": "",
            middle: "  ",
        },
    });
    drawn.push(...rows.map((row) => [...row]));
    return drawn.toString().replace(/ +$/gm, "");
}

/** `00:01:00` as `1 minute`: what the server spells as a clock reads better in words. */
export function shorter(interval: string | null): string {
    const clock = /^(?:(.+) )?(\d+):(\d\d):(\d\d)$/.exec(interval ?? "");
    if (clock === null) {
        return interval ?? "";
    }
    const [, before, hours, minutes, seconds] = clock;
    const parts = [
        [Number(hours), "hour"],
        [Number(minutes), "minute"],
        [Number(seconds), "second"],
    ] as const;
    const words = parts
        .filter(([count]) => count > 0)
        .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
    return [before, ...words].filter(Boolean).join(" ");
}
