/** Text from a database stays text in a comment, whatever it holds; and secrets stay out of it. */
import fc from "fast-check";

import { code, fence, folded, oneLine, prose, table } from "../../commands/review/markdown";
import { mapTexts, secretsIn, secretsOf, withoutSecrets } from "../../commands/review/secrets";

const hostile = [
    "`", "```", "~~~~", "|", "\\|", "\\\\|", "<b>", "</details>", "<!--", "-->", "&lt;", "@everyone", "#12", "GH-1",
    "[x](javascript:alert(1))", "![x](https://a/b)", "https://a.b", "*x*", "_x_", "~~x~~", "$x$", ":smile:", "\n# title\n",
    "\n\n- x", "\r\n", "\u202e", "\u200b", "\ud800", "<script>", "'; DROP TABLE x --", "***", "---", "    x",
]; // prettier-ignore
const text = fc
    .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary" })), { maxLength: 12 })
    .map((parts) => parts.join(""));

describe("a line of a comment", () => {
    it("holds nothing that Markdown, HTML or a table reads", () => {
        fc.assert(
            fc.property(text, (value) => {
                for (const line of [
                    prose(value),
                    code(value).slice("<code>".length, -"</code>".length),
                ]) {
                    const plain = line.replace(/&#(?:\d+);/g, "");
                    expect(plain).not.toMatch(/[`|<>\\*~[\]!@#$&{}^\n\r]/);
                    expect(plain).not.toMatch(
                        /(?:^|[^A-Za-z0-9])_|_(?:$|[^A-Za-z0-9])|:(?!\d\d(?!\d))\S/,
                    );
                    expect(plain).not.toMatch(
                        /[\u202a-\u202e\u200b\u2028]|[\ud800-\udfff](?![\udc00-\udfff])/u,
                    );
                }
            }),
            { numRuns: 500 },
        );
    });

    it("mentions nobody, and links no issue", () => {
        expect(prose("ask @everyone of #12")).toBe("ask &#64;&#8203;everyone of &#35;&#8203;12");
        expect(prose("see https://a.b/c")).toBe("see https&#58;&#8203;//a.b/c");
        expect(prose("a :100: b :smile:")).not.toMatch(/:\S/);
        expect(code("@everyone")).toBe("<code>&#64;everyone</code>");
    });

    it("reads as it was written where it is harmless", () => {
        expect(prose("2 days of hourly history, 30 rows from 2026-09-01 00:00:00+00")).toBe(
            "2 days of hourly history, 30 rows from 2026-09-01 00:00:00+00",
        );
        expect(code("public.llm_metrics_1min")).toBe("<code>public.llm_metrics_1min</code>");
    });

    it("shows what cannot be seen, and is cut in the middle", () => {
        expect(oneLine("a\u202eb\n\tc")).toBe("a\\u202eb c");
        const name = `public.${"x".repeat(500)}_1hour`;
        expect(oneLine(name, 40)).toHaveLength(40);
        expect(oneLine(name, 40)).toMatch(/^public\.x+…x+_1hour$/);
    });
});

describe("a fence", () => {
    it("is longer than whatever is inside", () => {
        fc.assert(
            fc.property(text, (value) => {
                const lines = fence(value, "sql").split("\n");
                const [open = "", ...rest] = lines;
                const ticks = open.slice(0, -"sql".length);
                expect(ticks).toMatch(/^`{3,}$/);
                expect(rest.pop()).toBe(ticks);
                expect(rest.join("\n")).not.toContain(ticks);
            }),
        );
    });

    it("stays closed inside of what is folded", () => {
        const body = folded("Plan", fence("SELECT '</details>```'", "sql"));
        expect(body).toBe(
            "<details><summary>Plan</summary>\n\n````sql\nSELECT '</details>```'\n````\n\n</details>",
        );
    });
});

describe("a table", () => {
    it("has as many cells as it was given, whatever is in them", () => {
        fc.assert(
            fc.property(text, text, (one, other) => {
                const lines = table(["a", "b"], [[code(one), prose(other)]]).split("\n");
                expect(lines).toHaveLength(3);
                expect(lines[2]?.split("|")).toHaveLength(4);
            }),
        );
    });
});

describe("secrets", () => {
    const canary = `Can'ary"7 %x`;
    const inputs = {
        connection: { host: "db", user: "owner", password: canary },
        url: "postgres://admin:c4nary-in-url@db/x",
        envs: ["POSTGRES_PASSWORD=c4nary-in-env", "PGDATA=/data"],
        apiKey: { "4dabf18193072939515e22adb298388d": "x", value: "c4nary-wrapped" },
        empty: { password: "" },
        masked: { password: "[secret]" },
    };
    const found = secretsIn(inputs);
    const mask = withoutSecrets(found);

    it("are found by their names, in lists of variables and in addresses", () => {
        expect([...found].sort()).toEqual(
            [canary, "c4nary-in-env", "c4nary-in-url", "c4nary-wrapped"].sort(),
        );
    });

    it.each([
        ["as it is", canary],
        ["in JSON", JSON.stringify({ x: canary })],
        ["in SQL", `ALTER ROLE x PASSWORD '${canary.replaceAll("'", "''")}'`],
        ["in a URL", `https://x/?p=${encodeURIComponent(canary)}`],
        ["of which nobody knew", "connect to postgres://u:unknown-c4nary@db:5432/x failed"],
        ["in a connection string", "host=db password=unknown-c4nary user=x"],
        ["in a quoted one", "host=db password='unknown c4nary' user=x"],
        ["in a statement", "CREATE ROLE x LOGIN PASSWORD 'unknown c4nary'"],
        ["in JSON of which nobody knew", '{"password":"unknown c4nary"}'],
        ["as a key", "-----BEGIN PRIVATE KEY-----\nc4nary\n-----END PRIVATE KEY-----"],
    ])("do not come out: %s", (_where, given) => {
        const masked = JSON.stringify(mapTexts({ deep: [given] }, mask));

        expect(masked).not.toMatch(/Can'ary|Can''ary|Can%27ary|c4nary/);
        expect(masked).toContain("[secret]");
    });

    it("are found in the environment, where the folder of a shell is none", () => {
        const environment = { DB_PWD: "c4nary", PWD: "/srv", OLDPWD: "/opt/x", HOME: "/var/x" };
        expect([...secretsOf(environment)]).toEqual(["c4nary"]);
    });

    it("leave alone what is none", () => {
        const sql = "SELECT password_changed_at, token_count FROM llm_traces WHERE user_id = 'x'";
        expect(mask(sql)).toBe(sql);
    });
});
