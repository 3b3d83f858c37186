/**
 * Runs in the reader's browser: draws what the page holds as data, in the colours of the page's style sheet.
 * Works offline; without it the page shows the tables alone.
 */
(function () {
    "use strict";
    var units = window.reportUnits;
    var charts = [];

    /** `var(--x)` to the colour that the style sheet has for it now, `unit:x` to the function that writes it. */
    function resolved(value) {
        if (Array.isArray(value)) return value.map(resolved);
        if (value !== null && typeof value === "object") {
            return Object.fromEntries(
                Object.entries(value).map(function (entry) {
                    return [entry[0], resolved(entry[1])];
                }),
            );
        }
        if (typeof value !== "string") return value;
        var colour = /^var\((--[\w-]+)\)$/.exec(value);
        if (colour !== null) {
            return getComputedStyle(document.documentElement).getPropertyValue(colour[1]).trim();
        }
        var unit = /^unit:(\w+)$/.exec(value);
        if (unit === null) return value;
        return function (number) {
            return number === null || number === undefined || Number.isNaN(Number(number))
                ? "none"
                : units[unit[1]](Number(number));
        };
    }

    function draw() {
        charts.forEach(function (one) {
            one.chart.setOption(resolved(one.option), { notMerge: true });
        });
    }

    document.querySelectorAll("[data-chart]").forEach(function (box) {
        var option = JSON.parse(document.getElementById(box.dataset.chart).textContent);
        box.hidden = false;
        charts.push({
            option: option,
            chart: window.echarts.init(box, null, { renderer: "svg" }),
        });
    });
    draw();

    window.addEventListener("resize", function () {
        charts.forEach(function (one) {
            one.chart.resize();
        });
    });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
