/**
 * `npm run bench`: what this project costs, as ratios and differences. Each case is timed side by
 * side with one that does the same without it, in turns on the same machine: nothing else means
 * anything.
 *
 * `npm run bench -- --rows 3000000 --rounds 5`
 *
 * `npm run bench -- --scale 1,100,1000`
 *
 * `npm run bench -- --history --rows 3000000`
 *
 * `npm run bench -- --views --rows 3000000`
 */
import { Command, InvalidArgumentError } from "commander";

import { explain, TimescaleError } from "../components/timescale/core/errors";
import { findServers } from "../test/helpers/databases";
import { benchByHand } from "./bench/byHand";
import { benchKeepHistory } from "./bench/keepHistory";
import { benchScale } from "./bench/scale";
import { benchViews } from "./bench/views";

async function main(args: readonly string[]): Promise<void> {
    const { rows, rounds, scale, history, views } = new Command("npm run bench --")
        .option("--rows <n>", "rows of llm_traces, over 90 days", Number, 300_000)
        .option("--rounds <n>", "how often each side runs", Number, 3)
        .option(
            "--scale <list>",
            "instead: previews of so many aggregates, as 1,100,1000",
            readList,
        )
        .option("--history", "instead: a changed query, with its history kept and without")
        .option("--views", "instead: the views and functions for dashboards, against raw rows")
        .parse([...args], { from: "user" })
        .opts<{
            rows: number;
            rounds: number;
            scale?: readonly number[];
            history?: true;
            views?: true;
        }>();
    // What was started ends with this process.
    const [server] = await findServers();
    if (server === undefined) throw new Error("no database can be had here");
    const database = await server.createDatabase();
    try {
        const [title, figures] =
            history === true
                ? [
                      `a changed query over ${rows.toLocaleString("en")} rows of 90 days, of which raw data keeps 30`,
                      await benchKeepHistory(database.owner, rows),
                  ]
                : views === true
                  ? [
                        `${rows.toLocaleString("en")} rows, 90 days`,
                        await benchViews(database.owner, rows, rounds),
                    ]
                  : scale === undefined
                    ? [
                          `${rows.toLocaleString("en")} rows, 90 days`,
                          await benchByHand(database.owner, rows, rounds),
                      ]
                    : ["previews without a change", await benchScale(database, scale, rounds)];
        process.stdout.write(`\n${server.name}, ${title}\n${figures}\n`);
    } finally {
        await database.drop();
    }
}

function readList(text: string): readonly number[] {
    const numbers = text.split(",").map(Number);
    if (numbers.every((number) => Number.isInteger(number) && number > 0)) {
        return numbers.sort((one, other) => one - other);
    }
    throw new InvalidArgumentError("not a list of whole numbers such as 1,100,1000");
}

main(process.argv.slice(2)).then(
    () => process.exit(0),
    (error: unknown) => {
        process.stderr.write(
            `${error instanceof TimescaleError ? `error: ${explain(error)}` : String(error)}\n`,
        );
        process.exit(1);
    },
);
