/**
 * Messages on a resource's own row and in its own diagnostics. The dynamic provider SDK offers only
 * console output without a resource; the engine's log service takes the URN.
 */
import { credentials, status as grpcStatus } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { GetRootResourceRequest, LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export type Severity = "info" | "warning" | "error";

const severities = {
    info: LogSeverity.INFO,
    warning: LogSeverity.WARNING,
    error: LogSeverity.ERROR,
} as const satisfies Record<Severity, number>;

/** Nobody listens at the engine's address any more. */
const engineGone = grpcStatus.UNAVAILABLE;

let client: EngineClient | undefined;

/** The engine passes its address as the provider process's first argument. */
function engine(): EngineClient | undefined {
    const address = process.argv[2];
    if (client === undefined && address !== undefined && /^[\w.[\]:-]+:\d+$/.test(address)) {
        client = new EngineClient(address, credentials.createInsecure());
    }
    return client;
}

/**
 * Asks the engine once a second whether it is still there. When it was killed, nobody is left to
 * work for and nobody would end this process: it stops by itself, and the next `up` goes on.
 */
export function stopWithEngine(): void {
    const service = engine();
    if (service === undefined || watching) return;
    watching = true;
    setInterval(() => {
        service.getRootResource(new GetRootResourceRequest(), (error) => {
            if (error?.code === engineGone) process.exit(1);
        });
    }, 1000).unref();
}

let watching = false;

/** With refresh on, the engine diffs twice: what was said once is not said again. */
const said = new Set<string>();

/** A line under the resource's diagnostics; stored nowhere, so it cannot cause a difference. */
export function report(urn: string, severity: Severity, message: string): void {
    const key = `${urn}\0${severity}\0${message}`;
    if (said.has(key)) return;
    said.add(key);
    send(urn, severities[severity], message, false);
}

/** What the resource is busy with, on its row, until the next status. */
export function status(urn: string, text: string): void {
    send(urn, LogSeverity.INFO, text, true);
}

/** Repeats the latest status every second while `work` runs, so that the row shows that it goes on. */
export async function withStatus<T>(
    urn: string,
    work: (show: (text: string) => void) => Promise<T>,
): Promise<T> {
    let latest = "";
    const started = Date.now();
    const timer = setInterval(() => {
        const seconds = Math.round((Date.now() - started) / 1000);
        status(urn, latest === "" ? `working (${seconds} s)` : latest);
    }, 1000);
    try {
        return await work((text) => {
            if (text === latest) return;
            latest = text;
            status(urn, text);
        });
    } finally {
        clearInterval(timer);
    }
}

function send(urn: string, severity: LogSeverity, message: string, ephemeral: boolean): void {
    const service = engine();
    if (service === undefined) return;
    const request = new LogRequest();
    request.setUrn(urn);
    request.setSeverity(severity);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    // The engine takes calls side by side, and what is said of one resource has an order.
    const sending = (latest.get(urn) ?? Promise.resolve()).then(
        () =>
            new Promise<void>((resolve) => {
                // A message that is lost is no reason to fail.
                service.log(request, () => resolve());
            }),
    );
    latest.set(urn, sending);
    undelivered.add(sending);
    void sending.then(() => undelivered.delete(sending));
}

/** The last message of each resource. */
const latest = new Map<string, Promise<void>>();

const undelivered = new Set<Promise<void>>();

/** Resolves when everything that was said so far has reached the engine, or cannot any more. */
export async function delivered(): Promise<void> {
    await Promise.all(undelivered);
}
