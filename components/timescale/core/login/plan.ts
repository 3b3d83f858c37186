/** What changing a login's password is, in a plan that shows neither the old one nor the new one. */
import type { Connection } from "../connection/connection";
import { TimescaleError } from "../errors";
import { escapeIdentifier, escapeLiteral } from "../identifier";
import type { Plan, Statement } from "../plan/plan";
import { type IsUnknown, type Problem, Validation } from "../validate";

export const loginPasswordProperties = ["connection", "container"] as const;

export function validateLoginPassword(
    inputs: Readonly<Record<string, unknown>>,
    isUnknown: IsUnknown,
): Problem[] {
    const check = new Validation(inputs, isUnknown);
    check.onlyKnown(inputs, loginPasswordProperties, "");
    check.connection(inputs["connection"]);
    check.text("container", inputs["container"]);
    return check.problems;
}

/** @param refused whether the server refuses the declared password */
export function planPassword(refused: boolean): Plan {
    return {
        lines: refused
            ? [
                  {
                      code: "password",
                      property: "password",
                      was: "another",
                      will: "as declared, by ALTER ROLE with its verifier",
                  },
              ]
            : [],
        statements: [],
        fill: false,
        refusals: [],
        notes: [],
        hazards: [],
    };
}

/**
 * No password that is known works.
 *
 * @param container where the declared one can be set without any; undefined: `up` cannot do it
 */
export function planRefused(
    connection: Connection,
    hadPrevious: boolean,
    container: string | undefined,
): Plan {
    const plan = planPassword(true);
    if (container === undefined) {
        return { ...plan, refusals: [noWayIn(connection, hadPrevious, undefined, undefined)] };
    }
    const will = `as declared, by ALTER ROLE with its verifier, through the local socket in container ${container}`;
    return { ...plan, lines: plan.lines.map((line) => ({ ...line, will })) };
}

/** @param verifier as PostgreSQL stores it, so that no log of statements has the password */
export function passwordStatement(user: string, verifier: string): Statement {
    return {
        name: "alter_role",
        sql: `ALTER ROLE ${escapeIdentifier(user)} PASSWORD ${escapeLiteral(verifier)}`,
        lock: null,
    };
}

/** Nobody gets in: neither login works, and there is no other way. */
export function noWayIn(
    { host, port, user }: Connection,
    hadPrevious: boolean,
    container: string | undefined,
    socket: string | undefined,
): TimescaleError {
    const role = escapeIdentifier(user);
    const known = hadPrevious
        ? "the declared one and the one that was in use at the last up"
        : "the declared one, and there is no other from an earlier up";
    return new TimescaleError(`${host}:${port} refuses every password known of user "${user}"`, {
        code: "password_refused",
        detail: [`refused: ${known}`, socket].filter(Boolean).join("; "),
        hint:
            container === undefined
                ? `declare the password that the server has, or set the declared one there: as another superuser by ALTER ROLE ${role}, with \\password in psql, or in the console of the managed service; then run the same command again`
                : `docker exec -it ${container} psql -U ${user} -d postgres, then \\password, with the declared one; then run the same command again`,
        object: `role ${role}`,
    });
}
