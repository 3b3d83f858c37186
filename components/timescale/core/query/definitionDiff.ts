/** Two definitions as people read a difference. */
import { createTwoFilesPatch } from "diff";

/** The lines that differ, with two lines around them, as `diff -u` shows them. */
export function definitionDiff(was: string, will: string): string {
    return createTwoFilesPatch("in the database", "declared", `${was}\n`, `${will}\n`, "", "", {
        context: 2,
    })
        .split("\n")
        .slice(1)
        .filter((text) => !text.startsWith("\\"))
        .join("\n")
        .trimEnd();
}
