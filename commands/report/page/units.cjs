/**
 * Numbers with their units, for people. The page's own script and the server side both use it, so that a
 * tooltip says what the table says; hence plain JavaScript without dependencies.
 */
/* exported reportUnits */
var reportUnits = (function () {
    function group(number, digits) {
        return number.toLocaleString("en-US", {
            minimumFractionDigits: digits,
            maximumFractionDigits: digits,
        });
    }
    /** Three digits that count, or all before the point. */
    function short(number) {
        var size = Math.abs(number);
        return group(number, size >= 100 || Number.isInteger(number) ? 0 : size >= 10 ? 1 : 2);
    }
    var units = {
        /** Milliseconds. */
        ms: function (value) {
            return value < 1000 ? short(Math.round(value)) + " ms" : short(value / 1000) + " s";
        },
        /** A share from 0 to 1. */
        share: function (value) {
            return value === 0 ? "0 %" : short(value * 100) + " %";
        },
        count: function (value) {
            return group(value, 0);
        },
        /** Large counts in thousands and millions. */
        amount: function (value) {
            if (value >= 1e9) return short(value / 1e9) + " G";
            if (value >= 1e6) return short(value / 1e6) + " M";
            if (value >= 1e4) return short(value / 1e3) + " k";
            return short(value);
        },
        /** Requests a minute, to three digits. */
        rate: function (value) {
            return short(value) + " / min";
        },
        usd: function (value) {
            if (value === 0) return "$0";
            return value < 0.01 ? "$" + Number(value.toPrecision(2)) : "$" + group(value, 2);
        },
        /** Seconds, in the two largest units. */
        seconds: function (value) {
            if (value < 0) return "-" + units.seconds(-value);
            var sizes = [
                [86400, "d"],
                [3600, "h"],
                [60, "min"],
                [1, "s"],
            ];
            var rest = Math.round(value);
            var parts = [];
            sizes.forEach(function (size) {
                var count = Math.floor(rest / size[0]);
                rest -= count * size[0];
                if (count > 0 && parts.length < 2) parts.push(count + " " + size[1]);
            });
            return parts.length === 0 ? "0 s" : parts.join(" ");
        },
    };
    return units;
})();

if (typeof module === "object") module.exports = reportUnits;
