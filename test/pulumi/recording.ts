/** Pulumi's mocks, recording what a program registers. */
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

export interface Registered {
    readonly type: string;
    readonly name: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly protect: boolean;
    readonly deletedWith: string;
    readonly ignoreChanges: readonly string[];
    readonly retainOnDelete: boolean;
    readonly dependencies: readonly string[];
    readonly provider: string;
}

/** Of a server that no test reaches. */
export const connection = {
    host: "db.example.com",
    port: 5432,
    database: "d",
    user: "owner",
    password: "pw",
    sslMode: "disable" as const,
};

/**
 * Starts recording, with the config of a stack whose passwords are secrets. Import what registers
 * resources only afterwards.
 *
 * A secret input is shown as `{ secret: value }`.
 */
export async function record(
    stack: string,
    config: Readonly<Record<string, string>> = {},
): Promise<Registered[]> {
    const registered: Registered[] = [];
    await pulumi.runtime.setMocks(
        {
            newResource: ({ name, inputs }) => ({
                id: `${name}-id`,
                state: inputs as Record<string, unknown>,
            }),
            call: ({ inputs }) => inputs as Record<string, unknown>,
        },
        "llm-observatory",
        stack,
        false,
    );
    // Mocks are told the inputs alone; the options are in the request.
    const monitor = pulumi.runtime.getMonitor();
    if (monitor === undefined) {
        throw new Error("the mocks have no monitor");
    }
    const registerResource = monitor.registerResource.bind(monitor) as (
        ...call: unknown[]
    ) => never;
    monitor.registerResource = (...call: [RegisterResourceRequest, ...unknown[]]) => {
        registered.push(describeRequest(call[0]));
        return registerResource(...call);
    };
    const keys = Object.entries(config);
    pulumi.runtime.setAllConfig(
        Object.fromEntries(keys.map(([key, value]) => [`llm-observatory:${key}`, value])),
        keys.filter(([key]) => key.endsWith("Password")).map(([key]) => `llm-observatory:${key}`),
    );
    return registered;
}

function describeRequest(request: RegisterResourceRequest): Registered {
    return {
        type: request.getType(),
        name: request.getName(),
        inputs: reveal(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
        protect: request.getProtect() ?? false,
        deletedWith: shortName(request.getDeletedwith()),
        ignoreChanges: request.getIgnorechangesList(),
        retainOnDelete: request.getRetainondelete() ?? false,
        dependencies: request.getDependenciesList().map(shortName),
        // A provider's reference ends in its id.
        provider: shortName(request.getProvider().replace(/::[^:]*$/, "")),
    };
}

/** The last part of a URN. */
function shortName(urn: string): string {
    return urn.split("::").at(-1) ?? "";
}

/** The engine's mark of a secret on the wire. */
const signatureKey = "4dabf18193072939515e22adb298388d";

function reveal(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(reveal);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (signatureKey in value && "value" in value) {
        return { secret: reveal(value.value) };
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reveal(inner)]));
}

/** The value of an output, and whether it is secret. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
    const value = await new Promise<T>((resolve) => {
        output.apply((inner) => resolve(inner));
    });
    return { value, secret: await pulumi.isSecret(output) };
}

export function one(registered: readonly Registered[], name: string): Registered {
    const [found, ...others] = registered.filter((resource) => resource.name === name);
    if (found === undefined || others.length > 0) {
        const names = registered.map((resource) => resource.name).join(", ");
        throw new Error(`expected one ${name}, found ${others.length} more or none among ${names}`);
    }
    return found;
}
