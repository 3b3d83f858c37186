"use strict";
// What the line of text in every resource's state loads. In a source checkout the code is TypeScript
// and tsx runs it; in an installed package it is compiled already.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

if (existsSync(join(__dirname, "lifecycle.ts"))) require("tsx/cjs");

require("./engineLog").stopWithEngine();

module.exports = require("./lifecycle").provider;
