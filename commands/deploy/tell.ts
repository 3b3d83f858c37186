/** What a deploy prints on standard output. */
import type { Picture } from "../picture";
import { renderPicture } from "../picture/render";
import { coloursOf } from "../progress";
import { nothingChanged, type Summary } from "../start/events";
import { pulumiEnvironment, type Workspace } from "../start/workspace";
import { describeResults, resultsAsJson } from "../verify/report";
import type { Result } from "../verify/result";
import type { DeployOptions } from "./options";
import type { Place } from "./place";

export function titleOf({ name, connection }: Place): string {
    return connection === undefined
        ? `stack ${name}`
        : `database ${connection.database} at ${connection.host}:${connection.port}, stack ${name}`;
}

interface Told {
    readonly workspace: Workspace;
    readonly place: Place;
    readonly options: DeployOptions;
    readonly summary: Summary;
    readonly picture: Picture;
    readonly results: readonly Result[] | undefined;
}

export function tell({ workspace, place, options, summary, picture, results }: Told): void {
    if (options.json) {
        print({
            outcome: nothingChanged(summary) ? "unchanged" : "deployed",
            ...whereOf(place),
            changes: summary.changes,
            picture,
            ...(results !== undefined && { verification: resultsAsJson(results) }),
            environment: pulumiEnvironment(workspace),
        });
        return;
    }
    const out = coloursOf(process.stdout);
    const parts = [
        renderPicture(picture, place.target),
        ...(results === undefined ? [] : [describeResults(results, out)]),
    ];
    process.stdout.write(parts.map((part) => `\n${part}\n`).join(""));
}

export function whereOf({ name, target, connection }: Place): object {
    return {
        stack: name,
        target,
        ...(connection !== undefined && {
            database: {
                host: connection.host,
                port: connection.port,
                name: connection.database,
                user: connection.user,
            },
        }),
    };
}

export function print(result: object): void {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}
