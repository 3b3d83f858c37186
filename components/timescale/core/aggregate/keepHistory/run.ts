/**
 * Builds new versions beside the old ones, and lets them change places. Every step finds out from the
 * database how far an earlier attempt has come, so that the next one goes on there; until the
 * exchange, which is one short transaction, readers see the old version and nothing of this.
 */
import type { Session } from "../../connection/session";
import { bringBack, build } from "./build";
import { buildIndexes, catchUp, exchange, holdStill, letGo } from "./exchange";
import type { Replacement } from "./replacement";
import { type Built, type RunOptions, Work } from "./work";

/** @throws TimescaleError; the old versions go on as before, and the next run goes on where this one ended */
export async function runReplacement(
    session: Session,
    replacement: Replacement,
    options: RunOptions,
): Promise<void> {
    const work = new Work(session, options, replacement.pairs);
    const built: Built[] = [];
    for (const pair of replacement.pairs) {
        built.push(pair.mapping === null ? await bringBack(work, pair) : await build(work, pair, pair.mapping)); // prettier-ignore
    }
    try {
        await holdStill(work);
        for (const one of built) await catchUp(work, one, built);
        await exchange(work, replacement, built);
    } catch (error) {
        await letGo(work);
        throw error;
    }
    await buildIndexes(work);
}
