/** `npm run doctor`: what is wrong with the aggregates and jobs of a database, and how it is mended. */
import { dirname } from "node:path";

import picocolors from "picocolors";

import { serverError } from "../components/timescale/core/connection/serverErrors";
import { type Session, withSession } from "../components/timescale/core/connection/session";
import { explain, TimescaleError } from "../components/timescale/core/errors";
import { agrees } from "./ask";
import { openDatabase } from "./database/choice";
import { freeSpace } from "./doctor/disk";
import { examine, type Examined, type ExamineOptions } from "./doctor/examine";
import { describeFix, mend } from "./doctor/fix";
import { type DoctorOptions, parseOptions } from "./doctor/options";
import { doctorJson, doctorText, type Fixed } from "./doctor/report";
import { endWith } from "./ending";
import { withStep } from "./progress";

const root = dirname(__dirname);

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const { connection, close, aggregates } = await openDatabase(root, options);
    try {
        return await withSession(connection, (session) => {
            const disk: ExamineOptions["disk"] = (health) => freeSpace(root, health, connection);
            return attend(session, options, {
                ...{ complete: options.complete, declared: aggregates, disk },
            });
        });
    } finally {
        await close();
    }
}

async function attend(
    session: Session,
    options: DoctorOptions,
    what: ExamineOptions,
): Promise<number> {
    let examined = await look(session, what);
    const fixed: Fixed[] = [];
    if (!options.json) print(examined, session);
    if (options.fix && examined.findings.some(({ fix }) => fix !== undefined)) {
        fixed.push(...(await mendAll(session, examined, options)));
        if (fixed.length > 0) {
            examined = await look(session, what);
            if (!options.json) print(examined, session);
        }
    }
    if (options.json) write(JSON.stringify(doctorJson(examined, fixed), null, 2));
    return examined.findings.length === 0 ? 0 : 2;
}

function look(session: Session, what: ExamineOptions): Promise<Examined> {
    return withStep("examining the database", async (step) => {
        const examined = await examine(session, { ...what, report: step.report }).catch(
            (error: unknown) => {
                throw serverError(error, {
                    statement: "read",
                    object: "the state of the database",
                });
            },
        );
        step.done("examined the database");
        return examined;
    });
}

async function mendAll(
    session: Session,
    { findings, health }: Examined,
    { yes }: DoctorOptions,
): Promise<Fixed[]> {
    if (!yes && !process.stdin.isTTY) {
        process.stderr.write("nothing was mended: there is no terminal to ask on, and no --yes\n");
        return [];
    }
    const fixed: Fixed[] = [];
    for (const finding of findings) {
        const { fix, code, object } = finding;
        if (fix === undefined) continue;
        const what = describeFix(fix);
        if (!yes && !(await agrees(`${object}: ${what}?`))) continue;
        const failure = await withStep(what, async (step) => {
            await mend(session, finding, health, step.report);
            step.done(what);
        }).then(
            () => null,
            (error: unknown) => (error instanceof TimescaleError ? explain(error) : String(error)),
        );
        if (failure !== null) process.stderr.write(`${failure}\n`);
        fixed.push({ code, object, failure });
    }
    return fixed;
}

function print(examined: Examined, { connection }: Session): void {
    const { stdout } = process;
    const colours = picocolors.createColors(picocolors.isColorSupported && stdout.isTTY);
    write(doctorText(examined, connection, colours));
}

function write(text: string): void {
    process.stdout.write(`${text}\n`);
}

endWith(main());
