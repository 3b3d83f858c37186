/** The few calls of GitHub's API that are needed, by its own client. */
import { TimescaleError } from "../../components/timescale/core/errors";

export interface Forge {
    readonly comments: (issue: number) => Promise<readonly Comment[]>;
    readonly addComment: (issue: number, body: string) => Promise<void>;
    readonly editComment: (comment: number, body: string) => Promise<void>;
    readonly removeComment: (comment: number) => Promise<void>;
    readonly pull: (pull: number) => Promise<Pull>;
    /** Every time that a label was set or taken away, the earliest first. */
    readonly labelings: (issue: number) => Promise<readonly Labeling[]>;
    readonly removeLabel: (issue: number, label: string) => Promise<void>;
    readonly openIssues: (label: string) => Promise<readonly Issue[]>;
    readonly openIssue: (title: string, body: string, label: string) => Promise<number>;
    readonly editIssue: (
        issue: number,
        fields: { title?: string; body?: string; state?: "closed" },
    ) => Promise<void>;
}

export interface Comment {
    readonly id: number;
    readonly body: string;
    /** Whether it was written with this very login, or by an app as this is one. */
    readonly own: boolean;
}

export interface Pull {
    /** Full id of its newest commit. */
    readonly head: string;
    readonly labels: readonly string[];
}

export interface Labeling {
    readonly label: string;
    readonly set: boolean;
    /** In milliseconds since the epoch. */
    readonly at: number;
    /** Login of who did it; undefined when it was no person. */
    readonly person: string | undefined;
}

export interface Issue {
    readonly number: number;
    readonly body: string;
}

/** @throws TimescaleError when the environment does not say where, or as whom */
export async function openForge(environment: NodeJS.ProcessEnv): Promise<Forge> {
    const { GITHUB_TOKEN: token = "", GITHUB_REPOSITORY: repository = "" } = environment;
    const [owner = "", repo = ""] = repository.split("/");
    if (token === "" || owner === "" || repo === "") {
        throw new TimescaleError("there is no repository at GitHub to work on", {
            code: "no_forge",
            detail: "GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name) have to be set",
            hint: "a workflow sets GITHUB_REPOSITORY by itself; pass GITHUB_TOKEN to the step's env",
        });
    }
    const { Octokit } = await import("@octokit/rest");
    const octokit = new Octokit({
        auth: token,
        baseUrl: environment["GITHUB_API_URL"] || "https://api.github.com",
        userAgent: "pulumi-timescale",
        log: {
            debug: () => undefined,
            info: () => undefined,
            warn: () => undefined,
            error: () => undefined,
        },
    });
    const place = { owner, repo };
    const page = { per_page: 100 };
    const { issues, pulls } = octokit.rest;
    const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        try {
            return await work();
        } catch (error) {
            throw new TimescaleError(`GitHub did not ${what}`, {
                code: "forge_failed",
                detail: error instanceof Error ? error.message : String(error),
                hint: "look at the permissions of the job, and at githubstatus.com",
                cause: error,
            });
        }
    };
    return {
        comments: (issue) =>
            call("list the comments", async () => {
                const all = await octokit.paginate(issues.listComments, {
                    ...place,
                    ...page,
                    issue_number: issue,
                });
                return all.map(({ id, body, user }) => ({
                    id,
                    body: body ?? "",
                    own: user?.type === "Bot",
                }));
            }),
        addComment: (issue, body) =>
            call("take the comment", async () => {
                await issues.createComment({ ...place, issue_number: issue, body });
            }),
        editComment: (comment, body) =>
            call("change the comment", async () => {
                await issues.updateComment({ ...place, comment_id: comment, body });
            }),
        removeComment: (comment) =>
            call("delete the comment", async () => {
                await issues.deleteComment({ ...place, comment_id: comment });
            }),
        pull: (pull) =>
            call("show the pull request", async () => {
                const { data } = await pulls.get({ ...place, pull_number: pull });
                return { head: data.head.sha, labels: data.labels.map(({ name }) => name) };
            }),
        labelings: (issue) =>
            call("list the events of the pull request", async () => {
                const all = await octokit.paginate(issues.listEvents, {
                    ...place,
                    ...page,
                    issue_number: issue,
                });
                return (all as readonly LabelEvent[])
                    .filter(
                        ({ event, label }) => label !== undefined && /^(?:un)?labeled$/.test(event),
                    )
                    .map(({ event, label, created_at, actor, performed_via_github_app }) => ({
                        label: label?.name ?? "",
                        set: event === "labeled",
                        at: Date.parse(created_at),
                        person:
                            actor?.type === "User" && performed_via_github_app == null
                                ? actor.login
                                : undefined,
                    }));
            }),
        removeLabel: (issue, label) =>
            call("remove the label", async () => {
                // The gate of another stack may have been quicker.
                await issues
                    .removeLabel({ ...place, issue_number: issue, name: label })
                    .catch((error: unknown) => {
                        if ((error as { status?: number }).status !== 404) throw error;
                    });
            }),
        openIssues: (label) =>
            call("list the issues", async () => {
                const all = await octokit.paginate(issues.listForRepo, {
                    ...place,
                    ...page,
                    labels: label,
                    state: "open",
                });
                return all
                    .filter(
                        ({ pull_request, user }) =>
                            pull_request === undefined && user?.type === "Bot",
                    )
                    .map(({ number, body }) => ({ number, body: body ?? "" }));
            }),
        openIssue: (title, body, label) =>
            call("take the issue", async () => {
                const { data } = await issues.create({ ...place, title, body, labels: [label] });
                return data.number;
            }),
        editIssue: (issue, fields) =>
            call("change the issue", async () => {
                await issues.update({ ...place, issue_number: issue, ...fields });
            }),
    };
}

/** What `labeled` and `unlabeled` have of an event. */
interface LabelEvent {
    readonly event: string;
    readonly created_at: string;
    readonly label?: { readonly name?: string | null };
    readonly actor?: { readonly login: string; readonly type: string } | null;
    readonly performed_via_github_app?: object | null;
}
