import assert from "node:assert/strict";
import { flat, moved, says } from "./found.ts";

Deno.test("the choice goes around the ends and stays in an empty list", () => {
  assert.equal(moved(0, -1, 5), 4);
  assert.equal(moved(4, 1, 5), 0);
  assert.equal(moved(3, 1, 0), 0);
});

Deno.test("every word must occur, in any order and case", () => {
  assert.ok(says("TABLE new", "New table"));
  assert.ok(!says("new view", "New table"));
  assert.ok(says("", "anything"));
});

Deno.test("entries keep the order of their groups", () => {
  const entry = (text: string) => ({ text, detail: "", icon: "plus" });
  assert.deepEqual(
    flat([{ heading: "a", found: [entry("1")] }, { heading: "b", found: [entry("2"), entry("3")] }]).map((
      one,
    ) => one.text),
    ["1", "2", "3"],
  );
});
