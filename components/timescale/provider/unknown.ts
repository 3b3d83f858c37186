/** Values that a preview cannot know yet. */
import { unknownValue } from "@pulumi/pulumi/runtime";

export function isUnknown(value: unknown): boolean {
    return value === unknownValue;
}

export function hasUnknown(value: unknown): boolean {
    if (isUnknown(value)) return true;
    return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
