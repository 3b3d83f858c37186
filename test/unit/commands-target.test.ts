/** Which server `npm start` works on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
    chooseTarget,
    type Probes,
    rememberedTarget,
    rememberTarget,
    requirePlugins,
    type Wish,
} from "../../commands/start/target";
import { workspaceIn } from "../../commands/start/workspace";

const wish: Wish = { asked: undefined, remembered: undefined, image: "timescale" };

/** A machine that has everything, but for what is said. */
function machine(obstacles: { daemon?: string; image?: string; plugins?: string } = {}): Probes {
    return {
        daemon: async () => obstacles.daemon,
        image: async () => obstacles.image,
        plugins: async () => obstacles.plugins,
    };
}

describe("the target", () => {
    it("is docker where everything it needs is there", async () => {
        expect(await chooseTarget(wish, machine())).toMatchObject({ target: "docker" });
    });

    it.each([
        ["daemon", "no Docker daemon answers"],
        ["plugins", "provider plugin docker 5.2.0 cannot be had"],
        ["image", "image timescale is not here and cannot be pulled"],
    ])("is embedded without the %s, and says why", async (what, obstacle) => {
        expect(await chooseTarget(wish, machine({ [what]: obstacle }))).toEqual({
            target: "embedded",
            why: `docker cannot be used: ${obstacle}`,
        });
    });

    it("stays what an earlier start has chosen, also when docker has come since", async () => {
        expect(await chooseTarget({ ...wish, remembered: "embedded" }, machine())).toEqual({
            target: "embedded",
            why: "as before",
        });
    });

    it("is the one asked for, whatever was before", async () => {
        expect(
            await chooseTarget({ ...wish, asked: "external", remembered: "docker" }, machine()),
        ).toEqual({ target: "external", why: "as asked for" });
    });

    it("is never silently another one than was named", async () => {
        const without = machine({ daemon: "no Docker daemon answers" });

        await expect(chooseTarget({ ...wish, remembered: "docker" }, without)).rejects.toThrow(
            "target docker cannot be used here",
        );
    });
});

describe("external", () => {
    it("needs the postgresql plugin only where the program manages access", async () => {
        const without = machine({ plugins: "provider plugin postgresql 3.18.1 cannot be had" });

        await expect(requirePlugins("external", false, without)).resolves.toBeUndefined();
        await expect(requirePlugins("external", true, without)).rejects.toThrow(
            "target external cannot be used here",
        );
    });
});

describe("the memory of the target", () => {
    const folder = mkdtempSync(join(tmpdir(), "target-test-"));
    const workspace = workspaceIn(folder);
    afterAll(() => rmSync(folder, { recursive: true }));

    it("is empty, then what was written, and refuses other words", () => {
        expect(rememberedTarget(workspace)).toBeUndefined();
        rememberTarget(workspace, "external");
        expect(rememberedTarget(workspace)).toBe("external");
        writeFileSync(workspace.targetFile, "cloud\n");
        expect(() => rememberedTarget(workspace)).toThrow('"cloud" is not a target');
    });
});
