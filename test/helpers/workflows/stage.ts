/** What the workflows work on: commits of this project, a forge, an engine with its backend, and two stacks. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import type { Connection } from "../../../components/timescale";
import { engineDirectory } from "../engineStack";
import { temporaryFolder } from "../programFolder";
import { startForge } from "./forgeServer";
import { openProject, type Project } from "./project";
import type { Runner } from "./run";

export interface Stage {
    readonly runner: Runner;
    readonly project: Project;
    /** The newest commit of the main branch. */
    main: string;
    readonly close: () => Promise<void>;
}

/** @param databases by stack: one that stands, as its owner */
export async function createStage(databases: Readonly<Record<string, Connection>>): Promise<Stage> {
    const directory = engineDirectory();
    if (directory === undefined) throw new Error("there is no Pulumi engine");
    const folder = temporaryFolder("observatory-workflows-");
    const [home, backend] = [join(folder, "home"), join(folder, "backend")];
    for (const one of [home, backend]) mkdirSync(one);
    const secrets = {
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_ACCESS_TOKEN: "",
        PULUMI_CONFIG_PASSPHRASE: secret(),
    };
    const environment = {
        PATH: [directory, dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(
            ":",
        ),
        HOME: home,
    };
    const project = openProject();
    const files = await configure(project.commit({}), databases);
    const forge = await startForge();
    const stage: Stage = {
        project,
        main: project.commit(
            Object.fromEntries(Object.entries(files).map(([path, text]) => [path, () => text])),
        ),
        runner: {
            forge,
            folder,
            environment,
            checkout: (into, commit) => project.checkout(into, commit ?? stage.main),
            secrets: Object.fromEntries(
                Object.keys(databases)
                    .flatMap((stack) => [stack, `preview-${stack}`])
                    .map((name) => [name, secrets]),
            ),
        },
        close: () => forge.stop(),
    };
    return stage;

    /** Sets the stacks up and brings them to this commit; gives their files as Pulumi has completed them. */
    async function configure(
        commit: string,
        stacks: Readonly<Record<string, Connection>>,
    ): Promise<Readonly<Record<string, string>>> {
        const work = join(folder, "configured");
        mkdirSync(work);
        project.checkout(work, commit);
        const files = await Promise.all(
            Object.entries(stacks).map(
                async ([stack, { host, port, database, sslMode, password }]) => {
                    const run = async (
                        command: string,
                        ...args: readonly string[]
                    ): Promise<unknown> =>
                        promisify(execFile)(command, [...args, "--stack", stack], {
                            cwd: work,
                            env: { ...environment, ...secrets },
                        });
                    const plain = {
                        host,
                        port,
                        database,
                        sslMode,
                        manageAccess: false,
                        helpers: false,
                    };
                    // Nobody logs in with those of the other two here.
                    const passwords = { owner: password, writer: secret(), reader: secret() };
                    await run("pulumi", "stack", "init", "--non-interactive");
                    await run(
                        ...(["pulumi", "config", "set-all"] as const),
                        ...Object.entries(plain).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]), // prettier-ignore
                        ...Object.entries(passwords).flatMap(([key, value]) => ["--secret", `${key}Password=${value}`]), // prettier-ignore
                    );
                    await run("npm", "run", "pulumi", "--", "up", "--yes", "--non-interactive");
                    const file = `Pulumi.${stack}.yaml`;
                    return [file, readFileSync(join(work, file), "utf8")] as const;
                },
            ),
        );
        return Object.fromEntries(files);
    }
}

function secret(): string {
    return randomBytes(16).toString("hex");
}
