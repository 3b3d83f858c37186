/**
 * Jest reporter beside the default one: a header that names what the run works on and what it cannot
 * run, and the totals. Jest has more to say after this, so `npm test` prints the totals as its last line.
 *
 * Plain JavaScript, because Jest loads reporters without transforming them.
 */
const { existsSync, readFileSync, writeFileSync } = require("node:fs");

/** Set by `npm test`: the lines that suites record, and where it reads the totals. */
const { OBSERVATORY_TEST_REPORT: reportFile, OBSERVATORY_TEST_TOTALS: totalsFile } = process.env;

class EnvironmentReporter {
    /** Lines printed so far: suites say some of them again. */
    #printed = new Set();

    /** The global setups have run by now, and said which databases there are. */
    onRunStart() {
        this.#printNew();
    }

    onRunComplete(_contexts, results) {
        this.#printNew();
        const broken = results.numRuntimeErrorTestSuites;
        const failed = results.numFailedTests + broken;
        const skipped = results.numPendingTests + results.numTodoTests;
        const totals = `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`;
        if (totalsFile !== undefined) {
            writeFileSync(totalsFile, `${totals}\n`);
        }
    }

    #printNew() {
        for (const line of recorded()) {
            if (!this.#printed.has(line)) {
                this.#printed.add(line);
                process.stderr.write(`${line}\n`);
            }
        }
    }
}

/** @returns {string[]} */
function recorded() {
    return reportFile !== undefined && existsSync(reportFile)
        ? readFileSync(reportFile, "utf8").split("\n").filter(Boolean)
        : [];
}

module.exports = EnvironmentReporter;
