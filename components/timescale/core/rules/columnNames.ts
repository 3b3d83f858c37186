/** Names of a query's columns: what reads the aggregate knows them by nothing else. */
import type { QueryProblem } from "../query/query";
import { selectList } from "./selectList";

export function columnNameProblems(query: string): QueryProblem[] {
    const items = selectList(query);
    const problems: QueryProblem[] = [];
    const places = new Map<string, number[]>();
    items.forEach(({ name }, at) => {
        if (name !== undefined) places.set(name, [...(places.get(name) ?? []), at + 1]);
    });
    for (const [name, at] of places) {
        if (at.length === 1) continue;
        problems.push({
            rule: "duplicate_columns",
            message: `the query has ${at.length} columns named ${name}`,
            detail: `they are its columns ${at.join(", ")}`,
            hint: "give each a name of its own with AS",
        });
    }
    items.forEach(({ unnamed, shape }, at) => {
        if (!unnamed) return;
        problems.push({
            rule: "unnamed_columns",
            message: `column ${at + 1} of the query has no name`,
            detail: `the server would call it "?column?": ${shape.replaceAll(/\s+/g, " ")}`,
            hint: "give it a name with AS",
        });
    });
    return problems;
}
