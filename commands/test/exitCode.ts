/**
 * The exit code of a run. Jest's own does not tell of failures when the embedded database was up in its
 * process: that sets the code as it goes.
 */

/**
 * @param code of Jest
 * @param totals such as `10 passed, 1 failed, 0 skipped`; undefined: nothing was run, as with `--help`
 */
export function exitCodeOf(code: number, totals: string | undefined): number {
    const failed = Number(/(\d+) failed/.exec(totals ?? "")?.[1] ?? 0);
    return code === 0 && failed > 0 ? 1 : code;
}
