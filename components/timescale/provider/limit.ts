/** Bounds how many connections this process opens to one server at a time. */

/** The engine runs up to four operations a core at once; a server's max_connections is not ours alone. */
export const maximum = 8;

const running = new Map<string, number>();
const waiting = new Map<string, (() => void)[]>();

export async function limited<T>(server: string, work: () => Promise<T>): Promise<T> {
    if ((running.get(server) ?? 0) >= maximum) {
        await new Promise<void>((resolve) => {
            const queue = waiting.get(server) ?? [];
            queue.push(resolve);
            waiting.set(server, queue);
        });
    } else {
        running.set(server, (running.get(server) ?? 0) + 1);
    }
    try {
        return await work();
    } finally {
        const next = waiting.get(server)?.shift();
        // A waiting operation takes the place over; otherwise the place is free.
        if (next === undefined) running.set(server, (running.get(server) ?? 1) - 1);
        else next();
    }
}
