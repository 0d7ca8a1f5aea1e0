/** New lines: what a step begins with. */
import type { Doc, Json, Kind, Kinds, Line, Params } from "./document.ts";
import { treeOf } from "./tree.ts";

export function newLine(kind: Kind, id: string, doc: Doc, kinds: Kinds): Line {
  const line: Line = { id, step: kind.name, params: {} };
  const params: Params = {};
  for (const parameter of kind.parameters) {
    if (parameter.widget === "branches" && parameter.required) {
      params[parameter.name] = [{ [parameter.test!]: "", [parameter.block!]: [] }] as Json;
    }
    if (parameter.widget === "new_name" && parameter.required) {
      params[parameter.name] = freeName("value", doc, kinds);
    }
  }
  line.params = params;
  if (kind.gives_result && kind.result) line.as = freeName(kind.result, doc, kinds);
  return line;
}

/** The name, with a number behind it when it is taken. */
export function freeName(wanted: string, doc: Doc, kinds: Kinds): string {
  const taken = namesOf(doc, kinds);
  if (!taken.has(wanted)) return wanted;
  for (let number = 2;; number++) if (!taken.has(`${wanted}${number}`)) return `${wanted}${number}`;
}

/** Every name that a line of the stack gives. */
export function namesOf(doc: Doc, kinds: Kinds): Set<string> {
  const names = new Set<string>();
  for (const { line } of treeOf(doc, kinds).entries.values()) {
    if (line.as) names.add(line.as);
    for (const parameter of kinds[line.step]?.parameters ?? []) {
      const value = line.params?.[parameter.name] ?? parameter.default;
      if (parameter.widget === "new_name" && typeof value === "string") names.add(value);
    }
  }
  return names;
}
