/** What `up` would run, step by step, and what is at stake, as people read it below a preview. */
import { escapeLiteral } from "../core/identifier";
import { describeLock } from "../core/plan/locks";
import type { PlanDocument, PlannedStatement } from "./planDocument";

/** Numbered statements in their order, each with its lock; empty where nothing is run. */
export function planText({ statements, exists }: PlanDocument): string {
    if (statements.length === 0) return "";
    const lines = ["plan:"];
    let last: PlannedStatement["transaction"] | undefined;
    statements.forEach((statement, at) => {
        const { transaction } = statement;
        if (transaction !== last) {
            lines.push(
                transaction === "shared" ? "  in one transaction:" : "  outside the transaction:",
            );
        }
        last = transaction;
        const number = `${at + 1}.`.padStart(5);
        const below = shortSql(statement, exists !== false);
        if (statement.repeats !== undefined) below.push(`for each ${statement.repeats}`);
        lines.push(`${number} ${head(statement)}`, ...below.map((line) => indent + line));
    });
    return lines.join("\n");
}

/** `! NAME: what is at stake`, one line each; empty where nothing is. */
export function hazardText({ hazards }: PlanDocument): string {
    return hazards.map(({ name, message }) => `! ${name}: ${message}`).join("\n");
}

function head({ name, lock }: PlannedStatement): string {
    return lock == null ? name : `${name}  ${describeLock(lock)}`;
}

const indent = " ".repeat(10);
const longestLine = 120;
const mostLines = 4;

/** Of an object that stands its first lines, of one that is to be made one line alone; JSON has it whole. */
function shortSql({ sql, values = [] }: PlannedStatement, several: boolean): string[] {
    const text = withValues(sql, values).trim();
    const lines = text.split("\n");
    // A block of the package's own, around a statement whose names only the catalog knows.
    if (text.startsWith("DO ")) return [`DO … (${lines.length} lines)`];
    if (!several) return [cut(text.replace(/\s+/g, " ").replaceAll("( ", "("))];
    if (lines.length <= mostLines) return lines.map(cut);
    const shown = lines.slice(0, mostLines - 1).map(cut);
    return [...shown, `… ${lines.length - shown.length} more lines`];
}

function cut(line: string): string {
    return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`;
}

/** With literals in the place of its parameters. */
export function withValues(sql: string, values: readonly unknown[]): string {
    return sql.replace(/\$(\d+)/g, (parameter, number: string) => {
        const at = Number(number) - 1;
        return at < values.length ? literal(values[at]) : parameter;
    });
}

function literal(value: unknown): string {
    if (value === null || value === undefined) return "NULL";
    return typeof value === "string" ? escapeLiteral(value) : JSON.stringify(value);
}
