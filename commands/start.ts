/**
 * `npm start`: from a fresh clone to a TimescaleDB with everything that the program declares, by a real
 * `pulumi up`; and the way back.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { TimescaleError } from "../components/timescale/core/errors";
import program from "../index";
import { loadDemo } from "./demo/load";
import { endWith } from "./ending";
import { renderPicture } from "./picture/render";
import { coloursOf, withStep } from "./progress";
import { bringUp, type Outputs } from "./start/bringUp";
import { confirm, removeEverything, rollBack } from "./start/destroy";
import { forgetForeignSettings } from "./start/foreignSettings";
import { renderGuide } from "./start/guide";
import { listenForInterrupts } from "./start/interrupts";
import { parseOptions, type StartOptions } from "./start/options";
import { bindToReview } from "./start/reviewedFile";
import { findEngine, findTarget, prepareStack, serveEmbedded } from "./start/session";
import { checkStanding } from "./start/standing";
import { lockWorkspace } from "./start/startLock";
import { rememberedTarget, rememberTarget } from "./start/target";
import { pulumiEnvironment, stackFolder, type Workspace, workspaceIn } from "./start/workspace";
import { verifyDatabase } from "./verify/command";
import { describeResults, resultsAsJson } from "./verify/report";
import { exitCodeOf } from "./verify/result";

const interrupts = listenForInterrupts();

async function main(): Promise<void> {
    const options = parseOptions(process.argv.slice(2));
    forgetForeignSettings();
    bindToReview(process.env);
    const workspace = workspaceIn(dirname(__dirname));
    const release = await withStep("starting", async (step) => {
        const held = await lockWorkspace(workspace, step.report);
        step.done("LLM Observatory");
        return held;
    });
    try {
        await (options.destroy ? takeDown(workspace, options) : standUp(workspace, options));
    } finally {
        await release();
    }
}

async function standUp(workspace: Workspace, options: StartOptions): Promise<void> {
    const engine = await findEngine();
    const { target, why } = await findTarget(workspace, engine, options);
    const prepared = await prepareStack(workspace, engine, target, options, program, interrupts);
    rememberTarget(workspace, target);
    const embedded = target === "embedded" ? await serveEmbedded(workspace, prepared) : undefined;
    try {
        const { summary, outputs } = await bringUp(prepared, interrupts);
        const demo = options.demo ? await loadTraces(outputs) : [];
        const picture = await checkStanding(prepared, outputs);
        const { schema, slaTargets, policies, helpers } = prepared.config;
        const results = await verifyDatabase(
            outputs.owner,
            { schema, slaTargets, policies, helpers, quick: true },
            interrupts,
        );
        if (options.json) {
            const { password: _kept, ...reader } = outputs.reader;
            const result = {
                target,
                why,
                engine: { version: engine.version, source: engine.source },
                changes: summary.changes,
                picture,
                verification: resultsAsJson(results),
                reader,
                environment: pulumiEnvironment(workspace),
            };
            process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
        } else {
            const guide = renderGuide({
                workspace,
                target,
                engine,
                reader: outputs.reader,
                demo: options.demo,
                served: embedded?.owned === false,
            });
            const checks = describeResults(results, coloursOf(process.stdout));
            const parts = [...demo, renderPicture(picture, target), checks, guide];
            process.stdout.write(parts.map((part) => `\n${part}\n`).join(""));
        }
        if (exitCodeOf(results) === 2) throw checksFailed();
    } finally {
        await embedded?.close();
    }
}

function checksFailed(): TimescaleError {
    return new TimescaleError("the stack stands, and does not pass its checks", {
        code: "checks_failed",
        detail: "what is wrong is said above, under the number of each check",
        hint: "npm run verify runs them again",
    });
}

/** Gives the first lines of each aggregate. */
async function loadTraces(outputs: Outputs): Promise<readonly string[]> {
    return withStep("loading generated traces", async (step) => {
        const said: string[] = [];
        const { traces, inserted } = await loadDemo({
            ...outputs,
            report: step.report,
            say: (text) => void said.push(text),
        });
        step.done(`loaded generated traces: ${inserted} of ${traces} are new`);
        return said;
    });
}

async function takeDown(workspace: Workspace, options: StartOptions): Promise<void> {
    const target = options.target ?? rememberedTarget(workspace);
    if (target === undefined || !existsSync(stackFolder(workspace, target))) {
        throw new TimescaleError("there is nothing to destroy", {
            code: "nothing_to_destroy",
            detail: `no npm start has made a stack${target === undefined ? "" : ` of target ${target}`} in this folder`,
            hint: "stacks of other targets are named by --target",
        });
    }
    if (options.withData) {
        await confirm(`all data, roles and state of target ${target}`, options.yes);
    }
    const engine = await findEngine();
    await findTarget(workspace, engine, options);
    const prepared = await prepareStack(workspace, engine, target, options, program, interrupts);
    const embedded = target === "embedded" ? await serveEmbedded(workspace, prepared) : undefined;
    try {
        if (options.withData) {
            await removeEverything(workspace, prepared, embedded, interrupts);
        } else {
            await rollBack(prepared, interrupts);
            process.stdout.write(
                "\nRaw data, server, roles and state stay; npm start puts the aggregates back.\n",
            );
        }
    } finally {
        await embedded?.close();
    }
}

endWith(main());
