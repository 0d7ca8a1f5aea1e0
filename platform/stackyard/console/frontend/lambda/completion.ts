/** What can stand at a place of a lambda's code: members, tables, fields, global names. Pure: text in, suggestions out. */
import { type Declarations, endOf, type Member, membersOfType } from "./declarations.ts";

export type Suggestions = { from: number; members: Member[]; quoted?: boolean };

const RECORD = "get|first|add|edit|patch|upsert";
const WORD = /[\w$]*$/;

/** Suggestions at an offset of the code, or null when there is nothing to say. `input` is a sample of what is given. */
export function suggest(
  known: Declarations,
  code: string,
  at: number,
  input: unknown = null,
): Suggestions | null {
  const before = code.slice(0, at);
  const table = /\b(?:db|tx)\.\w+\(\s*(["'])([\w]*)$/.exec(before);
  if (table) {
    const tables = known.interfaces.Tables ?? [];
    return {
      from: at - table[2]!.length,
      members: tables.map((one) => ({ name: one.name, type: "table" })),
      quoted: true,
    };
  }
  const word = WORD.exec(before)![0];
  const from = at - word.length;
  const chain = /((?:[\w$]+\??\.)+)[\w$]*$/.exec(before);
  if (chain && before[from - 1] === ".") {
    const names = chain[1]!.replaceAll("?", "").split(".").filter((name) => name !== "");
    const members = membersOfPath(known, code, at, names, input);
    return members.length ? { from, members } : null;
  }
  const field = fieldsAt(known, before.slice(0, from));
  if (field) return { from, members: field };
  if (word === "") return null;
  const globals = Object.entries(known.globals).map(([name, type]) => ({ name, type }));
  return {
    from,
    members: [
      ...localsOf(known, code, at),
      ...globals.filter((one) => !one.name.startsWith("$") || word.startsWith("$")),
    ],
  };
}

/** What stands behind `a.b.c` at a place; empty when nothing is known of it. */
export function typeOfPath(
  known: Declarations,
  code: string,
  at: number,
  names: string[],
  input: unknown,
): string {
  const [first = "", ...rest] = names;
  if (first === "input" || first === "$input") return typeOfSample(rest.reduce(memberOf, input));
  let type = known.globals[first] ?? typeOfVariable(known, code, at, first);
  for (const name of rest) type = membersOfType(known, type).find((one) => one.name === name)?.type ?? "";
  return type;
}

function membersOfPath(
  known: Declarations,
  code: string,
  at: number,
  names: string[],
  input: unknown,
): Member[] {
  return membersOfType(known, typeOfPath(known, code, at, names, input));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function typeOfSample(value: unknown): string {
  if (Array.isArray(value)) return `(${typeOfSample(value[0])})[]`;
  if (typeof value === "object" && value !== null) {
    const parts = Object.entries(value).map(([name, one]) =>
      `${JSON.stringify(name)}: ${typeOfSample(one)}; `
    );
    return `{ ${parts.join("")}}`;
  }
  return value === null || value === undefined ? "any" : typeof value;
}

/** The type of a variable from where it was last set before this place, as far as one line says it. */
function typeOfVariable(known: Declarations, code: string, at: number, name: string, depth = 0): string {
  if (depth > 4 || !/^[\w$]+$/.test(name)) return "";
  const escaped = name.replaceAll("$", "\\$");
  const before = code.slice(0, at);
  const set = [
    ...before.matchAll(new RegExp(`\\b(?:const|let|var)\\s+${escaped}\\s*=\\s*(?:await\\s+)?([^\\n]*)`, "g")),
  ].at(-1);
  if (set) return typeOfValue(known, code, set.index, set[1]!, depth);
  const loop = [...before.matchAll(new RegExp(`\\bof\\s+(?:await\\s+)?([^\\n]*)\\)\\s*\\{?`, "g"))]
    .filter((one) => new RegExp(`\\b(?:const|let|var)\\s+${escaped}\\s+$`).test(before.slice(0, one.index)))
    .at(-1);
  if (loop) return itemOf(typeOfValue(known, code, loop.index, loop[1]!, depth));
  const arrow = [
    ...before.matchAll(
      new RegExp(
        `([\\w$.]+)\\.(?:map|filter|find|some|every|forEach|flatMap)\\(\\s*(?:async\\s*)?\\(?\\s*${escaped}\\b`,
        "g",
      ),
    ),
  ].at(-1);
  if (arrow) return itemOf(typeOfName(known, code, arrow.index, arrow[1]!, depth));
  return "";
}

function typeOfValue(known: Declarations, code: string, at: number, value: string, depth: number): string {
  const called = new RegExp(`^(?:db|tx)\\.(query|addMany|${RECORD})\\(\\s*["'](\\w+)["']`).exec(value);
  if (called) {
    const record = `Tables["${called[2]}"]`;
    const isPage = called[1] === "query" && /\b(?:page|perPage|cursor)\s*:/.test(value);
    return isPage ? "Paged" : called[1] === "query" || called[1] === "addMany" ? `(${record})[]` : record;
  }
  const named = /^([\w$]+(?:\.[\w$]+)*)\s*;?\s*$/.exec(value.trim().replace(/\)$/, ""));
  return named ? typeOfName(known, code, at, named[1]!, depth) : "";
}

function typeOfName(known: Declarations, code: string, at: number, path: string, depth: number): string {
  const [first = "", ...rest] = path.split(".");
  let type = known.globals[first] ?? typeOfVariable(known, code, at, first, depth + 1);
  for (const name of rest) type = membersOfType(known, type).find((one) => one.name === name)?.type ?? "";
  return type;
}

function itemOf(type: string): string {
  const list = /^\((.*)\)\[\]$/.exec(type) ?? /^(.*)\[\]$/.exec(type);
  return list ? list[1]! : "";
}

/** The fields of a table inside the object that is a `where` or the data of a call: `db.add("orders", { … `. */
function fieldsAt(known: Declarations, before: string): Member[] | null {
  const calls = [...before.matchAll(/\b(?:db|tx)\.(\w+)\(\s*["'](\w+)["']\s*,/g)];
  const call = calls.at(-1);
  if (!call) return null;
  const begin = call.index + call[0].length;
  // Past the end of the call there are no fields of it.
  if (endOf(before, begin, ")") < before.length) return null;
  if (!/[{,]\s*$/.test(before) || !before.slice(begin).includes("{")) return null;
  const writes = ["add", "addMany", "edit", "patch", "upsert"].includes(call[1]!);
  const members = membersOfType(known, `${writes ? "NewRecords" : "Tables"}["${call[2]}"]`);
  return members.length ? members : null;
}

function localsOf(known: Declarations, code: string, at: number): Member[] {
  const names = new Set(
    [...code.slice(0, at).matchAll(/\b(?:const|let|var|function)\s+([\w$]+)/g)].map((one) => one[1]!),
  );
  return [...names].map((name) => ({ name, type: typeOfVariable(known, code, at, name) }));
}

/** What is known of the word at a place, for the hint that shows when the mouse rests on it. */
export function explain(
  known: Declarations,
  code: string,
  at: number,
  input: unknown = null,
): { from: number; to: number; text: string } | null {
  const from = at - WORD.exec(code.slice(0, at))![0].length;
  const to = at + /^[\w$]*/.exec(code.slice(at))![0].length;
  const word = code.slice(from, to);
  if (!word) return null;
  const chain = /((?:[\w$]+\??\.)*)$/.exec(code.slice(0, from))![1]!;
  const names = [...chain.replaceAll("?", "").split(".").filter((name) => name !== ""), word];
  const type = typeOfPath(known, code, from, names, input);
  const table = /^Tables\["(\w+)"\]$/.exec(type);
  const shown = table
    ? `record of ${table[1]}: ${membersOfType(known, type).map((one) => one.name).join(", ")}`
    : type;
  return shown
    ? { from, to, text: `${word}${shown.startsWith("(") || shown.startsWith("<") ? "" : ": "}${shown}` }
    : null;
}
