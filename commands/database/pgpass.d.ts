/** The package has no types of its own. Source: its README. */
declare module "pgpass" {
    interface ConnectionInfo {
        readonly host: string;
        readonly port: number;
        readonly database: string;
        readonly user: string;
    }

    /** Calls back with undefined where no line of the file fits. */
    function pgpass(
        connection: ConnectionInfo,
        callback: (password: string | undefined) => void,
    ): void;

    export = pgpass;
}
