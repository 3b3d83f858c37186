/** Tables of the page: on a phone each row becomes a card, which takes the column's name to every value. */
import { type Html, markup } from "./html";

export interface Column<Row> {
    readonly name: string;
    /** Numbers stand to the right. */
    readonly number?: boolean;
    readonly cell: (row: Row) => Html | string;
}

/**
 * The first column names the row.
 *
 * @param caption what a reader that does not see it is told first
 * @param kind plain: numbers alone, of many rows, where a word for each cell would be most of the page
 */
export function tableOf<Row>(
    caption: string,
    columns: readonly Column<Row>[],
    rows: readonly Row[],
    kind: "cards" | "plain" = "cards",
): Html {
    const heads = columns.map(({ name, number }) =>
        number === true
            ? markup`<th scope="col" class="number">${name}</th>`
            : markup`<th scope="col">${name}</th>`,
    );
    const cellOf = ({ name, number, cell }: Column<Row>, row: Row): Html => {
        if (kind === "plain") return markup`<td>${cell(row)}</td>`;
        return markup`<td class="${number === true ? "number" : "text"}" data-label="${name}">${cell(row)}</td>`;
    };
    const lines = rows.map((row) => {
        const cells = columns.map((column, at) =>
            at === 0 ? markup`<th scope="row">${column.cell(row)}</th>` : cellOf(column, row),
        );
        return markup`<tr>${cells}</tr>\n`;
    });
    return markup`<table class="${kind}" aria-label="${caption}">
        <thead><tr>${heads}</tr></thead>
        <tbody>${lines}</tbody>
    </table>`;
}
