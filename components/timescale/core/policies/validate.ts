/** The rules that retention and compression policies keep, on hypertables and aggregates alike. */
import { jobSettingNames, type Validation } from "../validate";

export function validateRetention(check: Validation, value: unknown): void {
    const policy = check.object("retentionPolicy", value);
    if (policy === undefined) return;
    check.onlyKnown(policy, ["dropAfter", ...jobSettingNames], "retentionPolicy.");
    check.interval("retentionPolicy", "retentionPolicy.dropAfter", policy["dropAfter"], {
        required: true,
        positive: true,
    });
    check.jobSettings("retentionPolicy", policy, false);
}

/** @returns how old chunks are when they are compressed, in microseconds, where it is known */
export function validateCompressionPolicy(check: Validation, value: unknown): number | undefined {
    const policy = check.object("compressionPolicy", value);
    if (policy === undefined) return undefined;
    check.onlyKnown(
        policy,
        ["compressAfter", "segmentBy", "orderBy", "compressChunkTimeInterval", ...jobSettingNames],
        "compressionPolicy.",
    );
    check.jobSettings("compressionPolicy", policy, false);
    for (const field of ["segmentBy", "orderBy"]) {
        for (const column of check.list(
            "compressionPolicy",
            policy[field],
            `compressionPolicy.${field}`,
        )) {
            check.text("compressionPolicy", column, `compressionPolicy.${field}`);
        }
    }
    check.interval(
        "compressionPolicy",
        "compressionPolicy.compressChunkTimeInterval",
        policy["compressChunkTimeInterval"],
        { positive: true },
    );
    return check.interval(
        "compressionPolicy",
        "compressionPolicy.compressAfter",
        policy["compressAfter"],
        {
            required: true,
            positive: true,
        },
    );
}
