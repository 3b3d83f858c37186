/** The seams of the code, and habits that a linter does not know. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { runInNewContext } from "node:vm";

const root = resolve(__dirname, "../..");

interface Source {
    /** From the root of the package, with slashes. */
    readonly path: string;
    readonly text: string;
}

function sources(folder: string, ending = /\.(?:ts|mjs|cjs)$/): Source[] {
    return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => ending.test(name))
        .map((name) => ({
            path: join(folder, name).split(sep).join("/"),
            text: readFileSync(join(root, folder, name), "utf8"),
        }));
}

/** What a file imports: packages as they are, files by their path from the root. */
function importsOf({ path, text }: Source): string[] {
    const specifiers = [
        ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"/gm),
        ...text.matchAll(/^import\s+"([^"]+)"/gm),
        ...text.matchAll(/\b(?:import|require)\(\s*"([^"]+)"/g),
    ].map(([, specifier]) => specifier ?? "");
    return specifiers.map((specifier) =>
        specifier.startsWith(".")
            ? relative(root, resolve(root, dirname(path), specifier))
                  .split(sep)
                  .join("/")
            : specifier,
    );
}

/** `path: what was found` for every find, so that a failure names the place. */
function finds(files: readonly Source[], pattern: RegExp): string[] {
    return files.flatMap(({ path, text }) =>
        [...text.matchAll(pattern)].map(([found]) => `${path}: ${found}`),
    );
}

function importing(files: readonly Source[], wrong: (imported: string) => boolean): string[] {
    return files.flatMap((file) =>
        importsOf(file)
            .filter(wrong)
            .map((imported) => `${file.path}: ${imported}`),
    );
}

const components = sources("components");
const commands = sources("commands");
const timescale = components.filter(({ path }) => path.startsWith("components/timescale/"));
const core = components.filter(({ path }) => path.startsWith("components/timescale/core/"));
const provider = components.filter(({ path }) => path.startsWith("components/timescale/provider/"));

describe("the layers", () => {
    it("are where these tests look for them", () => {
        expect(core.length).toBeGreaterThan(30);
        expect(provider.length).toBeGreaterThan(5);
        expect(commands.length).toBeGreaterThan(20);
        expect(
            importsOf({
                path: "components/a/b.ts",
                text: 'import type {\n    C,\n} from "../c";\nexport * from "d";\nimport "./e";\nrequire("f");\nvoid import("g");\n',
            }),
        ).toEqual(["components/c", "d", "components/a/e", "f", "g"]);
    });

    it("keep Pulumi out of the core", () => {
        expect(importing(core, (imported) => imported.startsWith("@pulumi/"))).toEqual([]);
        expect(finds(core, /@pulumi\//g)).toEqual([]);
    });

    it("let the core know nothing above it", () => {
        const above = (imported: string): boolean =>
            imported.startsWith("components/") &&
            !imported.startsWith("components/timescale/core/");
        expect(importing(core, above)).toEqual([]);
    });

    it("let the resources stand without this project's own server, roles and tables", () => {
        const outside = (imported: string): boolean =>
            /^(?:components|commands|test)\//.test(imported) &&
            !imported.startsWith("components/timescale/");
        expect(importing(timescale, outside)).toEqual([]);
    });

    it("let the provider do without the resource classes, which it must not load", () => {
        const classes =
            /^components\/timescale\/(?:index|resource|hypertable|continuousAggregate|extensionVersion|sqlFunction|view)$/;
        expect(importing(provider, (imported) => classes.test(imported))).toEqual([]);
    });

    it("let components do without commands and tests", () => {
        expect(importing(components, (it) => /^(?:commands|test)\//.test(it))).toEqual([]);
    });

    it("leave planning without a connection", () => {
        const pure = core.filter(({ path }) =>
            /\/(?:rules\/(?!inspect|judgeLive)\w+|refusals|keepHistory\/(?:mapping|statements|guard|names|versionDiff|plan)|diff|plan|locks|hazards|extent|policies\/(?:policy|lines|statements|compressionDiff)|grants|interval|types|query|validate|spec|relations|declarations|hierarchy)\.ts$/.test(
                path,
            ),
        );
        expect(pure.length).toBeGreaterThan(10);
        const impure = /^(?:pg|node:fs|node:net)$|\/(?:session|apply|inspect|sqlFile|server)$/;
        const values = pure.map(({ path, text }) => ({
            path,
            // A type is no connection.
            text: text.replace(/^import type\b[^;]*;/gm, ""),
        }));
        expect(importing(values, (imported) => impure.test(imported))).toEqual([]);
    });

    it("open connections in one place", () => {
        const opening = components.filter(({ text }) =>
            /import \{[^}]*\b(?:Client|Pool)\b[^}]*\} from "pg"/.test(
                text.replace(/type \w+/g, ""),
            ),
        );
        expect(opening.map(({ path }) => path)).toEqual([
            "components/timescale/core/connection/session.ts",
        ]);
    });
});

describe("SQL", () => {
    const files = sources("sql", /\.sql$/);

    it("is read by one file, and that of programs by another", () => {
        const readers = [...components, ...commands].filter(({ text }) =>
            /"(?:\.{0,2}\/)*sql(?:\/[^"]*)?"/.test(text),
        );
        expect(readers.map(({ path }) => path).sort()).toEqual([
            // Where the Observatory's own statements are, and which files go into the package.
            "commands/package/build.ts",
            "components/observatory/statements.ts",
            "components/timescale/core/sqlFile.ts",
            "components/timescale/readSql.ts",
        ]);
        const fileSystem = importing(timescale, (imported) =>
            /^(?:node:)?fs(?:\/promises)?$/.test(imported),
        );
        // Beside them, backups are written and read in one place, and so is the reviewed preview.
        expect(fileSystem).toEqual([
            "components/timescale/readSql.ts: node:fs",
            "components/timescale/core/sqlFile.ts: node:fs",
            "components/timescale/provider/provider.cjs: node:fs",
            "components/timescale/provider/reviewed.ts: node:fs",
            "components/timescale/core/backup/folder.ts: node:fs",
        ]);
    });

    it.each(
        files
            // Parameters of a function have names.
            .filter(({ path }) => !/^sql\/(?:aggregates|functions)\//.test(path))
            .map(({ path, text }) => [path, text]),
    )("of %s opens with what it answers and what its parameters are", (_path, text) => {
        const head = /^(?:--.*\n)+/.exec(text)?.[0] ?? "";
        expect(head).toMatch(/^-- [A-Z]/);
        const used = new Set(text.slice(head.length).match(/\$\d+/g));
        const named = new Set(head.match(/\$\d+/g));
        expect([...named].sort()).toEqual([...used].sort());
    });

    it("that is read is there, and what is there is read", () => {
        const named = finds([...components, ...commands], /(?<=")(?:\w+\/)\w+\.sql(?=")/g).map(
            (find) => `sql/${find.split(": ")[1]}`,
        );
        expect([...new Set(named)].sort()).toEqual(files.map(({ path }) => path).sort());
    });
});

describe("the code", () => {
    const own = [
        ...components,
        ...commands,
        { path: "index.ts", text: readFileSync(join(root, "index.ts"), "utf8") },
    ];

    it("swallows no error without a word", () => {
        expect(
            finds(
                own,
                /\.catch\(\s*(?:\(\s*\w*\s*\)|\w+)\s*=>\s*(?:\{\s*\}|undefined|null)\s*,?\s*\)/g,
            ),
        ).toEqual([]);
        expect(finds(own, /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}/g)).toEqual([]);
    });

    it("prints nothing from components: the engine owns the terminal", () => {
        expect(finds(components, /\bconsole\.\w+|\bprocess\.std(?:out|err)\b/g)).toEqual([]);
    });

    it("knows no machine", () => {
        const everything = [
            ...own,
            ...sources("sql", /\.sql$/),
            ...sources("test").filter(({ path }) => path !== "test/unit/architecture.test.ts"),
        ];
        expect(
            finds(
                everything,
                /(?<![\w.:/])\/(?:home|Users|root|work|mnt|srv)\/[\w.-]+|\b[A-Z]:\\\\\w+/g,
            ),
        ).toEqual([]);
    });

    it("has no enums, which are no types of their values", () => {
        expect(finds(own, /^\s*(?:export\s+)?(?:const\s+)?enum\s+\w+/gm)).toEqual([]);
    });
});

describe("the provider in every resource's state", () => {
    const resource = timescale.find(({ path }) => path === "components/timescale/resource.ts");
    const line =
        'exports.handler=()=>require("module").createRequire(process.cwd()+"/")("pulumi-timescale/provider");';

    it("is this line, byte for byte: a changed one is a difference in every stack", () => {
        const literal = /providerText =\s*'([^'\n]*)';/.exec(resource?.text ?? "")?.[1];
        expect(literal).toBe(line);
        expect(Buffer.byteLength(line)).toBeLessThan(200);
    });

    it("loads the module that the package exports under this name", () => {
        const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
            readonly name: string;
            readonly exports: Readonly<Record<string, string>>;
        };
        expect(manifest.name).toBe("pulumi-timescale");
        const file = manifest.exports["./provider"] ?? "";
        expect(provider.map(({ path }) => `./${path}`)).toContain(file);
    });

    it("calls what it loads, in whatever folder the program runs", () => {
        const loaded: string[] = [];
        const handler = {} as { handler?: () => unknown };
        const createRequire = (from: string) => (name: string) => {
            loaded.push(from, name);
            return "the provider";
        };
        runInNewContext(line, {
            exports: handler,
            require: (name: string) => (name === "module" ? { createRequire } : undefined),
            process: { cwd: () => "/program" },
        });
        expect(handler.handler?.()).toBe("the provider");
        expect(loaded).toEqual(["/program/", "pulumi-timescale/provider"]);
    });
});
