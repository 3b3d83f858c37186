/** What changes on one object: at stake, refused, changed, and by which statements. */
import { describeLock } from "../../components/timescale/core/plan/locks";
import type {
    PlannedChange,
    PlannedHazard,
    PlannedLock,
    PlannedRefusal,
    PlannedStatement,
} from "../../components/timescale/provider/planDocument";
import { withValues } from "../../components/timescale/provider/planText";
import { cutText, type Depth } from "./depth";
import type { ReviewedObject } from "./document";
import { code, fence, folded, oneLine, prose, table } from "./markdown";
import { verdictWords } from "./verdict";

/** Empty for what does not change, and for what the table says all of. */
export function objectSection(object: ReviewedObject, depth: Depth): string {
    if (object.verdict === "noChange") return "";
    const parts = [
        stakes(object, depth),
        refusals(object.refusals, depth),
        ...changes(object.changes, depth),
        plan(object, depth),
        notes(object),
    ].filter((part) => part !== "");
    if (parts.length === 0) return "";
    return [`### ${verdictWords[object.verdict].sign} ${code(object.object, 130)}`, ...parts].join(
        "\n\n",
    );
}

function stakes({ hazards, refusals: refused }: ReviewedObject, depth: Depth): string {
    const lines = hazards.map((hazard) => {
        const stake = stakeText(hazard);
        return `- **${code(hazard.name, 60)}** ${prose(hazard.message, depth.message)}${stake === "" ? "" : ` (${stake})`}`;
    });
    if (lines.length > 0 && refused.length > 0)
        lines.push("- None of it happens while it is refused.");
    return lines.join("\n");
}

/** `30 rows, 2026-08-24 … 2026-09-01`. */
export function stakeText({ stake }: Pick<PlannedHazard, "stake">): string {
    if (stake == null) return "";
    const { rows, oldest, newest, estimated } = stake;
    const counted =
        rows == null
            ? "rows not known"
            : `${estimated ? "about " : ""}${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`;
    const range = oldest == null && newest == null ? "" : `, ${oldest ?? "?"} … ${newest ?? "?"}`;
    return prose(`${counted}${range}`);
}

function refusals(all: readonly PlannedRefusal[], depth: Depth): string {
    return all
        .map(({ code: name, message, detail, hint }) =>
            [
                `**⛔ \`up\` refuses this:** ${prose(message, depth.message)} (${code(name, 60)})`,
                detail === null || detail === undefined ? "" : detailText(detail, depth),
                hint === null || hint === undefined ? "" : `Hint: ${prose(hint, depth.message)}`,
            ]
                .filter((part) => part !== "")
                .join("\n\n"),
        )
        .join("\n\n");
}

/** A detail may hold two definitions as a diff, which stand below it by themselves already. */
function detailText(detail: string, { message }: Depth): string {
    const [before = ""] = detail.split(/^\s*--- /m);
    const text = before.trim().replace(/:$/, "");
    return text === "" ? "" : `Detail: ${prose(text, message)}`;
}

function changes(all: readonly PlannedChange[], depth: Depth): string[] {
    if (!depth.changes) return [];
    const back = all.filter(({ origin }) => origin === "database");
    const declared = all.filter(({ origin }) => origin !== "database");
    return [
        changesOf("Changed by the program", declared, depth),
        changesOf("Changed in the database since the last `up`, and put back", back, depth),
    ].filter((part) => part !== "");
}

function changesOf(title: string, all: readonly PlannedChange[], depth: Depth): string {
    if (all.length === 0) return "";
    const rows = all.map(({ property, was, will, diff }) =>
        diff === undefined
            ? [prose(property, 200), value(was), value(will)]
            : [prose(property, 200), "", depth.diff === 0 ? "another text" : "see below"],
    );
    const valued = all.some(({ was, will }) => was != null || will != null);
    const list = valued
        ? table(["Property", "Before", "After"], rows)
        : all.map(({ property }) => `- ${prose(property, 200)}`).join("\n");
    const columns = all.flatMap((change) => change.columns ?? []);
    return [
        `**${title}**`,
        list,
        ...all.flatMap(({ diff }) =>
            diff === undefined || depth.diff === 0
                ? []
                : [fence(cutText(diff, depth.diff), "diff")],
        ),
        ...(columns.length === 0
            ? []
            : [
                  table(
                      ["Column of the output", "Type before", "Type after"],
                      columns.map(({ name, was, will }) => [
                          code(name, 130),
                          was === null ? "appears" : code(was, 100),
                          will === null ? "vanishes" : code(will, 100),
                      ]),
                  ),
              ]),
    ].join("\n\n");
}

function value(text: string | null | undefined): string {
    return text === null || text === undefined ? "" : code(text, 300);
}

function plan({ statements, refusals: refused }: ReviewedObject, depth: Depth): string {
    // What is refused is not run.
    if (statements.length === 0 || refused.length > 0) return "";
    const many = `${statements.length} ${statements.length === 1 ? "statement" : "statements"}`;
    const locks = statements.flatMap(({ lock }) => (lock == null ? [] : [lock]));
    const waiting = ["writes", "reads"].filter((one) =>
        locks.some(({ blocks }) => blocks.includes(one as "reads")),
    );
    const who = { "": "nobody waits", writes: "writers wait", "writes,reads": "readers and writers wait", reads: "readers wait" }; // prettier-ignore
    const summary = `Plan: ${many}, ${who[waiting.join() as keyof typeof who]}`;
    if (!depth.plans) return `${summary}.`;
    const body = statements
        .map((statement, at) => statementText(statement, at + 1, depth))
        .join("\n\n");
    return folded(summary, body);
}

function statementText(
    { name, sql, values, transaction, repeats, lock }: PlannedStatement,
    number: number,
    depth: Depth,
): string {
    const where = transaction === "own" ? ", outside the transaction" : "";
    const locked = lock == null ? "" : `: ${lockText(lock)}`;
    const each = repeats === undefined ? "" : `, for each ${prose(repeats, 200)}`;
    const title = `**${number}.** ${code(name, 100)}${where}${locked}${each}`;
    // A block of the package's own, around a statement whose names only the catalog knows.
    if (depth.sql === 0 || /^\s*DO /.test(sql)) return title;
    return `${title}\n\n${fence(cutText(withValues(sql, values ?? []).trim(), depth.sql), "SQL")}`;
}

function lockText(lock: PlannedLock): string {
    return prose(oneLine(describeLock(lock)), 300);
}

function notes({ notes: all }: ReviewedObject): string {
    return all
        .filter(({ code: name }) => name !== "waived")
        .map(({ message }) => `- ${prose(message, 600)}`)
        .join("\n");
}
