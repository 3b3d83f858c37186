/** `pg` clients for tests, from the project's own connection type. */
import { Client, type ClientConfig } from "pg";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { clientConfig } from "../../components/timescale/core/connection/tls";

export { clientConfig };

/** Connects, runs `use`, and ends the client whatever happens. */
export async function withClient<T>(
    connection: Connection,
    use: (client: Client) => Promise<T>,
    config: ClientConfig = {},
): Promise<T> {
    const client = new Client({ ...clientConfig(connection), ...config });
    await client.connect();
    try {
        return await use(client);
    } finally {
        await client.end();
    }
}
