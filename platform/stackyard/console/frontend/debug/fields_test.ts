import { faultsByInput, fieldText, fieldValue, inputsOfJson, textsOf, valuesOf, widgetOf } from "./fields.ts";
import { barOf, isInside, isSlow, rowsOf, wayOf } from "./rows.ts";
import type { InputForm, TracedLine } from "./shapes.ts";

function same(got: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`got ${one}, wanted ${other}`);
}

const input = (type: string, more: Partial<InputForm> = {}): InputForm => ({
  name: type,
  type,
  place: "body",
  ...more,
});

Deno.test("a field means a value of its input's type, an empty one is left out", () => {
  same(fieldValue(input("int"), "7"), 7);
  same(fieldValue(input("int"), "seven"), "seven");
  // Longer than a number of JavaScript: the text keeps every digit.
  same(fieldValue(input("int"), "12345678901234567890"), "12345678901234567890");
  same(fieldValue(input("bool"), "true"), true);
  same(fieldValue(input("text"), "7"), "7");
  same(fieldValue(input("text", { list: true }), '["a"]'), ["a"]);
  same(fieldValue(input("json"), "{no"), "{no");
  same(fieldValue(input("text"), ""), undefined);
});

Deno.test("values go into fields and come back", () => {
  const inputs = [input("int"), input("json"), input("bool"), input("text")];
  const values = { int: 1, json: { a: [1] }, bool: false, text: "null", other: 2 };
  same(valuesOf(inputs, textsOf(inputs, values), values), {
    other: 2,
    int: 1,
    json: { a: [1] },
    bool: false,
    text: "null",
  });
  same(fieldText(input("json"), "text"), '"text"');
  same(widgetOf(input("text", { values: ["a"] })), "choice");
});

Deno.test("JSON of inputs is an object or a fault", () => {
  same(inputsOfJson("  "), {});
  same(inputsOfJson("[1]"), "object");
  same(typeof inputsOfJson("{"), "string");
  same(faultsByInput([{ field: "a.1.b", message: "is wrong" }, { field: "a", message: "x" }]), {
    a: "1.b: is wrong; x",
  });
});

const traced = (key: string, number: string, within = ""): TracedLine =>
  ({ key, line: key, number, within, entered: 2, began: 0, milliseconds: 1 }) as TracedLine;

Deno.test("a chosen round of a loop shows what ran in it", () => {
  const [loop, inner, call, deep, after] = [
    traced("loop", "2"),
    traced("inner", "2.1"),
    traced("call", "2.2"),
    traced("call/deep", "1", "call"),
    traced("after", "20"),
  ] as [TracedLine, TracedLine, TracedLine, TracedLine, TracedLine];
  same([inner, call, deep, after].map((line) => isInside(line, loop)), [true, true, false, false]);
  same(isInside(deep, call), true);
  const entry = {
    number: 0,
    rounds: [1],
    began: 0,
    milliseconds: 1,
    way: "",
    turns: 0,
    failed: false,
    value: "1",
    cut: false,
  };
  const rows = rowsOf([loop, inner, call, after], { loop: { round: 1, lines: { inner: [entry] } } });
  same(rows.map((row) => row.line.key), ["loop", "inner", "after"]);
  same(rows[1]!.entry?.value, "1");
});

Deno.test("bars are seen, and only long ones alarm", () => {
  same(barOf(50, 0.1, 100), { left: 0.5, width: 0.012 });
  same(barOf(0, 100, 100), { left: 0, width: 1 });
  same([isSlow(19, 20), isSlow(30, 50), isSlow(30, 80)], [false, true, false]);
  same([wayOf("else_if.0.then"), wayOf("then"), wayOf("do")], [
    { name: "else_if", number: 1 },
    { name: "then", number: 0 },
    { name: "", number: 0 },
  ]);
});
