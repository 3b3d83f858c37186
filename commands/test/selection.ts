/**
 * Which suites the arguments of `npm test` leave.
 */

/** Whether the engine suite may be among those that run. */
export function wantsEngine(args: readonly string[]): boolean {
    const selected = valuesOf(args, "--selectProjects");
    return (
        !valuesOf(args, "--ignoreProjects").includes("engine") &&
        (selected.length === 0 || selected.includes("engine"))
    );
}

/** The words after an option, up to the next one. */
function valuesOf(args: readonly string[], option: string): readonly string[] {
    const at = args.indexOf(option);
    const rest = at === -1 ? [] : args.slice(at + 1);
    const end = rest.findIndex((argument) => argument.startsWith("-"));
    return rest.slice(0, end === -1 ? undefined : end);
}
