/** Which column of an aggregate counts the rows of its source. Pure. */
import { argumentsOf, selectList, soleCall, soleColumn, stripped } from "../rules/selectList";

/**
 * @param definition the query in the server's words
 * @param parents that of the aggregate that it reads, where it reads one
 */
export function countColumn(definition: string, parents: string | undefined): string | undefined {
    return selectList(definition).find(({ shape }) => {
        const call = soleCall(shape);
        // FILTER counts some of them alone.
        if (call === undefined || /\bfilter\s*\(/i.test(shape)) return false;
        if (parents === undefined) return call.name === "count" && stripped(call.args) === "*";
        const [argument = ""] = argumentsOf(call.args);
        return call.name === "sum" && soleColumn(argument) === parents;
    })?.name;
}
