import assert from "node:assert/strict";
import { duration, percent, size } from "./numbers.ts";

Deno.test("durations are short", () => {
  assert.equal(duration(0.2), "<1 ms");
  assert.equal(duration(33.6), "34 ms");
  assert.match(duration(1234), /^1\.2 sec?$/);
});

Deno.test("sizes and shares are rounded", () => {
  assert.equal(size(512), "512B");
  assert.equal(size(1400), "1.4 kB");
  assert.equal(percent(0.0123), "1.2%");
  assert.equal(percent(0.5), "50%");
});
