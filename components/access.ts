/** Who may do what: the database, its extension, the three roles and their least privileges. */
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";

import { databaseGrants } from "./access/grants";
import { roleVerifier } from "./access/roleVerifier";
import { rootCertificateFile } from "./access/rootCertificateFile";
import type { RolePasswords, StackConfig } from "./config/stackConfig";
import { roles } from "./roles";
import { type Admin, connectionTo, type Server } from "./server/server";
import type { Connection } from "./timescale/core/connection/connection";
import { ExtensionVersion } from "./timescale/extensionVersion";
import { LoginPassword } from "./timescale/loginPassword";
import { newDatabase } from "./timescale/newDatabase";

export interface AccessArgs {
    readonly server: Server;
    readonly admin: Admin;
    readonly database: string;
    readonly schema: string;
    readonly passwords: RolePasswords;
    /** Whether database and roles are protected from deletion. */
    readonly protectData: boolean;
}

/** The three logins to the database. All are secret, and resolve only when they can be used. */
export interface Logins {
    readonly owner: pulumi.Output<Connection>;
    readonly writer: pulumi.Output<Connection>;
    readonly reader: pulumi.Output<Connection>;
    /** Deleted with everything in it, if the program makes it. */
    readonly database: pulumi.Resource | undefined;
}

/**
 * Database, extension, roles and schema by `@pulumi/postgresql`, which takes over nothing that exists.
 *
 * The admin login makes roles and database and then hands on to the owner: what is inside the database
 * belongs to `observatory_owner`, so an admin that is no superuser is enough. The owner may create
 * TimescaleDB because it is a trusted extension.
 *
 * Nothing is granted by default privileges, which would let the reader read raw text: rights on tables
 * and aggregates come from their own `grants`. The public may not even connect.
 *
 * On deletion the database goes as a whole, with all sessions in it, and the roles after it. An admin
 * that is no superuser drops the extension first, which sends TimescaleDB's scheduler away.
 */
export class Access extends pulumi.ComponentResource implements Logins {
    readonly owner: pulumi.Output<Connection>;
    readonly writer: pulumi.Output<Connection>;
    readonly reader: pulumi.Output<Connection>;
    readonly database: pulumi.Resource;

    constructor(name: string, args: AccessArgs, opts?: pulumi.ComponentResourceOptions) {
        super("timescale:access:Access", name, {}, { ...opts, protect: args.protectData });
        const { server, admin, passwords } = args;
        const within = { parent: this };
        const dependsOn = [...server.dependsOn, adminPassword(name, server, admin, within)];

        const endpoint: postgresql.ProviderArgs = {
            // The address goes into a URL, where an IPv6 address needs its brackets.
            host: server.host.includes(":") ? `[${server.host}]` : server.host,
            port: server.port,
            sslmode: server.sslMode,
            ...rootCertificateFile(server.sslRootCert),
            maxConnections: 4,
        };
        const asAdmin = new postgresql.Provider(
            `${name}-admin`,
            {
                ...endpoint,
                username: admin.user,
                password: admin.password,
                database: admin.database,
                superuser: admin.superuser,
            },
            { ...within, dependsOn },
        );

        const onServer = {
            ...within,
            provider: asAdmin,
            dependsOn,
            // A stopped container can be destroyed with its data, although nobody answers.
            ...(server.data === undefined ? {} : { deletedWith: server.data }),
        };
        const role = (key: keyof RolePasswords): postgresql.Role =>
            new postgresql.Role(
                `${name}-${key}`,
                {
                    name: roles[key],
                    login: true,
                    password: pulumi.secret(roleVerifier(roles[key], passwords[key])),
                },
                onServer,
            );
        const owner = role("owner");
        const writer = role("writer");
        const reader = role("reader");

        // Dropping the database ends the sessions in it, which only members of their roles may do.
        const adminIn = (key: "writer" | "reader", { name: grantRole }: postgresql.Role) =>
            new postgresql.GrantRole(
                `${name}-admin-in-${key}`,
                { role: admin.user, grantRole },
                onServer,
            );
        const memberships = admin.superuser
            ? []
            : [adminIn("writer", writer), adminIn("reader", reader)];

        // Before it: a new database is a copy of template1, and nobody may be in that meanwhile.
        const version = ownVersion(name, server, admin, { ...within, dependsOn });
        const database = new postgresql.Database(
            `${name}-database`,
            { name: args.database, owner: owner.name },
            // The roles outlive the database: a role that has rights in it cannot be dropped.
            { ...onServer, dependsOn: [...dependsOn, writer, reader, ...memberships, ...version] },
        );

        const asOwner = new postgresql.Provider(
            `${name}-as-owner`,
            {
                ...endpoint,
                username: owner.name,
                password: pulumi.secret(passwords.owner),
                database: database.name,
                superuser: false,
            },
            { ...within, dependsOn: [...dependsOn, database] },
        );
        const inside = { ...within, provider: asOwner, deletedWith: database };

        const extension = new postgresql.Extension(
            `${name}-timescaledb`,
            {
                name: "timescaledb",
                schema: "public",
                // Before the database, so that TimescaleDB's scheduler leaves it by itself: it runs as a
                // superuser, and no other login may end it. What hangs on the extension goes in any case.
                dropCascade: !admin.superuser,
            },
            {
                ...within,
                provider: asOwner,
                ...(admin.superuser ? { deletedWith: database } : {}),
                // Its version changes by ALTER EXTENSION as the first statement of a session: see ExtensionVersion.
                ignoreChanges: ["version"],
            },
        );
        const schema =
            args.schema === "public"
                ? undefined
                : new postgresql.Schema(
                      `${name}-schema`,
                      { name: args.schema, owner: owner.name },
                      inside,
                  );

        const grants = databaseGrants(
            name,
            {
                database: database.name,
                schema: schema?.name ?? args.schema,
                writer: writer.name,
                reader: reader.name,
            },
            inside,
            admin.superuser ? { ...inside, provider: asAdmin } : inside,
        );

        const inPlace = pulumi.all([
            server.ready,
            ...version.map(({ id }) => id),
            extension.id,
            schema?.id,
            ...grants.map(({ id }) => id),
        ]);
        const all = logins(server, args.database, passwords, inPlace);
        this.owner = server.databaseIsNew === true ? newDatabase(all.owner) : all.owner;
        this.writer = all.writer;
        this.reader = all.reader;
        this.database = database;
        this.registerOutputs({});
    }
}

/**
 * A changed adminPassword comes into force before anything is done with it. What is done with the
 * admin login waits for it.
 */
function adminPassword(
    name: string,
    server: Server,
    admin: Admin,
    opts: pulumi.CustomResourceOptions,
): LoginPassword {
    const connection = pulumi
        .all([admin.password, server.ready])
        .apply(([password]) => connectionTo(server, admin.database, admin.user, password));
    const { container } = server;
    const inputs = {
        connection: pulumi.secret(connection),
        ...(container === undefined ? {} : { container }),
    };
    const dependsOn = [...server.dependsOn];
    return new LoginPassword(`${name}-admin-password`, inputs, { ...opts, dependsOn });
}

/**
 * On a server of the stack's own, whose image has the library: every database follows it before
 * anything else is done in one.
 */
function ownVersion(
    name: string,
    server: Server,
    admin: Admin,
    opts: pulumi.CustomResourceOptions,
): ExtensionVersion[] {
    if (server.data === undefined) return [];
    const connection = pulumi
        .all([admin.password, server.ready])
        .apply(([password]) => connectionTo(server, admin.database, admin.user, password));
    const inputs = { connection: pulumi.secret(connection), everyDatabase: true };
    // Nothing is lost with it, and it goes with the container.
    const version = new ExtensionVersion(`${name}-timescaledb-version`, inputs, {
        ...opts,
        protect: false,
    });
    for (const notice of server.notices ?? []) void pulumi.log.info(notice, version);
    return [version];
}

/** The three logins: to what the program makes, or to what stands already. */
export function access(config: StackConfig, server: Server): Logins {
    const { database, schema, passwords, protectData } = config;
    const { admin } = server;
    if (config.manageAccess && admin !== undefined) {
        return new Access("access", { server, admin, database, schema, passwords, protectData });
    }
    const version =
        admin === undefined
            ? []
            : ownVersion("access", server, admin, {
                  dependsOn: [adminPassword("access", server, admin, {})],
              });
    const inPlace = pulumi.all([server.ready, ...version.map(({ id }) => id)]);
    const all = logins(server, database, passwords, inPlace, config.ownerUser);
    return { ...all, database: undefined };
}

function logins(
    server: Server,
    database: string,
    passwords: RolePasswords,
    inPlace: pulumi.Output<unknown>,
    ownerUser?: string,
): Omit<Logins, "database"> {
    const login = (user: string, password: string): pulumi.Output<Connection> =>
        pulumi.secret(inPlace.apply(() => connectionTo(server, database, user, password)));
    const owner = login(ownerUser ?? roles.owner, passwords.owner);
    // Of somebody else's database, one login is known.
    if (ownerUser !== undefined) return { owner, writer: owner, reader: owner };
    return {
        owner,
        writer: login(roles.writer, passwords.writer),
        reader: login(roles.reader, passwords.reader),
    };
}
