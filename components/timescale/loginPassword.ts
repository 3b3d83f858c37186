import type * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import { type Inputs, TimescaleResource } from "./resource";

/** What a {@link LoginPassword} is declared with. */
export interface LoginPasswordProperties {
    /** The login whose password is declared, with the password that it is to have; kept as a secret. */
    readonly connection: Connection;
    /**
     * Name of the Docker container that the server runs in, on the daemon that the `docker` command
     * asks: when no known password works, the password is set through the local socket in it.
     *
     * @default - there is none
     */
    readonly container?: string;
}

/** {@link LoginPasswordProperties}, each of which may be computed by other resources. */
export type LoginPasswordArgs = Inputs<LoginPasswordProperties>;

/**
 * The password of the login that a program works with, for one that no other login manages, such as
 * the administrator's. When the server refuses the declared one, `up` logs in with the one of the last
 * `up`, which state keeps as a secret, and changes it by ALTER ROLE; the server is sent the SCRAM
 * verifier, never the password. The login does it to itself, for which it needs no privilege.
 *
 * ```ts
 * const password = new LoginPassword("admin", { connection });
 * ```
 *
 * What uses the login has to wait for it: `dependsOn: password`. Where the server takes neither, and
 * there is no container to do it in, `up` fails with `password_refused` and says what to do. Leaving
 * the resource out changes nothing.
 */
export class LoginPassword extends TimescaleResource {
    constructor(name: string, args: LoginPasswordArgs, opts?: pulumi.CustomResourceOptions) {
        super("LoginPassword", name, args, { retainOnDelete: true, ...opts });
    }
}
