/** The argument of `--stack`. */
import { InvalidArgumentError } from "commander";

/** A name as Pulumi takes it, such as `prod` or `org/project/prod`. @throws InvalidArgumentError when it is none */
export function stackName(text: string): string {
    if (/^(?:[\w.-]+\/){0,2}[\w.-]{1,100}$/.test(text) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text))
        return text;
    throw new InvalidArgumentError(
        "A stack's name has letters, digits, hyphens, underscores and full stops.",
    );
}
