import { linesOf, textOf } from "./clipboard.ts";
import { History } from "./history.ts";
import { newLine } from "./making.ts";
import { offsetsOf, rowsOf, WIDE, windowOf } from "./rows.ts";
import { docOf, KIND_GROUPS, KINDS, nested, set } from "./samples.ts";
import { matching, offersOf, scopeFor, Scopes } from "./scope.ts";
import { findKinds, findLines } from "./search.ts";
import { choose, extend, stepFrom, toggleLine } from "./selection.ts";
import { branchSentence, type Expression, plainText, sentenceOf } from "./sentences.ts";

function equal(given: unknown, wanted: unknown): void {
  if (JSON.stringify(given) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(given)} is not ${JSON.stringify(wanted)}`);
  }
}

Deno.test("rows show blocks with their heads, empty ones with a place to add, and fold", () => {
  const keys = rowsOf(nested(), KINDS, new Set()).map((row) => row.key);
  equal(keys, [
    "a",
    "c",
    "c/then",
    "t1",
    "t2",
    "c/else_if.0.then",
    "e1",
    "c/else",
    "c/else/add",
    "l",
    "m",
    "d1",
    "z",
    "end",
    "response",
  ]);
  const folded = rowsOf(nested(), KINDS, new Set(["c", "l"]));
  equal(folded.map((row) => row.key), ["a", "c", "l", "z", "end", "response"]);
  equal(folded.map((row) => (row.type === "line" ? row.inside : 0)), [0, 3, 2, 0, 0, 0]);
});

Deno.test("only rows in view exist", () => {
  const rows = rowsOf(docOf(...Array.from({ length: 500 }, (_, at) => set(`n${at}`))), KINDS, new Set());
  const offsets = offsetsOf(rows, (row) => (row.key === "n3" ? 1 : 0), WIDE);
  equal(offsets[4], 4 * WIDE.line + WIDE.note);
  equal(windowOf(offsets, 0, 400, 5), [0, 15]);
  const [first, last] = windowOf(offsets, 10_000, 10_400, 20);
  equal(last - first < 60, true);
  equal(windowOf(offsets, 1e9, 1e9, 5), [496, 502]);
});

Deno.test("a range, a step and single lines are chosen", () => {
  const rows = rowsOf(nested(), KINDS, new Set());
  const range = extend(rows, choose(rows, "t2"), "a");
  equal([...range.lines], ["a", "c", "t1", "t2"]);
  equal([...toggleLine(range, "c").lines], ["a", "t1", "t2"]);
  equal(stepFrom(rows, "a", -1), "a");
  equal(stepFrom(rows, "c", 1), "c/then");
  equal(stepFrom(rows, "z", 99), "response");
});

Deno.test("typing in one place is one step back", () => {
  let now = 0;
  const history = new History<string>(() => now);
  history.record("", "type", "x");
  now = 500;
  history.record("a", "type", "x");
  now = 1000;
  history.record("ab", "type", "y");
  now = 5000;
  history.record("abc", "type", "y");
  equal(history.depth, 3);
  equal(history.undo("abcd")?.state, "abc");
  equal(history.undo("abc")?.state, "ab");
  equal(history.redo("ab")?.state, "abc");
  history.record("abc", "other");
  equal(history.canRedo, false);
  for (let at = 0; at < 300; at++) history.record(String(at), "many");
  equal(history.depth, 200);
});

Deno.test("lines go through text and back, in either spelling, with nothing else taken for them", () => {
  const lines = nested().lines;
  const text = textOf(lines, KINDS);
  equal(text.includes('"id"'), false);
  const back = linesOf(text, KINDS)!;
  equal(textOf(back, KINDS), text);
  equal(linesOf(JSON.stringify({ lines }), KINDS)?.length, 4);
  equal(linesOf('{"set_variable": {"name": "x", "value": 1}, "as": "y"}', KINDS)?.[0]?.as, "y");
  for (
    const other of ["", "hello", "[]", "[1]", "5", '{"nothing_known": {}}', '[{"condition": {"then": [5]}}]']
  ) {
    equal(linesOf(other, KINDS) === null || linesOf(other, KINDS)!.length === 1, true);
  }
});

const EXPRESSIONS = new Map<string, Expression>([
  ["input.id | trim", { segments: [["name", "input.id"], ["filter", "trim", ""]] }],
  ["a > 1", { segments: [["name", "a"], ["operator", ">"], ["literal", "1"]] }],
]);

Deno.test("a line is a sentence; what is not given and may be left out is left out", () => {
  const say = (params: unknown) =>
    plainText(
      sentenceOf({ id: "q", step: "query_all_records", params: params as never }, KINDS, EXPRESSIONS),
    );
  equal(say({ table: "customers" }), "Query customers");
  equal(say({}), "Query table");
  equal(
    say({
      table: "customers",
      where: { id: { $expr: "input.id | trim" }, age: { $gte: 3 } },
      sort: ["-age"],
    }),
    "Query customers where id = input.id | trim and age ≥ 3 by age ↓",
  );
  equal(
    say({ table: "t", where: { $or: [{ a: 1 }, { b: { $in: ["x"] } }] } }),
    "Query t where (a = 1 or b is one of [“x”])",
  );
  equal(plainText(sentenceOf(set("a", "n", "x"), KINDS, EXPRESSIONS)), "Set n to “x”");
  equal(plainText(sentenceOf({ id: "g", step: "group" }, KINDS, EXPRESSIONS)), "Group");
  equal(plainText(sentenceOf({ id: "g", step: "gone" }, KINDS, EXPRESSIONS)), "gone (not known here)");
  const branches = KINDS.condition!.parameters[2]!;
  equal(
    plainText(branchSentence(KINDS.condition!, branches, { if: { $expr: "a > 1" } }, EXPRESSIONS)),
    "Or else if a > 1",
  );
});

Deno.test("steps are found by what people call them; lines by anything they say", () => {
  const found = (query: string) => findKinds(KINDS, KIND_GROUPS, query).map((kind) => kind.name);
  equal(found("loop"), ["for_each"]);
  equal(found("find"), ["query_all_records"]);
  equal(found("if")[0], "condition");
  equal(found("")[0], "query_all_records");
  equal(found("zzz"), []);
  equal(findLines(nested(), KINDS, EXPRESSIONS, "a >"), ["c"]);
  equal(findLines(nested(), KINDS, EXPRESSIONS, "3.1"), ["m"]);
  equal(findLines(nested(), KINDS, EXPRESSIONS, " "), []);
});

Deno.test("new lines have a free name for their result", () => {
  const doc = docOf({ id: "a", step: "query_all_records", as: "records", params: {} });
  equal(newLine(KINDS.query_all_records!, "b", doc, KINDS).as, "records2");
  equal(newLine(KINDS.set_variable!, "b", doc, KINDS).params, { name: "value" });
});

Deno.test("the picker offers what is in sight, nearest first, with fields and values", () => {
  const record = { name: "object", fields: { id: { name: "int" }, name: { name: "text" } } };
  const scopes = new Scopes({
    types: [{ name: "object", fields: { who: { name: "text" } } }, record, { name: "list", of: record }, {
      name: "any",
    }],
    names: [["input", 0, null, false], ["a", 2, "a", false], ["item", 1, "l", false], ["late", 3, "c", true]],
    scopes: [["a", [0], []], ["c", [1], []], ["m", [2, 3], []], ["", [], ["item"]]],
  });
  const doc = nested();
  equal([...scopeFor(scopes, doc, "m", KINDS).keys()], ["input", "a", "item", "late"]);
  equal([...scopeFor(scopes, doc, "d1", KINDS).keys()], ["input", "a", "item", "late"]);
  // z was typed a moment ago: the check has not seen it yet.
  equal([...scopeFor(scopes, doc, null, KINDS).keys()], ["input", "a", "late", "z"]);
  const offers = offersOf(
    scopeFor(scopes, doc, "m", KINDS),
    doc,
    "m",
    KINDS,
    (named, keys) => named.name === "item" && keys[0] === "id" ? 7 : undefined,
  );
  equal(offers.map((offer) => offer.path), ["item", "item.id", "item.name", "late", "a", "input.who"]);
  equal(offers[1]!.value, 7);
  equal(matching(offers, "{na").map((offer) => offer.path), ["item.name"]);
  equal(matching(offers, "item.i")[0]!.path, "item.id");
});
