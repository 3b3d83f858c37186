/** Jest's global teardown: stops the servers that `globalSetup.ts` started. */
export default async function globalTeardown(): Promise<void> {
    await globalThis.startedTestServers?.stop();
}
