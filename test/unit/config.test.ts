import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { type Key, keyNames, keys } from "../../components/config/keys";
import type { StackConfig } from "../../components/config/stackConfig";
import { type CheckedConfig, validateConfig } from "../../components/config/validate";
import type { RawConfig } from "../../components/config/values";
import { explain } from "../../components/timescale/core/errors";

const passwords = {
    ownerPassword: "owner-pw",
    writerPassword: "writer-pw",
    readerPassword: "reader-pw",
};

const docker = { target: "docker", adminPassword: "admin-pw", ...passwords };

const external = {
    target: "external",
    host: "db.example.com",
    adminUser: "deployer",
    adminPassword: "admin-pw",
    ...passwords,
};

/** A certificate authority; its key was thrown away. */
const pem = `-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgIUOcYz0TR1M1Tr08HbR7mbtLc6ExYwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjExMjMwMTQ5NTZaFw00NjExMTgwMTQ5
NTZaMBIxEDAOBgNVBAMMB1Rlc3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQwlzRNPBPSf9+ir/fJhchpj/8CWrzXEYZBdOqzX4/yL1zRQ4/dmoWBC6/2j81k
7fsVfkj5n3XQI5o9YIgF0wl3o1MwUTAdBgNVHQ4EFgQUQlaNPe+m+6WyObPwrQFR
SZtJ3K8wHwYDVR0jBBgwFoAUQlaNPe+m+6WyObPwrQFRSZtJ3K8wDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBLXeQGbd0x0wawyzVOY1HX0ceYrlQX
qVJ3RyyRFrhspQIgRsiiGX5zOrs9Nuuk/34Mka/MBAVl4mvcZsVcamMQACE=
-----END CERTIFICATE-----
`;

const allSecret = new Set(["adminPassword", ...Object.keys(passwords)]);

function check(values: Record<string, string>, raw: Partial<RawConfig> = {}): CheckedConfig {
    return validateConfig({
        stack: "test",
        values,
        secretKeys: allSecret,
        readText: (path) => {
            throw new Error(`ENOENT: no such file or directory, open '${path}'`);
        },
        ...raw,
    });
}

function configOf(values: Record<string, string>, raw: Partial<RawConfig> = {}): StackConfig {
    const { config, errors } = check(values, raw);
    if (config === undefined) {
        throw new Error(errors.map(explain).join("\n"));
    }
    return config;
}

function errorsOf(values: Record<string, string>, raw: Partial<RawConfig> = {}): string[] {
    const { config, errors } = check(values, raw);
    expect(config).toBeUndefined();
    return errors.map(({ message }) => message);
}

function warningsOf(values: Record<string, string>, raw: Partial<RawConfig> = {}): string[] {
    return check(values, raw).warnings.map(({ message }) => message);
}

describe("a sound config", () => {
    it("of docker needs a target and four passwords", () => {
        expect(configOf(docker)).toEqual({
            target: "docker",
            host: "127.0.0.1",
            port: 54320,
            database: "llm_observatory",
            schema: "public",
            databaseUuid: "any",
            sslMode: "disable",
            sslRootCert: undefined,
            manageAccess: true,
            passwords: { owner: "owner-pw", writer: "writer-pw", reader: "reader-pw" },
            protectData: true,
            adopt: false,
            backup: undefined,
            helpers: true,
            policies: {},
            slaTargets: [{ p95Ms: 2000, p99Ms: 5000, errorRate: 0.01 }],
            admin: { user: "postgres", password: "admin-pw" },
            docker: {
                image: "timescale/timescaledb:2.14.2-pg15",
                containerName: "llm-observatory-test",
                memory: 2048,
                sharedBuffers: "512MB",
                maxWorkerProcesses: 27,
                maxBackgroundWorkers: 16,
                waitTimeout: 300,
            },
        });
    });

    it("takes a folder for backups", () => {
        expect(configOf({ ...docker, backup: "backups" })).toMatchObject({ backup: "backups" });
    });

    it("of external needs host and admin login as well, and checks the certificate in full", () => {
        expect(configOf(external)).toMatchObject({
            target: "external",
            host: "db.example.com",
            port: 5432,
            sslMode: "verify-full",
            databaseUuid: undefined,
            admin: { user: "deployer", password: "admin-pw" },
        });
    });

    it("of external needs no admin login where access is made elsewhere", () => {
        const { adminUser: _user, adminPassword: _password, ...rest } = external;

        expect(configOf({ ...rest, manageAccess: "false" })).toMatchObject({
            manageAccess: false,
            admin: undefined,
        });
    });

    it("of embedded needs nothing but its target, and manages no access", () => {
        expect(configOf({ target: "embedded", manageAccess: "true" })).toMatchObject({
            host: "127.0.0.1",
            port: 54329,
            sslMode: "disable",
            manageAccess: false,
            admin: undefined,
            // Clients send something, and the server does not look at it.
            passwords: { owner: "not-checked", writer: "not-checked", reader: "not-checked" },
        });
    });

    it("takes an empty text and a port of 0 for not set, as Pulumi.yaml's defaults have them", () => {
        const defaults = Object.fromEntries(
            keyNames.map((name) => [name, String(keys[name].default)]),
        );

        expect(configOf({ ...defaults, ...docker })).toEqual(configOf(docker));
    });

    it("takes database and schema names that need quoting", () => {
        const names = { database: 'Odd"Base', schema: 'Odd "Schema"' };

        expect(configOf({ ...external, ...names })).toMatchObject(names);
    });
});

/** The lines `key: value` of a YAML block, without quotes. */
function fieldsOf(body: string): Record<string, string> {
    return Object.fromEntries(
        [...body.matchAll(/^ {4}(\w+): (.*)$/gm)].map(([, key = "", value = ""]) => [
            key,
            value.replace(/^"(.*)"$/, "$1"),
        ]),
    );
}

describe("Pulumi.yaml", () => {
    it("declares the same keys, types, defaults and secrets as the program", () => {
        const text = readFileSync(join(__dirname, "..", "..", "Pulumi.yaml"), "utf8");
        const blocks = text
            .slice(text.indexOf("\nconfig:\n"))
            .matchAll(/^ {2}(\w+):\n((?: {4}.*\n)+)/gm);
        const declared = new Map(
            [...blocks].map(([, name = "", body = ""]) => [name, fieldsOf(body)]),
        );

        expect([...declared.keys()].sort()).toEqual([...keyNames].sort());
        for (const name of keyNames) {
            const key: Key = keys[name];
            expect({ name, ...declared.get(name) }).toEqual({
                name,
                default: String(key.default),
                description: expect.stringMatching(/^\S.{10,}/) as string,
                // A typed key is demanded of every stack, and not every target has secrets.
                ...(key.secret ? { secret: "true" } : { type: key.type }),
            });
        }
    });
});

describe("targets", () => {
    const targetsOf = (slaTargets: string) => configOf({ ...docker, slaTargets })?.slaTargets;
    const defaults = { p95Ms: 2000, p99Ms: 5000, errorRate: 0.01 };

    it("are the defaults for what the list leaves out", () => {
        expect(
            targetsOf('[{"model": "gpt-4o", "environment": "production", "p95Ms": 1500}]'),
        ).toEqual([
            { ...defaults, model: "gpt-4o", environment: "production", p95Ms: 1500 },
            defaults,
        ]);
        expect(targetsOf('[{"errorRate": 0.02}]')).toEqual([{ ...defaults, errorRate: 0.02 }]);
    });

    it.each([
        ["{", "it is no JSON"],
        ["{}", "it is no list"],
        ["[1]", "entry 1 is no object"],
        ['[{"p95": 1}]', 'entry 1 has "p95"'],
        ['[{"model": 1}]', "entry 1 has a model that is no text"],
        ['[{"p99Ms": "5 s"}]', "entry 1 has a p99Ms that is no number above 0"],
        ['[{"errorRate": 1.5}]', "entry 1 has an errorRate above 1"],
        ['[{"p95Ms": 1}, {"p99Ms": 1}]', "entry 2 has the model and environment of another"],
    ])("%s are refused", (slaTargets, reason) => {
        const { errors } = check({ ...docker, slaTargets });

        expect(errors.map(({ message }) => message)).toEqual([
            "slaTargets is not a list of targets",
        ]);
        expect(errors[0]?.detail).toContain(reason);
    });
});

describe("policies of one environment", () => {
    it("are what the JSON says, by table or aggregate", () => {
        const policies = {
            llm_traces: { retentionPolicy: { dropAfter: "30 days" }, compressionPolicy: null },
            llm_metrics_1min: { refreshPolicy: { scheduleInterval: "5 minutes", paused: true } },
        };

        expect(configOf({ ...docker, policies: JSON.stringify(policies) })?.policies).toEqual(
            policies,
        );
    });

    it.each([
        ["{", "it is no JSON"],
        ["[]", "it is no object of tables and aggregates"],
        ['{"llm_trace": {}}', "llm_trace is not known; did you mean llm_traces?"],
        ['{"llm_traces": 1}', "llm_traces is no object of policies"],
        [
            '{"llm_traces": {"retention": {}}}',
            "llm_traces.retention is not known: there are refreshPolicy, retentionPolicy, compressionPolicy",
        ],
        [
            '{"llm_traces": {"retentionPolicy": {"dropafter": "1 day"}}}',
            "llm_traces.retentionPolicy.dropafter is not known; did you mean dropAfter?",
        ],
        [
            '{"llm_traces": {"retentionPolicy": {"dropAfter": 30}}}',
            'llm_traces.retentionPolicy.dropAfter is no interval such as "30 days"',
        ],
        ['{"llm_traces": {"retentionPolicy": 3}}', "llm_traces.retentionPolicy is neither an object nor null"], // prettier-ignore
        [
            '{"llm_metrics_1min": {"refreshPolicy": {"paused": "yes"}}}',
            "llm_metrics_1min.refreshPolicy.paused is neither true nor false",
        ],
        [
            '{"llm_metrics_1min": {"refreshPolicy": null}}',
            "llm_metrics_1min.refreshPolicy is null: what is never refreshed stays empty; paused: true stops it",
        ],
    ])("%s are refused", (policies, detail) => {
        expect(check({ ...docker, policies }).errors).toEqual([
            expect.objectContaining({
                message: "policies cannot be used",
                detail: expect.stringContaining(detail) as string,
            }),
        ]);
    });

    it("are refused all at once", () => {
        const policies = '{"x": {}, "llm_logs": {"y": {}}}';
        expect(check({ ...docker, policies }).errors).toHaveLength(2);
    });
});

describe("the stacks that are there", () => {
    const root = join(__dirname, "../..");
    const stackFile = (stack: string): Record<string, string> => {
        const { config } = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as {
            config: Record<string, string>;
        };
        return Object.fromEntries(
            Object.entries(config).map(([key, value]) => [
                key.replace("llm-observatory:", ""),
                value,
            ]),
        );
    };

    it.each([
        ["dev", docker, { target: "docker", protectData: false, sslMode: "disable" }],
        ["staging", external, { target: "external", protectData: true, sslMode: "verify-full" }],
        ["prod", external, { target: "external", protectData: true, sslMode: "verify-full" }],
    ])("%s is sound once its server and passwords are known", (stack, needed, expected) => {
        expect(configOf({ ...needed, ...stackFile(stack) })).toMatchObject(expected);
    });

    it("says what is missing where nothing was set yet", () => {
        expect(errorsOf(stackFile("prod"))).toEqual(
            expect.arrayContaining([
                'config key "host" is not set',
                'config key "adminUser" is not set',
            ]),
        );
    });
});

describe("problems", () => {
    it("are reported all at once", () => {
        expect(
            errorsOf({
                target: "external",
                prot: "5432",
                port: "70000",
                schema: "pg_temp",
                protectData: "yes",
                sslMode: "prefer",
                ...passwords,
                readerPassword: "writer-pw",
            }),
        ).toEqual([
            'config key "prot" is unknown',
            "protectData is neither true nor false",
            'config key "host" is not set',
            "port is not a TCP port",
            'schema "pg_temp" belongs to the server',
            'sslMode "prefer" is unknown',
            'config key "adminUser" is not set',
            'config key "adminPassword" is not set',
            "writerPassword and readerPassword are equal",
        ]);
    });

    it("each say what to do, and none shows a password", () => {
        const { errors, warnings } = check(
            { ...docker, readerPassword: "writer-pw", ownerPassword: "md5" + "0".repeat(32) },
            { secretKeys: new Set() },
        );

        for (const problem of [...errors, ...warnings]) {
            expect(problem.detail).toMatch(/\S/);
            expect(problem.hint).toMatch(/\S/);
            expect(explain(problem)).not.toMatch(/-pw|md50/);
        }
        expect(errors).toHaveLength(2);
    });

    it.each([
        ["sslmode", "sslMode"],
        ["adminpasword", "adminPassword"],
        ["hots", "host"],
    ])("name the known key that %s was meant to be", (given, meant) => {
        const [problem] = check({ ...docker, [given]: "x" }).errors;

        expect(problem?.message).toBe(`config key "${given}" is unknown`);
        expect(problem?.hint).toContain(`did you mean "${meant}"?`);
    });

    it("offer no key for a word that is like none", () => {
        const [problem] = check({ ...docker, zzzzzz: "x" }).errors;

        expect(problem?.hint).toBe("pulumi config rm zzzzzz");
    });

    it.each<[string, Record<string, string>, string]>([
        ["no target", { ...docker, target: "" }, 'config key "target" is not set'],
        ["an unknown target", { ...docker, target: "dokcer" }, 'target "dokcer" is unknown'],
        ["a port with a letter", { ...docker, port: "5432a" }, "port is not a TCP port"],
        ["a negative port", { ...docker, port: "-1" }, "port is not a TCP port"],
        ["a broken port", { ...docker, port: "54.5" }, "port is not a TCP port"],
        [
            "a host with a port",
            { ...external, host: "db.example.com:5432" },
            'host "db.example.com:5432" is neither a host name nor an IP address',
        ],
        [
            "a host with a scheme",
            { ...external, host: "postgres://db" },
            'host "postgres://db" is neither a host name nor an IP address',
        ],
        [
            "a long database name",
            { ...docker, database: "ü".repeat(32) },
            "database is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        [
            "a long schema name",
            { ...docker, schema: "s".repeat(64) },
            "schema is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        [
            "a long admin name",
            { ...external, adminUser: "a".repeat(64) },
            "adminUser is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        [
            "the server's own database",
            { ...docker, database: "postgres" },
            'database "postgres" is the server\'s own',
        ],
        [
            "a database name that cannot be passed on",
            { ...docker, database: "a?b" },
            'database "a?b" has a character that @pulumi/postgresql cannot pass on',
        ],
        [
            "an admin that the program would create",
            { ...external, adminUser: "observatory_owner" },
            'adminUser "observatory_owner" is one of the roles that the program creates',
        ],
        [
            "a blank password",
            { ...docker, ownerPassword: "  " },
            'config key "ownerPassword" is not set',
        ],
        [
            "a password that removes passwords",
            { ...docker, ownerPassword: "Null" },
            "ownerPassword cannot be used as a password",
        ],
        [
            "a password's hash",
            { ...docker, ownerPassword: "SCRAM-SHA-256$4096:x$y:z" },
            "ownerPassword is a password's hash, not the password",
        ],
        [
            "a bad boolean",
            { ...docker, manageAccess: "1" },
            "manageAccess is neither true nor false",
        ],
        [
            "too little memory",
            { ...docker, memory: "128" },
            "memory is not an amount of memory in MiB",
        ],
        [
            "buffers without a unit",
            { ...docker, sharedBuffers: "512" },
            "sharedBuffers is not an amount of memory",
        ],
        [
            "buffers that do not fit",
            { ...docker, sharedBuffers: "2GB" },
            "sharedBuffers does not fit the container's memory",
        ],
        [
            "too few processes for the workers",
            { ...docker, maxBackgroundWorkers: "32" },
            "maxWorkerProcesses leaves no room for maxBackgroundWorkers",
        ],
        [
            "a wait that is shorter than a first start",
            { ...docker, waitTimeout: "60" },
            "waitTimeout is not a time to wait for the first start, in seconds",
        ],
        [
            "the Apache edition",
            { ...docker, image: "timescale/timescaledb:2.14.2-pg15-oss" },
            'image "timescale/timescaledb:2.14.2-pg15-oss" has no continuous aggregates',
        ],
        [
            "a bad container name",
            { ...docker, containerName: "a b" },
            'containerName "a b" is not a container name',
        ],
        [
            "a bad identity",
            { ...external, databaseUuid: "42" },
            "databaseUuid is not the identity of a database",
        ],
        [
            "a certificate file that is not there",
            { ...external, sslRootCert: "ca.pem" },
            'sslRootCert "ca.pem" cannot be read',
        ],
        [
            "a certificate that is none",
            { ...external, sslRootCert: "-----BEGIN CERTIFICATE-----\nabc\n" },
            "sslRootCert is not a PEM certificate",
        ],
    ])("name %s", (_case, values, message) => {
        expect(errorsOf(values)).toEqual([message]);
    });

    it.each(["adminPassword", "ownerPassword", "writerPassword", "readerPassword"])(
        "name %s when docker lacks it",
        (key) => {
            expect(errorsOf({ ...docker, [key]: "" })).toEqual([`config key "${key}" is not set`]);
        },
    );

    it("name every group of equal passwords", () => {
        expect(
            errorsOf({
                ...docker,
                adminPassword: "same",
                ownerPassword: "same",
                readerPassword: "same",
            }),
        ).toEqual(["adminPassword and ownerPassword and readerPassword are equal"]);
    });
});

describe("warnings", () => {
    it("tell of a secret in plain text, and do not stop", () => {
        const raw = { secretKeys: new Set(["adminPassword", "writerPassword", "readerPassword"]) };

        expect(configOf(docker, raw)).toBeDefined();
        expect(warningsOf(docker, raw)).toEqual([
            "ownerPassword is kept in plain text in the stack's config",
        ]);
    });

    it("tell of a connection that is not encrypted", () => {
        expect(warningsOf({ ...external, sslMode: "disable" })).toEqual([
            'connections to "db.example.com" are not encrypted',
        ]);
    });

    it.each(["localhost", "127.0.0.1", "127.1.2.3", "::1"])("are silent for %s", (host) => {
        expect(warningsOf({ ...external, sslMode: "disable", host })).toEqual([]);
    });

    it("tell of a key that has no effect with the target", () => {
        expect(warningsOf({ ...docker, host: "db.example.com", sslMode: "require" })).toEqual([
            "host has no effect with target docker",
            "sslMode has no effect with target docker",
        ]);
    });
});

describe("sslRootCert", () => {
    it("is read from a file and keeps its path", () => {
        const readText = (path: string) => (path === "tls/ca.pem" ? pem : "");

        expect(
            configOf({ ...external, sslRootCert: "tls/ca.pem" }, { readText }).sslRootCert,
        ).toEqual({ pem, path: "tls/ca.pem" });
    });

    it("is taken as it is when it is the text", () => {
        expect(configOf({ ...external, sslRootCert: pem }).sslRootCert).toEqual({
            pem,
            path: undefined,
        });
    });

    it("has no effect without TLS", () => {
        const values = { ...external, host: "localhost", sslMode: "disable", sslRootCert: pem };

        expect(configOf(values).sslRootCert).toBeUndefined();
        expect(warningsOf(values)).toEqual(["sslRootCert has no effect with sslMode disable"]);
    });
});
