/** The rules that one declaration alone can break; no server is needed. */
import type { DesiredAggregate } from "../aggregate/spec";
import type { DesiredHypertable } from "../hypertable/spec";
import { displayName } from "../identifier";
import { lengthOf } from "../interval";
import { bucketWidth } from "../query/query";
import { chunkFindings } from "./chunks";
import type { Finding } from "./finding";
import { shapeFindings } from "./queryShape";
import { lengthIn, retentionOf, type Windowed, windowFindings } from "./windows";

export function aggregateFindings(desired: DesiredAggregate): Finding[] {
    const windowed = windowedAggregate(desired);
    return [
        ...windowFindings(windowed),
        ...chunkFindings({
            title: windowed.title,
            chunk: lengthIn(desired.chunkTimeInterval),
            bucket: windowed.bucket,
            retention: retentionOf(windowed),
        }),
        ...shapeFindings(windowed.title, desired.query),
    ];
}

export function windowedAggregate(desired: DesiredAggregate): Windowed {
    const width = bucketWidth(desired.query);
    return {
        title: displayName(desired),
        refreshPolicy: desired.refreshPolicy as Windowed["refreshPolicy"],
        retentionPolicy: desired.retentionPolicy as Windowed["retentionPolicy"],
        bucket: width === undefined ? undefined : lengthOf(width),
    };
}

export function hypertableFindings(desired: DesiredHypertable): Finding[] {
    const title = displayName(desired);
    const retentionPolicy = desired.retentionPolicy as Windowed["retentionPolicy"];
    return chunkFindings({
        title,
        chunk: lengthIn(desired.chunkTimeInterval),
        retention: retentionOf({ title, retentionPolicy }),
    });
}
