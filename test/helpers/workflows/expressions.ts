/**
 * The part of GitHub's expression language that the project's workflows use: names, texts, `==`, `!=`, `&&`, `||`,
 * `!`, brackets, and the functions that tell how it went so far. Anything else is an error and not an empty text, so that a
 * workflow that says more than this file knows fails its tests.
 */

/** `github`, `inputs`, `matrix`, `needs`, `secrets`, `steps`, as nested objects. */
export type Contexts = Readonly<Record<string, unknown>>;

export interface Scope {
    readonly contexts: Contexts;
    /** Whether everything before went well. */
    readonly success: boolean;
}

type Value = string | boolean;

/** The text with every `${{ … }}` in it resolved. */
export function resolve(text: string, scope: Scope): string {
    return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
        String(evaluate(expression, scope)),
    );
}

/** Whether a job or step with this `if:` runs; without one, and without a function in it, what is before has to be well. */
export function condition(text: string | undefined, scope: Scope): boolean {
    if (text === undefined) return scope.success;
    const expression = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(text)?.[1] ?? text;
    const holds = truth(evaluate(expression, scope));
    return /\b(?:always|success|failure)\(\)/.test(expression) ? holds : scope.success && holds;
}

export function evaluate(expression: string, scope: Scope): Value {
    const tokens = tokensOf(expression);
    let position = 0;
    const next = (): string | undefined => tokens[position];
    const take = (token: string): boolean => {
        if (next() !== token) return false;
        position += 1;
        return true;
    };
    const any = (): Value => {
        let left = all();
        while (take("||")) {
            const right = all();
            left = truth(left) ? left : right;
        }
        return left;
    };
    const all = (): Value => {
        let left = comparison();
        while (take("&&")) {
            const right = comparison();
            left = truth(left) ? right : left;
        }
        return left;
    };
    const comparison = (): Value => {
        const left = operand();
        if (take("==")) return same(left, operand());
        if (take("!=")) return !same(left, operand());
        return left;
    };
    const operand = (): Value => {
        if (take("!")) return !truth(operand());
        if (take("(")) {
            const inner = any();
            if (!take(")")) throw unknown(expression, "a bracket is not closed");
            return inner;
        }
        const token = next();
        position += 1;
        if (token === undefined) throw unknown(expression, "it ends too early");
        if (token.startsWith("'")) return token.slice(1, -1);
        if (token === "always()") return true;
        if (token === "success()") return scope.success;
        if (token === "failure()") return !scope.success;
        if (token === "true" || token === "false") return token === "true";
        return named(token, expression, scope.contexts);
    };
    const value = any();
    if (position !== tokens.length) throw unknown(expression, `what is "${next()}"`);
    return value;
}

const token =
    /\s*(\|\||&&|==|!=|!|\(|\)|'[^']*'|(?:always|success|failure)\(\)|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*/y;

function tokensOf(expression: string): string[] {
    const pattern = new RegExp(token);
    const tokens: string[] = [];
    while (pattern.lastIndex < expression.length) {
        const at = pattern.lastIndex;
        const found = pattern.exec(expression)?.[1];
        if (found === undefined) throw unknown(expression, `what is "${expression.slice(at)}"`);
        tokens.push(found);
    }
    return tokens;
}

function named(path: string, expression: string, contexts: Contexts): Value {
    let value: unknown = contexts;
    for (const name of path.split(".")) {
        value = Object.hasOwn(Object(value) as object, name)
            ? (value as Record<string, unknown>)[name]
            : undefined;
    }
    if (typeof value === "number") return String(value);
    if (typeof value === "string" || typeof value === "boolean") return value;
    throw unknown(expression, `there is no ${path}`);
}

function truth(value: Value): boolean {
    return value !== "" && value !== false;
}

/** GitHub takes no notice of case. */
function same(left: Value, right: Value): boolean {
    return typeof left === "string" && typeof right === "string"
        ? left.toLowerCase() === right.toLowerCase()
        : left === right;
}

function unknown(expression: string, why: string): Error {
    return new Error(`the expression "${expression.trim()}" is none that the tests know: ${why}`);
}
