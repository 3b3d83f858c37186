/** Imports for tests: the program that an import generates, run over the database that it was made from. */
import { generate } from "../../commands/import/program";
import { type Imported, readDatabase } from "../../commands/import/read";
import type { Undeclared } from "../../commands/import/standing";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withSession } from "../../components/timescale/core/connection/session";
import { declaredBy, type DeclaredResource } from "../helpers/generatedProgram";
import { expectNoChange, resource } from "./declared";
import type { Target } from "./onEveryServer";
import { snapshot } from "./snapshot";

/** Reads the database as `npm run import` does, and gives what its program declares. */
export async function imported(
    connection: Connection,
    schemas: readonly string[] = [],
): Promise<Imported & { readonly declared: readonly DeclaredResource[] }> {
    const read = await withSession(connection, (session) =>
        readDatabase(session, { schemas, onObject: () => undefined }),
    );
    const { files } = generate(read, {
        connection,
        stack: "test",
        folder: "/program",
        root: "/",
        versions: {},
    });
    return { ...read, declared: declaredBy(files, connection) };
}

export function lines(undeclared: readonly Undeclared[]): string[] {
    return undeclared.map(({ object, what, why }) =>
        `${object}: ${what}: ${why}`.replace(/job \d+/g, "job N"),
    );
}

/** Previews and applies everything that was imported: nothing changes, and nothing would. */
export async function expectNothingToChange(
    target: Target,
    resources: readonly DeclaredResource[],
): Promise<void> {
    const before = await snapshot(target);
    for (const { kind, inputs } of resources) {
        expect(inputs).not.toHaveProperty("adopt");
        const { connection: _given, ...own } = inputs;
        const one = resource(target, kind, own);
        await expectNoChange(one);
        await one.up();
        expect(await one.preview()).toEqual([]);
        await expectNoChange(one);
    }
    expect(await snapshot(target)).toEqual(before);
}
