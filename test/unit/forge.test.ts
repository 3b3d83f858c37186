/** What workflows do at GitHub: the decisions with a forge in memory, the calls against a server that plays the API. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text as readAll } from "node:stream/consumers";

import { approvalOf } from "../../commands/forge/approval";
import { upsertComment } from "../../commands/forge/comment";
import { confirmed } from "../../commands/forge/confirm";
import type { Comment, Forge, Issue, Labeling, Pull } from "../../commands/forge/github";
import { upsertIssue } from "../../commands/forge/issue";
import { readReview, sameAsReviewed } from "../../commands/forge/reviewed";
import type { Review } from "../../commands/review/document";
import { render } from "../../commands/review/render";
import { reviewOf } from "../../commands/review/review";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { readPreview } from "../../components/timescale/provider/preview";
import { document, preview } from "./previews";

const root = dirname(dirname(__dirname));
const stack = "llm-observatory/prod";
const label = "destructive-approved";
const [a, b] = ["a".repeat(40), "b".repeat(40)];

const hazard = (name: string, rows = 1): PlanDocument["hazards"][number] => ({
    name: name as "LOSES_DATA",
    message: `${rows} rows go`,
    stake: null,
});

function reviewed(...documents: readonly PlanDocument[]): Review {
    return reviewOf(readPreview(preview([], documents)));
}

const same = reviewed(document("a"));
const destructive = reviewed(document("a", { hazards: [hazard("LOSES_DATA")] }));

let folder: string;
let files: { readonly markdown: string; readonly review: string };

beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "observatory-forge-"));
    files = { markdown: join(folder, "review.md"), review: join(folder, "review.json") };
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(review: Review | undefined): void {
    for (const file of Object.values(files)) rmSync(file, { force: true });
    if (review === undefined) return;
    writeFileSync(files.markdown, render(review));
    writeFileSync(files.review, JSON.stringify(review));
}

/** A forge with one pull request. */
class Memory implements Forge {
    all: Comment[] = [];
    issues: Issue[] = [];
    closed: number[] = [];
    request: Pull = { head: a, labels: [] };
    events: Labeling[] = [];
    comments = async (): Promise<Comment[]> => this.all;
    addComment = async (_: number, body: string): Promise<void> => {
        this.all.push({ id: this.all.length + 1, body, own: true });
    };
    editComment = async (id: number, body: string): Promise<void> => {
        this.all = this.all.map((one) => (one.id === id ? { ...one, body } : one));
    };
    removeComment = async (id: number): Promise<void> => {
        this.all = this.all.filter((one) => one.id !== id);
    };
    pull = async (): Promise<Pull> => this.request;
    labelings = async (): Promise<Labeling[]> => this.events;
    removeLabel = async (): Promise<void> => {
        this.request = { ...this.request, labels: [] };
    };
    openIssues = async (): Promise<Issue[]> => this.issues;
    openIssue = async (_: string, body: string): Promise<number> => {
        this.issues.push({ number: this.issues.length + 1, body });
        return this.issues.length;
    };
    editIssue = async (
        number: number,
        { body, state }: { body?: string; state?: "closed" },
    ): Promise<void> => {
        if (state === "closed") {
            this.closed.push(number);
            this.issues = this.issues.filter((one) => one.number !== number);
        } else
            this.issues = this.issues.map((one) =>
                one.number === number ? { number, body: body ?? one.body } : one,
            );
    };

    approve(at: number, person: string | undefined = "ada"): void {
        this.request = { ...this.request, labels: [label] };
        this.events.push({ label, set: true, at, person });
    }
}

const comment = (forge: Forge, head: string, now: number): ReturnType<typeof upsertComment> =>
    upsertComment(
        forge,
        { command: "comment", pr: 1, head, stack, ...files, link: undefined },
        now,
    );
const gate = (forge: Forge, head: string): ReturnType<typeof approvalOf> =>
    approvalOf(forge, { command: "gate", pr: 1, head, stack, review: files.review, label });

describe("the comment", () => {
    it("is one, however often it is written, and leaves others alone", async () => {
        const forge = new Memory();
        forge.all = [
            { id: 90, body: "looks good", own: false },
            // By somebody who wants it to be taken for the pipeline's.
            {
                id: 91,
                body: "<!-- pulumi-timescale review of llm-observatory/prod -->\nall is well",
                own: false,
            },
        ];
        write(same);
        await comment(forge, a, 1000);
        write(destructive);
        await comment(forge, b, 2000);

        const own = forge.all.filter((one) => one.own);
        expect(forge.all).toHaveLength(3);
        expect(own[0]?.body).toContain("## 🔴 Destructive");
        expect(own[0]?.body).toContain(b);
        expect(own[0]?.body).not.toContain("No change");
    });

    it("is that of its stack, and the only one of two that were written at once", async () => {
        const forge = new Memory();
        write(same);
        await comment(forge, a, 1000);
        forge.all.push({ ...forge.all[0]!, id: 7 });
        forge.all.push({
            id: 8,
            body: "<!-- pulumi-timescale review of llm-observatory/staging -->\n",
            own: true,
        });
        await comment(forge, a, 2000);

        expect(forge.all.map(({ id }) => id)).toEqual([1, 8]);
    });

    it("says that the preview failed where it left nothing, instead of what an earlier one found", async () => {
        const forge = new Memory();
        write(same);
        await comment(forge, a, 1000);
        write(undefined);
        await comment(forge, b, 2000);

        expect(forge.all).toHaveLength(1);
        expect(forge.all[0]?.body).toContain("## ❌ Failed");
        expect(forge.all[0]?.body).not.toContain("No change");
    });
});

describe("the gate", () => {
    it.each<[string, Review | undefined, boolean]>([
        ["no change", same, true],
        ["a safe change", reviewed(document("a", { fill: true })), true],
        ["caution", reviewed(document("a", { hazards: [hazard("REBUILDS")] })), true],
        [
            "a refusal",
            reviewed(
                document("a", {
                    refusals: [{ code: "x", message: "x", detail: null, hint: null }],
                }),
            ),
            false,
        ],
        [
            "a failed preview",
            reviewOf(readPreview(preview([], [document("a")])), { failure: "it failed" }),
            false,
        ],
        ["no comparison", reviewed(document("a", { result: "notCompared" })), false],
        ["a destructive change", destructive, false],
        ["no review", undefined, false],
        ["a review of another stack", { ...same, stack: "llm-observatory/staging" }, false],
        ["a file that says another exit code", { ...destructive, exitCode: 0 }, false],
    ])("of %s", async (_what, review, open) => {
        write(review);
        expect((await gate(new Memory(), a)).ok).toBe(open);
    });

    it("opens for a destructive change when a person approves what the comment shows", async () => {
        const forge = new Memory();
        write(destructive);
        await comment(forge, a, 10_000);
        expect((await gate(forge, a)).said).toContain("set the label destructive-approved");
        forge.approve(20_000);

        expect(await gate(forge, a)).toMatchObject({
            ok: true,
            said: expect.stringContaining("ada has approved") as string,
        });
        // More rows of the same are no other finding.
        write(reviewed(document("a", { hazards: [hazard("LOSES_DATA", 2)] })));
        await comment(forge, a, 30_000);
        expect((await gate(forge, a)).ok).toBe(true);
    });

    it.each<[string, (forge: Memory) => Promise<void> | void]>([
        [
            "an earlier commit",
            async (forge) => {
                forge.approve(20_000);
                forge.request = { ...forge.request, head: b };
                await comment(forge, b, 30_000);
            },
        ],
        [
            "another finding",
            async (forge) => {
                forge.approve(20_000);
                forge.request = { ...forge.request, head: b };
                write(
                    reviewed(
                        document("a", { hazards: [hazard("LOSES_DATA")] }),
                        document("c", { hazards: [hazard("LOSES_HISTORY")] }),
                    ),
                );
                await comment(forge, b, 30_000);
            },
        ],
        [
            "a time before the comment",
            (forge) => {
                forge.approve(5_000);
            },
        ],
        [
            "a bot",
            (forge) => {
                forge.approve(20_000, undefined);
                forge.events[0] = { ...forge.events[0]!, person: undefined };
            },
        ],
    ])("stays closed for an approval of %s, and takes the label away", async (_what, approve) => {
        const forge = new Memory();
        write(destructive);
        await comment(forge, a, 10_000);
        await approve(forge);

        expect((await gate(forge, forge.request.head)).ok).toBe(false);
        expect(forge.request.labels).toEqual([]);
    });

    it("stays closed for a commit that is not the newest, and while the comment shows another review", async () => {
        const forge = new Memory();
        write(destructive);
        await comment(forge, a, 10_000);
        forge.approve(20_000);
        forge.request = { ...forge.request, head: b };
        expect((await gate(forge, a)).said).toContain("not the newest commit");
        expect((await gate(forge, b)).said).toContain("does not show this review");
        forge.all = forge.all.map((one) => ({ ...one, own: false }));
        forge.request = { ...forge.request, head: a };
        expect((await gate(forge, a)).ok).toBe(false);
    });

    it("never opens for what up refuses, approved or not", async () => {
        const forge = new Memory();
        write(
            reviewed(
                document("a", {
                    refusals: [{ code: "x", message: "x", detail: null, hint: null }],
                }),
            ),
        );
        await comment(forge, a, 10_000);
        forge.approve(20_000);
        expect((await gate(forge, a)).ok).toBe(false);
    });
});

describe("the issue", () => {
    const issue = (forge: Forge): ReturnType<typeof upsertIssue> =>
        upsertIssue(forge, { command: "issue", stack, ...files, link: "https://x/y" });

    it("is opened once, written anew, and closed when there is no drift any more", async () => {
        const forge = new Memory();
        write(destructive);
        expect((await issue(forge)).ok).toBe(false);
        expect((await issue(forge)).ok).toBe(false);
        expect(forge.issues).toHaveLength(1);
        // A preview that failed says nothing of the drift.
        write(undefined);
        expect((await issue(forge)).ok).toBe(false);
        expect(forge.issues[0]?.body).toContain("did not come to a review");
        write(same);
        expect((await issue(forge)).ok).toBe(true);
        expect([forge.issues, forge.closed]).toEqual([[], [1]]);
    });
});

describe("what was reviewed", () => {
    const two = reviewed(
        document("a", { hazards: [hazard("LOSES_DATA")] }),
        document("b", { fill: true }),
    );

    it.each<[string, Review, Review, boolean]>([
        ["the same", two, two, true],
        ["less of it", two, reviewed(document("a"), document("b", { fill: true })), true],
        [
            "other rows of it",
            destructive,
            reviewed(document("a", { hazards: [hazard("LOSES_DATA", 9)] })),
            true,
        ],
        ["a graver one", same, destructive, false],
        ["another object", destructive, two, false],
        [
            "another reason",
            destructive,
            reviewed(document("a", { hazards: [hazard("LOSES_DATA"), hazard("LOSES_HISTORY")] })),
            false,
        ],
        ["one of another stack", same, { ...same, stack: "llm-observatory/staging" }, false],
    ])("against %s", (_what, before, now, ok) => {
        expect(sameAsReviewed(before, now).ok).toBe(ok);
    });

    it.each([
        "",
        "{",
        "null",
        "[]",
        '{"timescaleReview": 2}',
        '{"timescaleReview":1,"objects":[],"verdict":"toString"}',
    ])("is not %j", (text) => {
        expect(() => readReview(text)).toThrow("this is not the JSON of a review");
    });
});

describe("a confirmation", () => {
    it.each([
        ["destroy llm-observatory/prod", true],
        ["destroy llm-observatory/staging", false],
        ["DESTROY llm-observatory/prod", false],
        ["destroy llm-observatory/prod ", false],
        ["", false],
    ])("%j", (typed, ok) => {
        expect(confirmed({ command: "confirm", typed, stack }).ok).toBe(ok);
    });
});

describe("npm run forge", () => {
    let server: Server;
    let requests: {
        readonly method: string;
        readonly url: string;
        readonly body: string;
        readonly token: string;
    }[];
    let answers: Readonly<Record<string, unknown>>;

    beforeAll(async () => {
        server = createServer((request, response) => {
            void readAll(request).then((body) => {
                const { method = "", url = "", headers } = request;
                requests.push({ method, url, body, token: headers.authorization ?? "" });
                const path = url.replace(/[?&]per_page=100/, "");
                const answer = answers[`${method} ${path}`];
                const { link, ...rest } = (answer ?? { message: "Not Found" }) as {
                    link?: string;
                    list?: unknown;
                };
                const status = answer === undefined ? 404 : method === "POST" ? 201 : 200;
                response.writeHead(status, {
                    "content-type": "application/json",
                    ...(link !== undefined && { link }),
                });
                response.end(JSON.stringify("list" in rest ? rest.list : rest));
            });
        }).listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
    });
    beforeEach(() => {
        requests = [];
    });
    afterAll(() => server.close());

    const api = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    async function forge(
        ...args: readonly string[]
    ): Promise<{ code: number | null; said: string }> {
        const child: ChildProcess = spawn(
            process.execPath,
            ["--import", "tsx", "commands/forge.ts", ...args],
            {
                cwd: root,
                env: {
                    ...process.env,
                    GITHUB_TOKEN: "t0ken-c4nary",
                    GITHUB_REPOSITORY: "o/r",
                    GITHUB_API_URL: api(),
                },
                stdio: ["ignore", "pipe", "pipe"],
            },
        );
        const [out, error, code] = await Promise.all([
            readAll(child.stdout!),
            readAll(child.stderr!),
            new Promise<number | null>((resolve) => child.once("close", resolve)),
        ]);
        expect(out + error).not.toContain("c4nary");
        return { code, said: out + error };
    }
    const written = (): string[] =>
        requests
            .filter(({ method }) => method !== "GET")
            .map(({ method, url }) => `${method} ${url}`);

    it("finds its comment on a later page, and changes it", async () => {
        write(destructive);
        answers = {
            "GET /repos/o/r/issues/12/comments": {
                list: [{ id: 1, body: "hello", user: { type: "User" } }],
                link: `<${api()}/repos/o/r/issues/12/comments?page=2>; rel="next"`,
            },
            "GET /repos/o/r/issues/12/comments?page=2": {
                list: [
                    {
                        id: 2,
                        body: `<!-- pulumi-timescale review of ${stack} -->\nold`,
                        user: { type: "Bot" },
                    },
                ],
            },
            "PATCH /repos/o/r/issues/comments/2": {},
        };
        const { code, said } = await forge(
            ...["comment", "--pr", "12", "--head", a, "--stack", stack],
            ...["--markdown", files.markdown, "--review", files.review],
        );

        expect([code, said]).toEqual([0, `the comment of ${stack} is updated\n`]);
        expect(written()).toEqual(["PATCH /repos/o/r/issues/comments/2"]);
        expect(requests[0]?.token).toMatch(/^(?:bearer|token) t0ken-c4nary$/i);
        expect(JSON.parse(requests.at(-1)?.body ?? "")).toMatchObject({
            body: expect.stringContaining("## 🔴 Destructive") as string,
        });
    });

    it("holds the gate by who set the label and when", async () => {
        write(destructive);
        const memory = new Memory();
        await comment(memory, a, Date.parse("2026-11-25T12:00:00Z"));
        const labeled = {
            event: "labeled",
            label: { name: label },
            created_at: "2026-11-25T12:30:00Z",
            performed_via_github_app: null,
        };
        const gateOf = (actor: object): Promise<{ code: number | null; said: string }> => {
            answers = {
                "GET /repos/o/r/pulls/12": { head: { sha: a }, labels: [{ name: label }] },
                "GET /repos/o/r/issues/12/comments": {
                    list: [{ id: 2, body: memory.all[0]?.body, user: { type: "Bot" } }],
                },
                "GET /repos/o/r/issues/12/events": {
                    list: [
                        { event: "closed", created_at: "2026-11-25T11:00:00Z" },
                        { ...labeled, actor },
                    ],
                },
                [`DELETE /repos/o/r/issues/12/labels/${label}`]: { list: [] },
            };
            return run();
        };
        const run = (): ReturnType<typeof forge> =>
            forge(
                ...["gate", "--pr", "12", "--head", a, "--stack", stack],
                ...["--review", files.review, "--label", label],
            );

        expect(await gateOf({ login: "ada", type: "User" })).toMatchObject({ code: 0 });
        expect(await gateOf({ login: "robot", type: "Bot" })).toMatchObject({ code: 1 });
        expect(written()).toEqual([`DELETE /repos/o/r/issues/12/labels/${label}`]);
        // The gate of another stack was quicker.
        const { [`DELETE /repos/o/r/issues/12/labels/${label}`]: _, ...without } = answers;
        answers = without;
        expect((await run()).said).toContain("does not count and is removed");
    });

    it("is closed, and says why, where GitHub does not answer as it should", async () => {
        write(destructive);
        answers = {};
        const { code, said } = await forge(
            "gate",
            "--pr",
            "12",
            "--head",
            a,
            "--stack",
            stack,
            "--review",
            files.review,
            "--label",
            label,
        );

        expect(code).toBe(1);
        expect(said).toContain("GitHub did not show the pull request (forge_failed)");
    });

    it("takes no commit, number or stack that is none", async () => {
        for (const wrong of [
            ["--pr", "1; rm"],
            ["--pr", "1", "--head", "main"],
            ["--pr", "1", "--head", a, "--stack", "a b"],
        ]) {
            expect((await forge("gate", ...wrong)).code).toBe(1);
        }
        expect(requests).toEqual([]);
    });
});
