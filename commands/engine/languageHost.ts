/**
 * A Node language host for an engine that was built without one: Pulumi publishes none as a Go module. It runs the
 * program by the entry point that the official host uses as well, which is part of `@pulumi/pulumi`.
 *
 * The engine starts it, reads its port from the first line, and ends it.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb";
import language from "@pulumi/pulumi/proto/language_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";

/** By which `@pulumi/pulumi` says that it has told the user what went wrong. */
const alreadyTold = 32;

const engine = process.argv.slice(2).findLast((argument) => !argument.startsWith("-")) ?? "";
const parent = process.ppid;

const server = new Server();
server.addService(languageService.LanguageRuntimeService, {
    getPluginInfo: (_: unknown, answer: sendUnaryData<plugin.PluginInfo>) => {
        answer(null, new plugin.PluginInfo().setVersion("1.0.0"));
    },
    // What the program uses is asked for when it registers its first resource of it.
    getRequiredPackages: (
        _: unknown,
        answer: sendUnaryData<language.GetRequiredPackagesResponse>,
    ) => {
        answer(null, new language.GetRequiredPackagesResponse());
    },
    getRequiredPlugins: (
        _: unknown,
        answer: sendUnaryData<language.GetRequiredPluginsResponse>,
    ) => {
        answer(null, new language.GetRequiredPluginsResponse());
    },
    run: (
        { request }: ServerUnaryCall<language.RunRequest, language.RunResponse>,
        answer: sendUnaryData<language.RunResponse>,
    ) => {
        run(request).then(
            (response) => answer(null, response),
            (error: unknown) => answer(error as Error),
        );
    },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    process.stdout.write(`${port}\n`);
});
// An engine that was killed has not ended it.
setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
}, 1000).unref();

async function run(request: language.RunRequest): Promise<language.RunResponse> {
    const info = request.getInfo();
    const folder = info?.getProgramDirectory() ?? request.getPwd();
    const nodeargs = info?.getOptions()?.getFieldsMap().get("nodeargs")?.getStringValue() ?? "";
    const flags: Readonly<Record<string, string>> = {
        organization: request.getOrganization(),
        project: request.getProject(),
        "root-directory": info?.getRootDirectory() ?? "",
        stack: request.getStack(),
        parallel: String(request.getParallel()),
        pwd: request.getPwd(),
        monitor: request.getMonitorAddress(),
        engine,
    };
    const given = Object.entries(flags).filter(([, value]) => value !== "");
    const child = spawn(
        process.execPath,
        [
            ...nodeargs.split(/\s+/).filter(Boolean),
            join(folder, "node_modules", "@pulumi", "pulumi", "cmd", "run"),
            ...given.map(([name, value]) => `--${name}=${value}`),
            ...(request.getDryrun() ? ["--dry-run"] : []),
            join(folder, info?.getEntryPoint() ?? "."),
            ...request.getArgsList(),
        ],
        {
            cwd: folder,
            env: {
                ...process.env,
                PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
                PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            },
            stdio: ["ignore", "inherit", "inherit"],
        },
    );
    const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
    });
    const response = new language.RunResponse();
    if (code === alreadyTold) return response.setBail(true);
    return code === 0 ? response : response.setError(`the program ended with code ${code}`);
}
