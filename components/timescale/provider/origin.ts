/** Tells a change that the program makes from one that it puts back. */
import { isDeepStrictEqual } from "node:util";

import type { ChangeCode, ChangeLine } from "../core/plan/plan";
import type { Properties } from "./resourceKind";

/**
 * `program`: it is declared otherwise than at the last `up`, or was never declared. `database`: it is
 * declared as before, and stands otherwise: changed by hand, or left undone by an `up` that was stopped.
 */
export type Origin = "program" | "database";

/** Inputs that a change comes from, where it is not the one that its property begins with; none: no input. */
const sources: Partial<Record<ChangeCode, readonly string[]>> = {
    create: [],
    take_back: [],
    view_replaced: [],
    view_renamed: [],
    view_missing: [],
    name: ["schema", "name"],
    owner: ["owner"],
    policy_owner: ["owner"],
    fill: ["query"],
    query: ["query"],
    rebuild: ["query"],
    keep_history: ["query"],
    version_back: ["query"],
    repointed: ["query"],
    replaced_version: ["query"],
    history_column: ["query", "history"],
    drop_version: ["history"],
    column_renamed: ["columns", "query"],
    column_dropped: ["dropColumns"],
    compression: ["compressionPolicy"],
    signature: ["definition"],
    extension_version: ["version"],
};

/** @param declared now @param before at the last `up`; undefined: there was none */
export function originOf(
    { code, property }: Pick<ChangeLine, "code" | "property">,
    declared: Properties,
    before: Properties | undefined,
): Origin {
    if (before === undefined) return "program";
    const names = sources[code];
    const same =
        names === undefined
            ? isDeepStrictEqual(part(declared, property), part(before, property))
            : names.every((name) => isDeepStrictEqual(plain(declared[name]), plain(before[name])));
    return same ? "database" : "program";
}

/** What inputs say under a property of a plan, such as `refreshPolicy.startOffset` or `grants.reader`. */
function part(inputs: Properties, property: string): unknown {
    // Such as `refreshPolicy (it stands twice)`.
    const [path = ""] = property.split(" (");
    const [root = ""] = path.split(".");
    const value = plain(inputs[root]);
    const rest = path.slice(root.length + 1);
    if (rest === "") return value;
    if (Array.isArray(value)) {
        return value.filter(({ name, role }: { name?: string; role?: string }) => {
            const key = name ?? role ?? "";
            return rest === key || rest.startsWith(`${key}.`);
        });
    }
    return (value as Properties | undefined)?.[rest];
}

/** As state has it: without what is undefined. */
function plain(value: unknown): unknown {
    return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
