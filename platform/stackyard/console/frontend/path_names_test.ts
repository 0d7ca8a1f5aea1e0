import assert from "node:assert/strict";
import { inputType, pathNames, usual } from "./path_names.ts";

Deno.test("names in braces are found once, half-typed ones are not", () => {
  assert.deepEqual(pathNames("/customers/{customer_id}/orders/{no}/{no}"), ["customer_id", "no"]);
  assert.deepEqual(pathNames("/customers/{customer_"), []);
  assert.deepEqual(pathNames("/a/{}/b"), []);
});

Deno.test("an id is a number", () => {
  assert.equal(inputType("customer_id"), "int");
  assert.equal(inputType("slug"), "text");
});

Deno.test("a template of a table has its usual address", () => {
  assert.deepEqual(usual("get", "companies"), { method: "GET", path: "/companies/{company_id}" });
  assert.equal(usual("empty", "companies"), null);
  assert.equal(usual("get", ""), null);
});
