// Entry of the worker thread: a worker does not inherit the TypeScript loader of its parent.
require("tsx/cjs");
require("./backendWorker.ts");
