/**
 * Products of integers inside an aggregate function. They are computed as integer, whatever the sum is
 * kept in: 46341 squared overflows, and then every refresh of that bucket fails, for ever.
 */
import { displayIdentifier } from "../identifier";
import { type Finding, finding } from "./finding";
import { argumentsOf, callsOf, selectList, soleColumn, stripped } from "./selectList";

function productFinding(column: string): Finding {
    return finding("integer_product", "query", {
        message: `column ${displayIdentifier(column)} multiplies integers inside an aggregate`,
        detail: "such a product is an integer itself and overflows beyond 2147483647, as 46341 * 46341 does; from then on every refresh of that bucket fails with 22003",
        hint: "cast one of the factors: sum(a::bigint * b), or ::double precision",
    });
}

const small = /^(?:smallint|integer|int|int2|int4)$/i;

/** From the text, with the types of the source's columns by their names as the program gives them. */
export function productsInText(query: string, types: ReadonlyMap<string, string>): Finding[] {
    const isSmall = (factor: string): boolean => {
        // A cast makes it something else.
        const column = factor.includes("::") ? undefined : soleColumn(factor);
        return column !== undefined && small.test(types.get(column)?.trim() ?? "");
    };
    return selectList(query).flatMap(({ shape, name }, index) => {
        const multiplies = callsOf(shape, aggregates).some(({ args }) =>
            terms(argumentsOf(args)[0] ?? "").some((term) => {
                const factors = splitAt(stripped(term), "*");
                return factors.length > 1 && factors.every(isSmall);
            }),
        );
        return multiplies ? [productFinding(name ?? `${index + 1}`)] : [];
    });
}

const aggregates = ["sum", "avg", "min", "max", "stddev", "variance"];

function terms(expression: string): string[] {
    return splitAt(stripped(expression), "+-");
}

/** At these operators, where no bracket encloses them. */
function splitAt(expression: string, operators: string): string[] {
    const found: string[] = [];
    let depth = 0;
    let from = 0;
    for (let at = 0; at < expression.length; at += 1) {
        const mark = expression[at] ?? "";
        if (/[([]/.test(mark)) depth += 1;
        if (/[)\]]/.test(mark)) depth -= 1;
        if (depth === 0 && operators.includes(mark)) {
            found.push(expression.slice(from, at));
            from = at + 1;
        }
    }
    return [...found, expression.slice(from)];
}

/** Source: pg_proc; int2mul, int4mul, int24mul and int42mul, whose results are no larger than integer. */
const products = new Set(["152", "141", "170", "171"]);

/**
 * From a view's stored tree, where the server has settled every type.
 *
 * @param tree text of pg_rewrite.ev_action
 */
export function productsInTree(tree: string): Finding[] {
    const columns = new Set<string>();
    const open: OpenNode[] = [];
    const tokens = /\{([A-Z_]+)|\}|:(opfuncid|resname) ((?:\\.|[^\s\\)}])+)/g;
    for (const [token, node, field, value = ""] of tree.matchAll(tokens)) {
        const last = open.at(-1);
        if (node !== undefined) {
            // By a constant: how large the other factor may be, the program's author has seen.
            if (node === "CONST" && last !== undefined) last.isProduct = false;
            open.push({ node, isProduct: false, holdsProduct: false });
        } else if (token === "}") {
            open.pop();
            const outer = open.at(-1);
            const product = last?.isProduct === true || last?.holdsProduct === true;
            if (product && outer !== undefined) outer.holdsProduct = true;
        } else if (field === "opfuncid") {
            const inside = open.some((one) => one.node === "AGGREF");
            if (inside && last?.node === "OPEXPR") last.isProduct = products.has(value);
        } else if (last?.node === "TARGETENTRY" && last.holdsProduct && value !== "<>") {
            // Arguments of an aggregate have targets of their own, without a name.
            columns.add(value.replaceAll(/\\(.)/g, "$1"));
            last.holdsProduct = false;
        }
    }
    return [...columns].map(productFinding);
}

interface OpenNode {
    readonly node: string;
    isProduct: boolean;
    holdsProduct: boolean;
}
