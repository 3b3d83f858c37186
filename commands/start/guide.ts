/**
 * What `npm start` prints after the picture: how to connect, and how the plain CLI reaches the stack.
 */
import { delimiter, relative } from "node:path";

import type { Target } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { embeddedPort } from "../embedded/server";
import type { Engine } from "../engine";
import { renderConnection } from "../picture/render";
import { pulumiEnvironment, stackConfigFile, type Workspace } from "./workspace";

export interface Standing {
    readonly workspace: Workspace;
    readonly target: Target;
    readonly engine: Engine;
    readonly reader: Connection;
    readonly demo: boolean;
    /** Whether an embedded server goes on after this command. */
    readonly served: boolean;
}

export function renderGuide(standing: Standing): string {
    return [connect(standing), plainCli(standing), next(standing)]
        .map(([title, ...lines]) => [title, ...lines.map((line) => `  ${line}`)].join("\n"))
        .join("\n\n");
}

function connect({ target, reader, served }: Standing): readonly string[] {
    const psql = `psql "${renderConnection(reader)}"`;
    if (target === "embedded") {
        const serve =
            reader.port === embeddedPort
                ? "npm run serve"
                : `npm run serve -- --port ${reader.port}`;
        return [
            "Connect",
            ...(served ? [] : [`${serve}        keeps the database up; then, beside it:`]),
            `${psql}        (any password)`,
        ];
    }
    return [
        "Connect",
        psql,
        "its password is in the output reader: pulumi stack output reader --show-secrets (see below)",
    ];
}

function plainCli({ workspace, target, engine }: Standing): readonly string[] {
    const config = relative(workspace.root, stackConfigFile(workspace, target));
    return [
        `The plain CLI works on the same stack, from this folder${target === "embedded" ? ", while npm run serve runs" : ""}`,
        ...Object.entries(pulumiEnvironment(workspace)).map(
            ([name, value]) => `export ${name}='${value}'`,
        ),
        ...(engine.source === "path"
            ? []
            : [`export PATH='${engine.directory}'${delimiter}"$PATH"`]),
        `pulumi stack output reader --show-secrets --stack ${target}`,
        engine.languageHost
            ? `pulumi preview --stack ${target} --config-file ${config}`
            : // This engine was built without the Node language host, which that command adds.
              `npm run pulumi -- preview --stack ${target} --config-file ${config}`,
    ];
}

function next({ demo }: Standing): readonly string[] {
    return [
        "Next",
        ...(demo
            ? []
            : ["npm start -- --demo        loads generated traces and shows the aggregates"]),
        "npm start        after a change of components/ or sql/ makes it so",
        "npm start -- --destroy        takes the aggregates down again; raw data stays",
    ];
}
