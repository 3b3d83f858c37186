/** A role or a database may have settings of its own: no text means anything else by them. */
import type { Session } from "../../components/timescale/core/connection/session";
import {
    aggregate,
    type Declared,
    expectNoChange,
    hypertable,
    sqlFunction,
    view,
} from "./declared";
import { plainNames, rawTable } from "./names";
import { onServersWithSessions, type Target } from "./onEveryServer";

const settings: readonly (readonly [string, string])[] = [
    ["quote_all_identifiers", "on"],
    ["standard_conforming_strings", "off"],
    ["DateStyle", "SQL, DMY"],
    ["IntervalStyle", "iso_8601"],
    ["TimeZone", "Asia/Kolkata"],
    ["extra_float_digits", "-15"],
    ["search_path", "pg_temp"],
    ["lock_timeout", "1"],
    ["default_transaction_isolation", "serializable"],
];

/** Objects whose texts are full of what the settings decide, under names that end with `suffix`. */
function objects(target: Target, suffix: string, session?: Session): Declared<object>[] {
    const table = rawTable(plainNames);
    return [
        hypertable(
            target,
            {
                ...table,
                name: `raw${suffix}`,
                columns: [
                    ...table.columns,
                    { name: "Path", type: "text", default: String.raw`'a\b'` },
                    { name: "since", type: "timestamptz", default: "'02/01/2024 05:06'" },
                    { name: "patience", type: "interval", default: "'1 day 2 hours'" },
                ],
                indexes: [
                    {
                        name: `recent${suffix}`,
                        columns: ["Path"],
                        where: String.raw`"Path" <> 'c\d' AND ts > '02/01/2024'`,
                    },
                ],
            },
            session,
        ),
        aggregate(
            target,
            {
                name: `hourly${suffix}`,
                query: String.raw`SELECT time_bucket('1 hour', ts) AS "Bucket", model, sum(ms * 0.1) AS total
                    FROM raw${suffix} WHERE "Path" <> 'a\b' AND ts > '02/01/2024' GROUP BY 1, 2`,
                materializedOnly: false,
                refreshPolicy: {
                    startOffset: "3 days",
                    scheduleInterval: "1 hour",
                    initialStart: "2026-01-01T00:00:00Z",
                },
                compressionPolicy: { compressAfter: "7 days" },
            },
            session,
        ),
        view(
            target,
            {
                name: `daily${suffix}`,
                query: String.raw`SELECT "Bucket", 'e\f' AS path, total * 1.1 AS more FROM hourly${suffix} WHERE "Bucket" > '02/01/2024'`,
            },
            session,
        ),
        sqlFunction(
            target,
            {
                definition: String.raw`CREATE FUNCTION spent${suffix}(path text DEFAULT 'g\h') RETURNS bigint LANGUAGE sql
                    AS $$ SELECT count(*) FROM raw${suffix} WHERE "Path" = path AND ts > '02/01/2024' $$`,
            },
            session,
        ),
    ] as Declared<object>[];
}

onServersWithSessions("settings of a role", (target) => {
    it("finds nothing to change, and makes the same, whatever the settings are", async () => {
        const made = objects(target, "");
        for (const object of made) await object.up();
        const database = `"${target.database.owner.database}"`;

        for (const [at, [name, value]] of settings.entries()) {
            const role = `ALTER ROLE observatory_owner IN DATABASE ${database}`;
            await target.asAdmin(
                `${role} SET ${name} TO ${value.includes(",") ? value : `'${value}'`}`,
            );
            try {
                await target.anotherSession(async (session) => {
                    const again = objects(target, "", session);
                    for (const [index, object] of again.entries()) {
                        object.outputs = made[index]?.outputs;
                        await expectNoChange(object);
                    }
                    for (const object of objects(target, `_${at}`, session)) await object.up();
                });
            } finally {
                await target.asAdmin(`${role} RESET ALL`);
            }
            for (const object of objects(target, `_${at}`)) await expectNoChange(object);
        }
    });
});
