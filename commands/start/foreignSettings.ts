/** Settings of the user's other Pulumi projects; the stacks here have their own. */
const foreignSettings = [
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_STACK",
    "PULUMI_CONFIG",
];

/** For this process and the ones that it starts. */
export function forgetForeignSettings(): void {
    foreignSettings.forEach((name) => Reflect.deleteProperty(process.env, name));
}
