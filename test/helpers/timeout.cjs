/** Gives every test of a suite the time that jest.config.cjs grants it. */
jest.setTimeout(globalThis.suiteTimeout);
