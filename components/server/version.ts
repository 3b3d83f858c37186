/** TimescaleDB's version numbers. */

/** The oldest version this project works with. */
export const oldestVersion = "2.14";

/** Versions the test suites run on; `2.23` stands for all of its patches. */
export const testedVersions = ["2.14.2", "2.23"] as const;

/**
 * Below zero if `one` is older than `other`, compared number by number: 2.9 is older than 2.14.
 * What follows a `-`, as in `2.23.0-dev`, is left out; missing parts are 0.
 */
export function compareVersions(one: string, other: string): number {
    const left = parts(one);
    const right = parts(other);
    for (let index = 0; index < Math.max(left.length, right.length); index++) {
        const difference = (left[index] ?? 0) - (right[index] ?? 0);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}

export function isTestedVersion(version: string): boolean {
    const own = parts(version);
    return testedVersions.some((tested) =>
        parts(tested).every((part, index) => own[index] === part),
    );
}

function parts(version: string): readonly number[] {
    return (version.split("-")[0] ?? "").split(".").map(Number);
}
