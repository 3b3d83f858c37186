/** What stands on a container's volume, asked of a real server. */
import { standingData } from "../../components/server/standingData";
import { onServersWithSessions } from "./onEveryServer";

onServersWithSessions("the server of a container", (target) => {
    const container = (password: string): Parameters<typeof standingData>[0] => {
        const { host, port, user, sslMode, database } = target.database.admin;
        return {
            ...{ host, port, sslMode, sslRootCert: undefined, database },
            admin: { user, password },
            docker: {
                image: "x",
                containerName: "observatory-test-none",
                memory: 2048,
                sharedBuffers: "512MB",
                maxWorkerProcesses: 27,
                maxBackgroundWorkers: 16,
                waitTimeout: 300,
            },
        };
    };

    it("is told by the server", async () => {
        const { password } = target.database.admin;

        expect(await standingData(container(password), "/nowhere")).toEqual({
            postgres: expect.any(Number) as number,
            timescale: target.server.version,
        });
    });

    it("is not known where neither server nor container answers", async () => {
        const nobody = { ...container("x"), port: 1 };

        expect(await standingData(nobody, "/nowhere")).toBeUndefined();
    });
});
