/** The container's image, name, memory and workers. */
import { keys, type Target } from "./keys";
import { problem, type Problems } from "./problems";
import type { DockerSettings } from "./stackConfig";
import { integer, isSet, type RawConfig, text } from "./values";

export function dockerSettings(
    raw: RawConfig,
    problems: Problems,
    target: Target | undefined,
): DockerSettings {
    const containerName = isSet(raw, "containerName")
        ? text(raw, "containerName")
        : `llm-observatory-${raw.stack}`;
    const settings = {
        image: text(raw, "image"),
        containerName,
        memory: text(raw, "memory"),
        sharedBuffers: text(raw, "sharedBuffers"),
    };
    // What a target does not use is not worth stopping for.
    const own: Problems = target === "docker" ? problems : { errors: [], warnings: [] };

    if (!/^[a-z0-9][\w./:@-]*$/.test(settings.image)) {
        problem(own, `image "${settings.image}" is not an image reference`, {
            detail: "an image reference is a repository with a tag or a digest",
            hint: `pulumi config set image ${keys.image.default}`,
        });
    } else if (/-oss(@|$)/.test(settings.image)) {
        problem(own, `image "${settings.image}" has no continuous aggregates`, {
            detail: "the -oss images hold TimescaleDB's Apache edition, without aggregates, policies and compression",
            hint: `pulumi config set image ${settings.image.replace(/-oss(?=@|$)/, "")}`,
        });
    }
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(containerName)) {
        problem(own, `containerName "${containerName}" is not a container name`, {
            detail: "Docker takes 2 to 128 letters, digits, _ . and -, the first a letter or a digit",
            hint: "pulumi config set containerName llm-observatory",
        });
    }
    const memory = integer(raw, own, "memory", {
        minimum: 256,
        maximum: 16_777_216,
        what: "an amount of memory in MiB",
    });
    const maxBackgroundWorkers = integer(raw, own, "maxBackgroundWorkers", {
        // The image has the extension in postgres and template1 as well: three schedulers and one job.
        minimum: 4,
        maximum: 1000,
        what: "a number of workers",
    });
    const maxWorkerProcesses = integer(raw, own, "maxWorkerProcesses", {
        minimum: 6,
        maximum: 262_143,
        what: "a number of workers",
    });
    const waitTimeout = integer(raw, own, "waitTimeout", {
        // A first start makes the data folder and starts twice.
        minimum: 180,
        maximum: 86_400,
        what: "a time to wait for the first start, in seconds",
    });
    if (
        maxBackgroundWorkers !== undefined &&
        maxWorkerProcesses !== undefined &&
        maxWorkerProcesses < maxBackgroundWorkers + 2
    ) {
        problem(own, "maxWorkerProcesses leaves no room for maxBackgroundWorkers", {
            detail: `PostgreSQL starts at most ${maxWorkerProcesses} workers: TimescaleDB's launcher, its ${maxBackgroundWorkers} background workers, and its own`,
            hint: `pulumi config set maxWorkerProcesses ${maxBackgroundWorkers + 11}`,
        });
    }
    checkSharedBuffers(own, settings.sharedBuffers, memory);
    return {
        image: settings.image,
        containerName,
        memory: memory ?? keys.memory.default,
        sharedBuffers: settings.sharedBuffers,
        maxWorkerProcesses: maxWorkerProcesses ?? keys.maxWorkerProcesses.default,
        maxBackgroundWorkers: maxBackgroundWorkers ?? keys.maxBackgroundWorkers.default,
        waitTimeout: waitTimeout ?? keys.waitTimeout.default,
    };
}

const mebibytesPerUnit: Readonly<Record<string, number>> = { kB: 1 / 1024, MB: 1, GB: 1024 };

function checkSharedBuffers(
    problems: Problems,
    sharedBuffers: string,
    memory: number | undefined,
): void {
    const match = /^(\d{1,9})(kB|MB|GB)$/.exec(sharedBuffers);
    if (match === null) {
        problem(problems, "sharedBuffers is not an amount of memory", {
            detail: `it is "${sharedBuffers}"; PostgreSQL reads a whole number with kB, MB or GB`,
            hint: `pulumi config set sharedBuffers ${keys.sharedBuffers.default}`,
        });
        return;
    }
    const [, amount, unit = "MB"] = match;
    const mebibytes = Number(amount) * (mebibytesPerUnit[unit] ?? 1);
    if (memory !== undefined && (mebibytes > memory / 2 || mebibytes < 1)) {
        problem(problems, "sharedBuffers does not fit the container's memory", {
            detail: `sharedBuffers is ${sharedBuffers} and memory ${memory} MiB; allowed is from 1 MB to half of the memory`,
            hint: `pulumi config set sharedBuffers ${Math.max(1, Math.floor(memory / 4))}MB`,
        });
    }
}
