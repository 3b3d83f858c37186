/** Who a turn of the session belongs to, and how the session passes from one to the other. */
import { escapeIdentifier, escapeLiteral } from "pg";

import { defaultSettings } from "./session";

/** A client's role and the settings it asked for when it connected. */
export interface Login {
    readonly user: string;
    readonly settings: Readonly<Record<string, string>>;
}

export const superuser: Login = { user: "postgres", settings: defaultSettings };

/**
 * What turns one client's session into the other's; "" when they are alike. It runs as one implicit
 * transaction: when a setting is refused, role and settings stay as they were.
 */
export function changeOfLogin(from: Login, to: Login): string {
    const names = Object.keys({ ...from.settings, ...to.settings });
    const changed = names.filter((name) => from.settings[name] !== to.settings[name]);
    const reset = changed
        .filter((name) => to.settings[name] === undefined)
        .map((name) => `RESET ${escapeIdentifier(name)}`);
    const set = changed
        .filter((name) => to.settings[name] !== undefined)
        .map((name) => [name, to.settings[name] as string].map((word) => escapeLiteral(word)))
        .map(([name, value]) => `SELECT set_config(${name}, ${value}, false)`);
    // Not RESET SESSION AUTHORIZATION: this build takes the last role for the first one.
    const role =
        from.user === to.user ? [] : [`SET SESSION AUTHORIZATION ${escapeIdentifier(to.user)}`];
    return [...reset, ...role, ...set].join("; ");
}
