"use strict";
// What the engine costs without this project: a provider that is loaded by the same line, has the same
// packages in memory, and finds nothing to do.
require("tsx/cjs");
require("pg");

module.exports = {
    check: (_olds, news) => ({ inputs: { ...news }, failures: [] }),
    diff: () => ({ changes: false }),
};
