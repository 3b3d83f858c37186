/** The real provider process, as the engine starts it, over gRPC. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";

import { credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import {
    CheckRequest,
    type CheckResponse,
    ConfigureRequest,
    CreateRequest,
    type CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    ErrorResourceInitFailed,
    ReadRequest,
    type ReadResponse,
    UpdateRequest,
    type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Properties = Readonly<Record<string, unknown>>;

export interface ProviderProcess {
    check(news: Properties, olds?: Properties): Promise<Checked>;
    diff(olds: Properties, news: Properties): Promise<Diffed>;
    create(inputs: Properties): Promise<{ readonly id: string; readonly properties: Properties }>;
    read(id: string, properties: Properties): Promise<Read>;
    update(olds: Properties, news: Properties): Promise<Properties>;
    delete(properties: Properties): Promise<void>;
    /** All that came out of it: answers without their `connection`, errors, and what it printed. */
    readonly uttered: readonly string[];
    /** Resolves with the exit code. */
    readonly ended: Promise<number | null>;
    stop(): Promise<void>;
}

export interface Checked {
    readonly inputs: Properties;
    readonly failures: readonly { readonly property: string; readonly reason: string }[];
}

export interface Diffed {
    readonly changes: "none" | "some" | "unknown";
    readonly replaces: readonly string[];
}

export interface Read {
    readonly id: string;
    readonly properties: Properties;
    readonly inputs: Properties | undefined;
}

/** The resource stands, and is not finished: the engine records it and the next `up` updates it. */
export class InitFailed extends Error {
    override readonly name = "InitFailed";

    constructor(
        readonly id: string,
        readonly properties: Properties,
        readonly reasons: readonly string[],
    ) {
        super(reasons.join("\n"));
    }
}

/** The project's own folder, from which its programs run. */
export const projectFolder = path.join(__dirname, "..", "..");

/** Starts it for a program in `cwd`; the engine's address is what the process reports to. */
export async function startProvider(
    engine: string,
    cwd = projectFolder,
    environment: NodeJS.ProcessEnv = {},
): Promise<ProviderProcess> {
    const host = path.join(projectFolder, "node_modules/@pulumi/pulumi/cmd/dynamic-provider");
    const child = spawn(process.execPath, [host, engine], {
        cwd,
        env: {
            ...process.env,
            PULUMI_NODEJS_PROJECT: "llm-observatory",
            PULUMI_NODEJS_STACK: "test",
            ...environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    const uttered: string[] = [];
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const port = await readPort(child, uttered);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());

    /** Calls one method, and keeps what came back. */
    const call = async <Request, Response extends { toObject(): unknown }>(
        method: (
            this: ResourceProviderClient,
            request: Request,
            callback: (error: ServiceError | null, response: Response) => void,
        ) => unknown,
        request: Request,
    ): Promise<Response> =>
        new Promise((resolve, reject) => {
            method.call(client, request, (error, response) => {
                if (error === null) resolve(response);
                else {
                    uttered.push(error.message);
                    reject(initFailed(error.metadata) ?? error);
                }
            });
        });
    const keep = <T>(answer: T): T => {
        uttered.push(
            JSON.stringify(answer, (key, value: unknown) => (key === "connection" ? "…" : value)),
        );
        return answer;
    };

    await call(
        client.configure,
        setAll(new ConfigureRequest(), (request) => request.setArgs(struct({}))),
    );
    return {
        async check(news, olds = {}) {
            const request = setAll(new CheckRequest(), (to) => {
                to.setNews(struct(news));
                to.setOlds(struct(olds));
            });
            const response: CheckResponse = await call(client.check, request);
            return keep({
                inputs: values(response.getInputs()),
                failures: response.getFailuresList().map((failure) => failure.toObject()),
            });
        },
        async diff(olds, news) {
            const request = setAll(new DiffRequest(), (to) => {
                to.setId("id");
                to.setOlds(struct(olds));
                to.setNews(struct(news));
            });
            const response: DiffResponse = await call(client.diff, request);
            const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
            const changes = response.getChanges();
            return keep({
                changes:
                    changes === DIFF_NONE ? "none" : changes === DIFF_SOME ? "some" : "unknown",
                replaces: response.getReplacesList(),
            });
        },
        async create(inputs) {
            const request = setAll(new CreateRequest(), (to) => to.setProperties(struct(inputs)));
            const response: CreateResponse = await call(client.create, request);
            return keep({ id: response.getId(), properties: values(response.getProperties()) });
        },
        async read(id, properties) {
            const request = setAll(new ReadRequest(), (to) => {
                to.setId(id);
                to.setProperties(struct(properties));
            });
            const response: ReadResponse = await call(client.read, request);
            const inputs = response.getInputs();
            return keep({
                id: response.getId(),
                properties: values(response.getProperties()),
                inputs: inputs === undefined ? undefined : values(inputs),
            });
        },
        async update(olds, news) {
            const request = setAll(new UpdateRequest(), (to) => {
                to.setId("id");
                to.setOlds(struct(olds));
                to.setNews(struct(news));
            });
            const response: UpdateResponse = await call(client.update, request);
            return keep(values(response.getProperties()));
        },
        async delete(properties) {
            const request = setAll(new DeleteRequest(), (to) => {
                to.setId("id");
                to.setProperties(struct(properties));
            });
            await call(client.delete, request);
        },
        uttered,
        ended,
        stop: async () => {
            client.close();
            child.kill();
            await ended;
        },
    };
}

function setAll<Request>(request: Request, set: (request: Request) => unknown): Request {
    set(request);
    return request;
}

/** Undefined properties do not reach the engine. */
function struct(properties: Properties): Struct {
    const clean: unknown = JSON.parse(JSON.stringify(properties));
    return Struct.fromJavaScript(clean as Record<string, JavaScriptValue>);
}

function values(properties: Struct | undefined): Properties {
    return properties?.toJavaScript() ?? {};
}

/** gRPC has no room for a value beside an error, so the provider protocol puts it into the trailers. */
function initFailed(metadata: Metadata | undefined): InitFailed | undefined {
    const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
    if (bytes === undefined) return undefined;
    const [detail] = Status.deserializeBinary(bytes as Buffer).getDetailsList();
    if (detail === undefined) return undefined;
    const failed = ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    return new InitFailed(failed.getId(), values(failed.getProperties()), failed.getReasonsList());
}

/** The process prints its port first. */
async function readPort(child: ChildProcess, uttered: string[]): Promise<number> {
    return new Promise((resolve, reject) => {
        let output = "";
        child.stdout?.on("data", (bytes: Buffer) => {
            uttered.push(String(bytes));
            output += String(bytes);
            const port = /^(\d+)\n/.exec(output)?.[1];
            if (port !== undefined) resolve(Number(port));
        });
        child.stderr?.on("data", (bytes: Buffer) => uttered.push(String(bytes)));
        child.once("error", reject);
        child.once("close", (code) => {
            reject(
                new Error(`the provider process ended with ${String(code)}: ${uttered.join("")}`),
            );
        });
    });
}
