/** Types of units.cjs. */
declare const units: Readonly<
    Record<
        "ms" | "share" | "count" | "amount" | "rate" | "usd" | "seconds",
        (value: number) => string
    >
>;
export = units;
