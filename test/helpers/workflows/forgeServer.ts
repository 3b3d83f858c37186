/**
 * A server that plays the part of GitHub's API that the workflows need, and keeps what is written: comments, labels,
 * events and issues of one repository. A token may do what the `permissions` of its job say, and is a bot.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readAll } from "node:stream/consumers";

export interface User {
    readonly login: string;
    readonly type: "User" | "Bot";
}

export interface Comment {
    readonly id: number;
    readonly user: User;
    body: string;
}

export interface Issue {
    readonly number: number;
    readonly user: User;
    readonly labels: readonly { readonly name: string }[];
    title: string;
    body: string;
    state: "open" | "closed";
}

interface LabelEvent {
    readonly event: "labeled" | "unlabeled";
    readonly label: { readonly name: string };
    readonly created_at: string;
    readonly actor: User;
    readonly performed_via_github_app: null;
}

type Permissions = Readonly<Record<string, string>>;

export interface ForgeServer {
    readonly url: string;
    readonly repository: string;
    /** Of the one pull request. */
    readonly pull: { readonly number: number; head: string };
    readonly comments: readonly Comment[];
    readonly labels: ReadonlySet<string>;
    readonly issues: readonly Issue[];
    /** A token for a job with these permissions. */
    readonly tokenFor: (permissions: Permissions) => string;
    /** Sets a label, as somebody does on the page. */
    readonly label: (name: string, user: User) => void;
    readonly stop: () => Promise<void>;
}

const bot: User = { login: "github-actions[bot]", type: "Bot" };

export async function startForge(): Promise<ForgeServer> {
    const repository = "example/llm-observatory";
    const pull = { number: 12, head: "" };
    const tokens = new Map<string, Permissions>();
    const comments: Comment[] = [];
    const labels = new Set<string>();
    const events: LabelEvent[] = [];
    const issues: Issue[] = [];
    let lastId = 100;
    const happened = (event: LabelEvent["event"], name: string, actor: User): void => {
        // GitHub's times are whole seconds, cut.
        const created_at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
        events.push({ event, label: { name }, created_at, actor, performed_via_github_app: null });
    };

    const places: readonly Place[] = [
        place("GET", "/issues/12/comments", ["issues", "pull-requests"], () => comments),
        place("POST", "/issues/12/comments", ["issues", "pull-requests"], (_, { body }) => {
            comments.push({ id: (lastId += 1), user: bot, body: String(body) });
            return comments.at(-1);
        }),
        place("PATCH", "/issues/comments/(\\d+)", ["issues", "pull-requests"], ([id], { body }) => {
            const comment = comments.find((one) => one.id === Number(id));
            return comment && Object.assign(comment, { body: String(body) });
        }),
        place("DELETE", "/issues/comments/(\\d+)", ["issues", "pull-requests"], ([id]) => {
            const at = comments.findIndex((one) => one.id === Number(id));
            return at < 0 ? undefined : comments.splice(at, 1);
        }),
        place("GET", "/pulls/12", ["pull-requests"], () => ({
            number: pull.number,
            head: { sha: pull.head },
            labels: [...labels].map((name) => ({ name })),
        })),
        place("GET", "/issues/12/events", ["issues"], () => events),
        place("DELETE", "/issues/12/labels/([\\w-]+)", ["issues", "pull-requests"], ([name]) => {
            if (name === undefined || !labels.delete(name)) return undefined;
            happened("unlabeled", name, bot);
            return [...labels];
        }),
        place("GET", "/issues", ["issues"], (_, __, query) =>
            issues.filter(
                ({ state, labels: set }) =>
                    state === query.get("state") &&
                    set.some(({ name }) => name === query.get("labels")),
            ),
        ),
        place("POST", "/issues", ["issues"], (_, { title, body, labels: set }) => {
            issues.push({
                ...{ number: (lastId += 1), user: bot, state: "open" },
                ...{ title: String(title), body: String(body) },
                labels: (set as string[]).map((name) => ({ name })),
            });
            return issues.at(-1);
        }),
        place("PATCH", "/issues/(\\d+)", ["issues"], ([number], fields) => {
            const issue = issues.find((one) => one.number === Number(number));
            return issue && Object.assign(issue, fields);
        }),
    ];

    const answer = async (request: IncomingMessage): Promise<Answer> => {
        const { method = "", headers } = request;
        const { pathname, searchParams, origin } = new URL(request.url ?? "", api());
        const permissions = tokens.get(/^(?:bearer|token) (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? ""); // prettier-ignore
        if (permissions === undefined) return [401, { message: "Bad credentials" }];
        for (const { takes, pattern, areas, act } of places) {
            const found = pattern.exec(pathname);
            if (method !== takes || found === null) continue;
            const may = areas.map((area) => permissions[area]);
            if (!may.includes("write") && !(method === "GET" && may.includes("read"))) {
                return [403, { message: "Resource not accessible by integration" }];
            }
            const text = await readAll(request);
            const fields = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
            const result = act(found.slice(1), fields, searchParams);
            if (result === undefined) return [404, { message: "Not Found" }];
            return pageOf(result, method, new URL(`${origin}${request.url}`));
        }
        return [404, { message: `Not Found: ${method} ${pathname}` }];
    };
    const server = createServer((request, response) => {
        void answer(request).then(([status, body, link]) => {
            response.writeHead(status, {
                "content-type": "application/json",
                ...(link !== undefined && { link }),
            });
            response.end(JSON.stringify(body));
        });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const api = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    function place(takes: string, path: string, areas: readonly string[], act: Act): Place {
        return { takes, pattern: new RegExp(`^/repos/${repository}${path}$`), areas, act };
    }
    return {
        url: api(),
        repository,
        ...{ pull, comments, labels, issues },
        tokenFor: (permissions) => {
            const token = `ghs_${randomBytes(12).toString("hex")}`;
            tokens.set(token, permissions);
            return token;
        },
        label: (name, user) => {
            labels.add(name);
            happened("labeled", name, user);
        },
        stop: () => new Promise((resolve) => server.close(() => resolve())),
    };
}

/** Status, body, and where the next page is. */
type Answer = readonly [status: number, body: unknown, link?: string | undefined];

/** @returns undefined where there is none */
type Act = (
    found: readonly (string | undefined)[],
    fields: Readonly<Record<string, unknown>>,
    query: URLSearchParams,
) => unknown;

interface Place {
    readonly takes: string;
    readonly pattern: RegExp;
    /** What a token needs one of. */
    readonly areas: readonly string[];
    readonly act: Act;
}

/** Lists come one item a page, so that whoever reads only the first page misses something. */
function pageOf(result: unknown, method: string, url: URL): Answer {
    if (method !== "GET" || !Array.isArray(result)) return [method === "POST" ? 201 : 200, result];
    const page = Number(url.searchParams.get("page") ?? 1);
    url.searchParams.set("page", String(page + 1));
    const link = page < result.length ? `<${url.href}>; rel="next"` : undefined;
    return [200, result.slice(page - 1, page), link];
}
