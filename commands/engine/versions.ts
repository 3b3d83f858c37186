/**
 * Compares versions of three numbers. A pre-release counts as its release.
 */
export function isOlder(version: string, than: string): boolean {
    const [left, right] = [numbers(version), numbers(than)];
    const differs = [0, 1, 2].find((i) => left[i] !== right[i]);
    return differs !== undefined && (left[differs] ?? 0) < (right[differs] ?? 0);
}

function numbers(version: string): readonly number[] {
    return (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}
