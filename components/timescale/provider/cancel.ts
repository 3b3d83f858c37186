/**
 * The engine's word that the first Ctrl-C was pressed. It sends it to every provider, and Pulumi's host
 * for dynamic providers answers without passing it on; so it is overheard at the host's server.
 */
import { Server } from "node:net";

const cancelled = new AbortController();
let listening = false;

/** Where the engine's requests arrive, as HTTP/2 has it. */
const path = "/pulumirpc.ResourceProvider/Cancel";

/** Aborted by the first Ctrl-C. Where it cannot be overheard it never is, and Ctrl-C waits for the whole fill. */
export function stopRequested(): AbortSignal {
    if (!listening) {
        listening = true;
        for (const server of servers()) {
            server.on("stream", (_stream: unknown, headers: Readonly<Record<string, unknown>>) => {
                if (headers[":path"] === path) cancelled.abort();
            });
        }
    }
    return cancelled.signal;
}

/** Node keeps no public list of them. */
function servers(): Server[] {
    const { _getActiveHandles } = process as unknown as {
        readonly _getActiveHandles?: () => unknown[];
    };
    const handles = _getActiveHandles?.call(process) ?? [];
    return handles.filter((handle) => handle instanceof Server);
}
