/** Kinds and documents for the model's tests. */
import type { Doc, Kind, Kinds, Line, Parameter } from "./document.ts";

function kind(
  name: string,
  sentence: string,
  parameters: Partial<Parameter>[],
  more: Partial<Kind> = {},
): Kind {
  return {
    name,
    label: name[0]!.toUpperCase() + name.slice(1).replaceAll("_", " "),
    group: "flow",
    icon: "",
    help: `What ${name} does`,
    words: "",
    sentence,
    gives_result: false,
    parameters: parameters.map((one) => ({
      name: "",
      label: one.name ?? "",
      help: "",
      widget: "value",
      ...one,
    })),
    ...more,
  };
}

export const KINDS: Kinds = Object.fromEntries(
  [
    kind("set_variable", "Set {name} to {value}", [
      { name: "name", widget: "new_name", required: true },
      { name: "value" },
    ], { group: "variables", words: "assign let" }),
    kind("condition", "If {if}", [
      { name: "if", widget: "condition", required: true },
      { name: "then", widget: "lines" },
      { name: "else_if", widget: "branches", test: "if", block: "then", sentence: "Or else if {if}" },
      { name: "else", widget: "lines" },
    ], { words: "if branch" }),
    kind("for_each", "For each {item} in {in}", [
      { name: "in", required: true },
      { name: "item", widget: "new_name", default: "item" },
      { name: "do", widget: "lines" },
    ], { words: "loop repeat" }),
    kind("query_all_records", "Query {table}[ where {where}][ by {sort}]", [
      { name: "table", widget: "table", required: true },
      { name: "where", widget: "where", of: "table" },
      { name: "sort", widget: "sort", of: "table" },
    ], { group: "database", gives_result: true, result: "records", words: "list find select" }),
    kind("group", "{title}", [{ name: "title", widget: "text", default: "" }, {
      name: "do",
      widget: "lines",
    }]),
  ].map((one) => [one.name, one]),
);

export const KIND_GROUPS = ["database", "variables", "flow"];

export function set(id: string, name = id, value: unknown = 1): Line {
  return { id, step: "set_variable", params: { name, value } as Line["params"] };
}

export function docOf(...lines: Line[]): Doc {
  return { format: 1, inputs: {}, lines, response: null };
}

/** a · condition c (then t1 t2, else if e1, else nothing) · loop l (do in loop m: d1) · z */
export function nested(): Doc {
  return docOf(
    set("a"),
    {
      id: "c",
      step: "condition",
      params: {
        if: { $expr: "a > 1" },
        then: [set("t1"), set("t2")] as never,
        else_if: [{ if: true, then: [set("e1")] }] as never,
        else: [],
      },
    },
    {
      id: "l",
      step: "for_each",
      params: {
        in: { $expr: "a" },
        do: [{ id: "m", step: "for_each", params: { in: [1], do: [set("d1")] as never } }] as never,
      },
    },
    set("z"),
  );
}
