/** Whether somebody has typed out what is to be destroyed. */
import type { ConfirmOptions } from "./options";

export function confirmed({ typed, stack }: ConfirmOptions): { ok: boolean; said: string } {
    const wanted = `destroy ${stack}`;
    return typed === wanted
        ? { ok: true, said: `confirmed: ${wanted}` }
        : { ok: false, said: `not confirmed: type ${wanted}` };
}
