// Runs esbuild (its WebAssembly form) where it can read two folders and write one: Deno refuses the rest, so that a
// package which names a file outside of them is told that there is none.
//
//   deno run … bundler.js WORK TOOL esbuild-arguments…
//
// esbuild walks down from the root of the file system and gives up where it can't look; the folders above WORK
// therefore seem to be there and to hold nothing but the next one.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [work, tool, ...rest] = Deno.args;
const above = new Map();
for (let at = work; at !== path.dirname(at); at = path.dirname(at)) above.set(path.dirname(at), path.basename(at));

const readdir = fs.readdir;
fs.readdir = (at, ...more) =>
  above.has(at) ? queueMicrotask(() => more.at(-1)(null, [above.get(at)])) : readdir(at, ...more);
for (const name of ["open", "stat", "lstat"]) {
  const native = fs[name];
  fs[name] = (at, ...more) => native(above.has(at) ? work : at, ...more);
}
process.argv.splice(2, Infinity, ...rest);
createRequire(import.meta.url)(tool);
