/** The page: one file that needs nothing else. Its content security policy forbids it any network. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { ReportData } from "./data";
import { type Html, markup, textOf, trusted } from "./html";
import units from "./page/units.cjs";
import { type Panel, panelsOf, shown, timeOf } from "./panels";
import { levelAggregates } from "./window";

/** What tells a report from other files. */
export const generator = "pulumi-timescale report";

export function pageOf(data: ReportData): string {
    const scripts = scriptTexts();
    const policy = [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        `script-src ${scripts.map(hashOf).join(" ")}`,
        "base-uri 'none'",
        "form-action 'none'",
    ].join("; ");
    const { from, to, level } = data.window;
    const source = `from ${level}${level === levelAggregates.minute ? "" : ", and finer ones where it ends"}`;
    const title = `LLM Observatory: ${data.database}`;
    // Hashes are of the very text between the tags, so no space may come beside a script.
    const page = markup`<!doctype html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="generator" content="${generator}" />
                <meta http-equiv="Content-Security-Policy" content="${policy}" />
                <title>${title}, ${timeOf(from)} to ${timeOf(to)} UTC</title>
                <style>
${trusted(readPart("style.css"))}</style>
            </head>
            <body>
                <header>
                    <h1>${title}</h1>
                    <p class="note">
                        ${timeOf(from)} to ${timeOf(to)}, all times UTC · ${source} ·
                        read ${timeOf(data.at)}
                    </p>
                </header>
                <main>
                    <ul class="tiles">
                        ${tilesOf(data)}
                    </ul>
                    <div class="grid">${panelsOf(data).map(sectionOf)}</div>
                </main>
                <footer>
                    <p class="note">
                        From continuous aggregates and helper functions of schema ${data.schema}
                        alone. Charts: Apache ECharts, Apache-2.0.
                    </p>
                </footer>
                ${scripts.map((text) => trusted(`<script>${text}</script>\n`))}
            </body>
        </html>
`;
    return textOf(page);
}

function tilesOf({ totals, window }: ReportData): readonly Html[] {
    const minutes = (Date.parse(window.to) - Date.parse(window.from)) / 60_000;
    const tiles: readonly (readonly [string, string])[] = [
        ["requests", units.count(totals.requests)],
        ["on average", minutes === 0 ? "none" : units.rate(totals.requests / minutes)],
        ["failed", shown(totals.errorRate, "share")],
        ["p50 latency", shown(totals.p50, "ms")],
        ["p95 latency", shown(totals.p95, "ms")],
        ["cost", units.usd(totals.costUsd)],
    ];
    return tiles.map(([name, value]) => markup`<li><b>${value}</b><span>${name}</span></li>`);
}

function sectionOf({ title, note, body, wide }: Panel): Html {
    return markup`<section class="${wide === true ? "wide" : ""}">
        <h2>${title}</h2>
        <p class="note">${note}</p>
        ${body}
    </section>
`;
}

/** What runs in the browser, in this order. */
function scriptTexts(): readonly string[] {
    return [
        readFileSync(require.resolve("echarts/dist/echarts.common.min.js"), "utf8"),
        readPart("units.cjs"),
        readPart("charts.js"),
    ].map((text) => {
        if (/<\/script|<!--/i.test(text)) throw new Error("a script would end its own element");
        return text;
    });
}

function readPart(name: string): string {
    return readFileSync(join(__dirname, "page", name), "utf8");
}

function hashOf(text: string): string {
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
