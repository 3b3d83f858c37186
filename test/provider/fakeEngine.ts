/** The part of the engine that a provider process talks to: its log. Records what resources said. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
    GetRootResourceResponse,
    type LogRequest,
    LogSeverity,
} from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

export interface Said {
    readonly urn: string;
    readonly severity: "debug" | "info" | "warning" | "error";
    readonly message: string;
    /** On the resource's row until the next one, and stored nowhere. */
    readonly ephemeral: boolean;
}

export interface FakeEngine {
    readonly address: string;
    readonly said: readonly Said[];
    /** What has been said since the last call, without what is ephemeral. */
    take(): Said[];
    /** Ends as a killed engine does: connections are cut and nobody listens any more. */
    kill(): void;
}

const severities: Readonly<Record<number, Said["severity"]>> = {
    [LogSeverity.DEBUG]: "debug",
    [LogSeverity.INFO]: "info",
    [LogSeverity.WARNING]: "warning",
    [LogSeverity.ERROR]: "error",
};

type Unary<Request, Response> = (
    call: { readonly request: Request },
    callback: (error: null, response: Response) => void,
) => void;

export async function startFakeEngine(): Promise<FakeEngine> {
    const said: Said[] = [];
    let taken = 0;
    const log: Unary<LogRequest, Empty> = ({ request }, callback) => {
        said.push({
            urn: request.getUrn(),
            severity: severities[request.getSeverity()] ?? "debug",
            message: request.getMessage(),
            ephemeral: request.getEphemeral(),
        });
        callback(null, new Empty());
    };
    const getRootResource: Unary<unknown, GetRootResourceResponse> = (_call, callback) => {
        callback(null, new GetRootResourceResponse());
    };
    const server = new Server();
    server.addService(EngineService, { log, getRootResource });
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
            if (error === null) resolve(bound);
            else reject(error);
        });
    });
    return {
        address: `127.0.0.1:${port}`,
        said,
        take() {
            const news = said.slice(taken).filter(({ ephemeral }) => !ephemeral);
            taken = said.length;
            return news;
        },
        kill: () => server.forceShutdown(),
    };
}

/** What was said but for the statements that `up` would run. */
export function withoutPlans<Said extends { readonly message: string }>(
    said: readonly Said[],
): Said[] {
    return said.filter(({ message }) => !message.startsWith("plan:\n"));
}
