/** The admin login and the passwords of the roles. */
import { roles } from "../roles";
import type { KeyName, Target } from "./keys";
import { nameProblem } from "./names";
import { problem, type Problems } from "./problems";
import type { Login, RolePasswords } from "./stackConfig";
import { isSet, type RawConfig, text } from "./values";

export function adminLogin(
    raw: RawConfig,
    problems: Problems,
    target: Target | undefined,
    manageAccess: boolean,
): Login | undefined {
    if (target === "embedded") {
        return undefined;
    }
    const needed = target === "docker" || (target === "external" && manageAccess);
    const user = isSet(raw, "adminUser")
        ? text(raw, "adminUser")
        : target === "docker"
          ? "postgres"
          : undefined;
    if (user === undefined) {
        if (needed) {
            problem(problems, 'config key "adminUser" is not set', {
                detail: "manageAccess creates roles and the database with an admin login",
                hint: "pulumi config set adminUser postgres, or pulumi config set manageAccess false",
            });
        }
        return undefined;
    }
    nameProblem(problems, "adminUser", user);
    if (manageAccess && Object.values<string>(roles).includes(user)) {
        problem(problems, `adminUser "${user}" is one of the roles that the program creates`, {
            detail: `roles: ${Object.values(roles).join(", ")}`,
            hint: "pulumi config set adminUser with a login that may create roles and databases",
        });
    }
    return isSet(raw, "adminPassword") ? { user, password: text(raw, "adminPassword") } : undefined;
}

/** Undefined: the Observatory's own owner. */
export function ownerUser(
    raw: RawConfig,
    problems: Problems,
    manageAccess: boolean,
): string | undefined {
    if (!isSet(raw, "ownerUser")) {
        return undefined;
    }
    const user = text(raw, "ownerUser");
    nameProblem(problems, "ownerUser", user);
    if (manageAccess) {
        problem(problems, "ownerUser has no meaning with manageAccess", {
            detail: `the program makes ${roles.owner}, and everything belongs to it`,
            hint: "pulumi config set manageAccess false, or pulumi config rm ownerUser",
        });
    }
    return user;
}

/** What clients send to the embedded server, which checks no password but whose clients need one. */
const uncheckedPassword = "not-checked";

export function passwords(raw: RawConfig, target: Target | undefined): RolePasswords {
    const password = (key: KeyName): string =>
        text(raw, key) || (target === "embedded" ? uncheckedPassword : "");
    return {
        owner: password("ownerPassword"),
        writer: password("writerPassword"),
        reader: password("readerPassword"),
    };
}

const passwordKeys = [
    "adminPassword",
    "ownerPassword",
    "writerPassword",
    "readerPassword",
] as const satisfies readonly KeyName[];

export function checkPasswords(
    raw: RawConfig,
    problems: Problems,
    target: Target | undefined,
    manageAccess: boolean,
): void {
    // The embedded server does not check passwords.
    if (target === undefined || target === "embedded") {
        return;
    }
    // Where one login of somebody else's is given, the others are not this program's.
    const needed = isSet(raw, "ownerUser")
        ? (["ownerPassword"] as const)
        : passwordKeys.filter(
              (key) => key !== "adminPassword" || target === "docker" || manageAccess,
          );
    for (const key of needed) {
        const value = text(raw, key);
        if (value.trim() === "") {
            problem(problems, `config key "${key}" is not set`, {
                detail:
                    value === ""
                        ? `target ${target} logs in with a password, and an empty one is none`
                        : "white space alone is no password",
                hint: `openssl rand -hex 24 | pulumi config set --secret ${key}`,
            });
        } else if (/^null$/i.test(value) || value.includes("\0")) {
            problem(problems, `${key} cannot be used as a password`, {
                detail: "the word NULL removes a role's password, and a NUL character ends it",
                hint: `openssl rand -hex 24 | pulumi config set --secret ${key}`,
            });
        } else if (/^(md5[0-9a-f]{32}|SCRAM-SHA-256\$.*)$/.test(value)) {
            problem(problems, `${key} is a password's hash, not the password`, {
                detail: "PostgreSQL would store it as it is, and no login with it would work",
                hint: `openssl rand -hex 24 | pulumi config set --secret ${key}`,
            });
        }
    }
    for (const same of equalPasswords(raw, needed)) {
        problem(problems, `${same.join(" and ")} are equal`, {
            detail: "each login has a password of its own, or a leaked reader's is everyone's",
            hint: `openssl rand -hex 24 | pulumi config set --secret ${same[same.length - 1]}`,
        });
    }
}

function equalPasswords(
    raw: RawConfig,
    needed: readonly KeyName[],
): readonly (readonly KeyName[])[] {
    const byValue = new Map<string, KeyName[]>();
    for (const key of needed.filter((name) => isSet(raw, name))) {
        const value = text(raw, key);
        byValue.set(value, [...(byValue.get(value) ?? []), key]);
    }
    return [...byValue.values()].filter((group) => group.length > 1);
}
