/** What all resources of this package have in common: the line that loads their provider, and their URN. */
import * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import { declare } from "./declared";
import { isNewDatabase } from "./newDatabase";

/**
 * The provider's code in every resource's state: one constant line that loads the package by name.
 * It holds no path, no logic and no secret, so that it is the same in every program and never
 * causes a difference, and a corrected provider serves resources that are in state already.
 */
export const providerText =
    'exports.handler=()=>require("module").createRequire(process.cwd()+"/")("pulumi-timescale/provider");';

/** A connection each of whose parts may still be computed, such as a password out of a secret config value. */
export type ConnectionArgs = {
    readonly [Part in keyof Connection]: pulumi.Input<Connection[Part]>;
};

/** Inputs that may still be computed by other resources. */
export type Inputs<Args> = {
    readonly [Key in keyof Args]: Key extends "connection"
        ? pulumi.Input<ConnectionArgs>
        : pulumi.Input<Args[Key]>;
};

/**
 * A resource that lives inside a database. It is registered after what its program declares and its
 * text reads, and therefore deleted before it.
 */
export abstract class TimescaleResource extends pulumi.CustomResource {
    /** `schema.name`. */
    declare readonly name: pulumi.Output<string>;
    /** As declared; undefined stands for `public`. */
    declare readonly schema: pulumi.Output<string | undefined>;

    /** @param kind the type's name as in its token `pulumi-nodejs:dynamic/timescale:<kind>` */
    protected constructor(
        kind: string,
        name: string,
        args: { readonly connection: pulumi.Input<unknown> },
        opts: pulumi.CustomResourceOptions | undefined,
    ) {
        const type = `pulumi-nodejs:dynamic/timescale:${kind}`;
        const declared = declare(kind, name, args, opts);
        super(
            type,
            name,
            {
                ...args,
                connection: pulumi.secret(args.connection),
                metDatabaseUuid: undefined,
                fingerprint: undefined,
                objectId: undefined,
                __provider: providerText,
                __problems: declared.problems,
                __findings: declared.judgement,
                __newDatabase: isNewDatabase(args.connection) ? true : undefined,
                __urn: ownUrn(name, type, opts?.parent),
            },
            { ...opts, dependsOn: declared.dependsOn, additionalSecretOutputs: ["connection"] },
        );
        declared.is(this);
    }
}

/**
 * The URN that the resource is going to have, for messages on its row. A promise and no output: as
 * an output it would depend on the parent and thereby on all the parent's children, this one too.
 */
function ownUrn(name: string, type: string, parent: pulumi.Resource | undefined): Promise<string> {
    return new Promise((resolve) => {
        pulumi.createUrn(name, type, parent).apply(resolve);
    });
}
