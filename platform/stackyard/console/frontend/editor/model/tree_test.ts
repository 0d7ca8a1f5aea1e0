import { docOf, KINDS, nested, set } from "./samples.ts";
import * as tree from "./tree.ts";
import { type Doc, partAt, withKeyRenamed, withPart } from "./document.ts";

function equal(given: unknown, wanted: unknown): void {
  if (JSON.stringify(given) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(given)} is not ${JSON.stringify(wanted)}`);
  }
}

const order = (doc: Doc) => tree.treeOf(doc, KINDS).order.join(" ");
const numbers = (doc: Doc) =>
  [...tree.treeOf(doc, KINDS).entries.values()].map((one) => one.number).join(" ");

Deno.test("numbers run on through the branches of a line", () => {
  equal(order(nested()), "a c t1 t2 e1 l m d1 z");
  equal(numbers(nested()), "1 2 2.1 2.2 2.3 3 3.1 3.1.1 4");
});

Deno.test("inserting and removing leaves the rest as the same objects", () => {
  const doc = nested();
  const made = tree.insert(doc, { owner: "c", slot: "else_if.0.then", at: 1 }, [set("n")], KINDS);
  equal(order(made), "a c t1 t2 e1 n l m d1 z");
  equal(made.lines[2] === doc.lines[2], true);
  equal(order(tree.remove(made, ["n", "m", "d1"], KINDS)), "a c t1 t2 e1 l z");
  equal(order(doc), "a c t1 t2 e1 l m d1 z");
});

Deno.test("moving keeps the order, and never goes into itself", () => {
  const doc = nested();
  equal(order(tree.move(doc, ["z", "a"], { owner: "l", slot: "do", at: 1 }, KINDS)), "c t1 t2 e1 l m d1 a z");
  equal(tree.move(doc, ["l"], { owner: "m", slot: "do", at: 0 }, KINDS) === doc, true);
  equal(tree.move(doc, ["c"], { ...tree.ROOT, at: 1 }, KINDS) === doc, true);
  equal(tree.move(doc, ["c"], { ...tree.ROOT, at: 2 }, KINDS) === doc, true);
  equal(order(tree.move(doc, ["a"], { ...tree.ROOT, at: 4 }, KINDS)), "c t1 t2 e1 l m d1 z a");
});

Deno.test("a line walks through every place of the stack, there and back", () => {
  let doc = tree.move(nested(), ["z"], { ...tree.ROOT, at: 0 }, KINDS);
  const places: string[] = [];
  const where = () => JSON.stringify(tree.treeOf(doc, KINDS).entries.get("z")!.place);
  for (
    let place = tree.nextPlace(doc, ["z"], true, KINDS);
    place;
    place = tree.nextPlace(doc, ["z"], true, KINDS)
  ) {
    places.push(where());
    doc = tree.move(doc, ["z"], place, KINDS);
  }
  // 4 of the stack, 3 + 2 + 1 of the condition's blocks, 2 of the loop, 2 of the loop in it.
  equal(places.length + 1, 4 + 3 + 2 + 1 + 2 + 2);
  equal(new Set(places).size, places.length);
  const back: string[] = [];
  for (
    let place = tree.nextPlace(doc, ["z"], false, KINDS);
    place;
    place = tree.nextPlace(doc, ["z"], false, KINDS)
  ) {
    doc = tree.move(doc, ["z"], place, KINDS);
    back.unshift(where());
  }
  equal(back, places);
});

Deno.test("copies have ids of their own, nested ones too", () => {
  const { doc, ids } = tree.duplicate(nested(), ["l"], KINDS);
  const all = tree.treeOf(doc, KINDS).order;
  equal(new Set(all).size, all.length);
  equal(all.length, 12);
  equal(tree.treeOf(doc, KINDS).entries.get(ids[0]!)!.place.at, 3);
});

Deno.test("lines are wrapped, unwrapped, and switched off and on", () => {
  const outer = { id: "g", step: "group", params: {} };
  const made = tree.wrap(nested(), ["t1", "t2"], outer, "do", KINDS);
  equal(order(made), "a c g t1 t2 e1 l m d1 z");
  equal(tree.treeOf(made, KINDS).entries.get("t2")!.place, { owner: "g", slot: "do", at: 1 });
  equal(order(tree.unwrap(made, "g", KINDS)), "a c t1 t2 e1 l m d1 z");
  const off = tree.toggle(docOf(set("a"), { ...set("b"), disabled: true }), ["a", "b"], KINDS);
  equal(off.lines.map((line) => line.disabled), [true, true]);
  equal(tree.toggle(off, ["a", "b"], KINDS).lines.map((line) => "disabled" in line), [false, false]);
});

Deno.test("only the outermost of chosen lines count", () => {
  equal(tree.outermost(tree.treeOf(nested(), KINDS), ["d1", "l", "t2", "nothing"]), ["t2", "l"]);
});

Deno.test("parts of values are read, replaced, taken away, and keys renamed in their place", () => {
  const value = { a: [1, { b: 2 }], c: 3 };
  equal(partAt(value, ["a", 1, "b"]), 2);
  equal(partAt(value, ["a", 9, "b"]), undefined);
  equal(withPart(value, ["a", 1, "b"], 5), { a: [1, { b: 5 }], c: 3 });
  equal(withPart(value, ["a", 0], undefined), { a: [{ b: 2 }], c: 3 });
  equal(withPart(undefined, ["x", 0, "y"], 1), { x: [{ y: 1 }] });
  equal(withKeyRenamed(value, ["a"], "z"), { z: [1, { b: 2 }], c: 3 });
});

Deno.test("what is no line of a stack does not break it", () => {
  const odd = {
    lines: [{ id: "x", step: "condition", params: { then: 5, else_if: [3, {}] } }, null],
  } as unknown as Doc;
  equal(tree.treeOf({ ...odd, lines: odd.lines.filter(Boolean) }, KINDS).order, ["x"]);
  equal(tree.treeOf({ lines: 7 } as unknown as Doc, KINDS).order, []);
});
