/** What the Observatory declares today, by evaluating the component itself. */
import * as pulumi from "@pulumi/pulumi";

import { Observatory } from "../../components/observatory";
import { connection, record } from "../pulumi/recording";
import { dynamic } from "./engineRun";

export interface DeclaredResource {
    /** As in the type token. */
    readonly kind: string;
    readonly name: string;
    /** Without the connection. */
    readonly inputs: Readonly<Record<string, unknown>>;
}

/** In the order in which they are made, with what config has by default. */
export async function declaredObservatory(): Promise<readonly DeclaredResource[]> {
    const registered = await record("test");
    new Observatory("observatory", { connection, schema: "public", protectData: true });
    await pulumi.runtime.disconnect();
    return registered
        .filter(({ type }) => type.startsWith(dynamic))
        .map(({ type, name, inputs: { connection: _, ...inputs } }) => ({
            kind: type.slice(dynamic.length),
            name,
            inputs,
        }));
}
