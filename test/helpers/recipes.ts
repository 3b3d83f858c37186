/** The recipes of docs/recipes.md as steps, so that a test does what the page says, all of it. */

export type RecipeStep =
    | { readonly kind: "file"; readonly path: string; readonly text: string }
    /** Statements that somebody runs by hand. */
    | { readonly kind: "sql"; readonly text: string }
    /** One line of a shell. */
    | { readonly kind: "command"; readonly line: string };

export interface Recipe {
    readonly title: string;
    readonly steps: readonly RecipeStep[];
}

/** Its sections; the first is what stands before all headings of the second level. */
export function recipesOf(markdown: string): readonly Recipe[] {
    return markdown.split(/^## /m).map((section) => ({
        title: section.split("\n")[0] ?? "",
        steps: [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(
            ([, language = "", text = ""]) => stepsOf(language, text),
        ),
    }));
}

function stepsOf(language: string, text: string): readonly RecipeStep[] {
    const named = /^(?:\/\/|--|#) (\S+\.\w+)\n/.exec(text);
    if (named !== null) {
        return [{ kind: "file", path: named[1] ?? "", text: text.slice(named[0].length) }];
    }
    if (language === "sql") return [{ kind: "sql", text }];
    if (language === "sh") {
        return text
            .trim()
            .split("\n")
            .map((line) => ({ kind: "command", line }));
    }
    throw new Error(`a block in ${language} that nothing runs: ${text}`);
}
