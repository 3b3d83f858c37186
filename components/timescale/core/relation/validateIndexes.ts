/** The rules that declared indexes keep, on hypertables and aggregates alike. */
import { identifierProblem } from "../identifier";
import { shown, type Validation } from "../validate";
import { type Index, indexName } from "./indexes";
import { parseOrderTerm } from "./tableStatements";

/** @param references reports columns of a property that are not declared */
export function validateIndexes(
    check: Validation,
    inputs: Readonly<Record<string, unknown>>,
    references: (property: string, names: readonly unknown[]) => void,
): void {
    const names = new Set<string>();
    check.list("indexes", inputs["indexes"]).forEach((entry, position) => {
        if (check.isUnknown(entry)) return;
        const path = `indexes[${position}]`;
        if (typeof entry !== "object" || entry === null) {
            check.add("indexes", `${path} must be { columns }`, shown(entry), "see the reference");
            return;
        }
        const index = entry as Index;
        check.onlyKnown(entry, ["name", "columns", "method", "where"], `${path}.`);
        const columns = check.list("indexes", index.columns, `${path}.columns`);
        if (columns.length === 0 && !check.isUnknown(index.columns))
            check.add("indexes", `${path} has no columns`, undefined, "list at least one");
        references(
            "indexes",
            columns
                .filter((term): term is string => typeof term === "string")
                .map((term) => parseOrderTerm(term).column),
        );
        check.text("indexes", index.method, `${path}.method`);
        if (check.text("indexes", index.where, `${path}.where`) && index.where?.trim() === "") {
            check.add(
                "indexes",
                `${path}.where is empty`,
                undefined,
                "write a condition, or leave where out to index every row",
            );
        }
        const parts =
            index.name === undefined ? [inputs["name"], index.columns, ...columns] : [index.name];
        if (parts.some((part) => check.isUnknown(part))) return;
        const table = inputs["name"];
        const name =
            index.name ?? (typeof table === "string" ? indexName(table, index) : undefined);
        if (name === undefined) return;
        const problem = identifierProblem(name);
        if (problem !== undefined)
            check.add(
                "indexes",
                `${path}.name ${problem}`,
                shown(name),
                "give the index a shorter name",
            );
        if (names.has(name))
            check.add(
                "indexes",
                `index ${name} is declared twice`,
                undefined,
                "give one of them another name",
            );
        names.add(name);
    });
}
