/**
 * Reads the declarations that a lambda's code sees (`lambda.d.ts` and the workspace's own) as far as completion needs them:
 * the members of each interface, and what the global names are. It is no type checker: `deno check` on the server is.
 */
export type Member = { name: string; type: string };
export type Declarations = {
  interfaces: Record<string, Member[]>;
  /** Global names with their type's text. */
  globals: Record<string, string>;
};

const INTERFACE = /^interface (\w+)(?:<[^{]*>)?(?: extends [^{]+)? \{/gm;
const GLOBAL = /^declare const ([$\w]+): /gm;

/** The end of the text that begins at `from`, at the first `stop` outside of brackets and strings. */
export function endOf(text: string, from: number, stop: string): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === '"' || sign === "'" || sign === "`") {
      at = text.indexOf(sign, at + 1);
      if (at < 0) return text.length;
    } else if (depth === 0 && stop.includes(sign)) return at;
    else if ("({[".includes(sign)) depth++;
    else if (")}]".includes(sign)) depth--;
  }
  return text.length;
}

/** The members of a type literal's inside: `name: type; other?(a: b): c;`, overloads joined into the first. */
export function membersOf(inside: string): Member[] {
  const found = new Map<string, string>();
  const text = inside.replace(/\/\/.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");
  let at = 0;
  while (at < text.length) {
    const end = endOf(text, at, ";\n,");
    // A member may go on over several lines inside of brackets only, so each piece is one.
    const match = /^\s*(?:readonly )?("[^"]+"|[\w$]+)\??\s*((?:<[^(]*>)?\(|:)/.exec(text.slice(at, end));
    if (match) {
      const name = match[1]!.replaceAll('"', "");
      const rest = text.slice(at + match[0].length - (match[2] === ":" ? 0 : match[2]!.length), end).trim();
      if (!found.has(name)) found.set(name, rest.replace(/\s+/g, " "));
    }
    at = end + 1;
  }
  return [...found].map(([name, type]) => ({ name, type }));
}

export function readDeclarations(text: string): Declarations {
  const made: Declarations = { interfaces: {}, globals: {} };
  for (const match of text.matchAll(INTERFACE)) {
    const begin = match.index + match[0].length;
    made.interfaces[match[1]!] = membersOf(text.slice(begin, endOf(text, begin, "}")));
  }
  for (const match of text.matchAll(GLOBAL)) {
    const begin = match.index + match[0].length;
    made.globals[match[1]!] = text.slice(begin, endOf(text, begin, ";")).trim().replace(/\s+/g, " ");
  }
  return made;
}

/** The members of a type by its text: an interface, a literal, `typeof db`, both sides of `A & {…}`. */
export function membersOfType(known: Declarations, type: string, depth = 0): Member[] {
  const text = type.trim();
  if (depth > 4 || text === "") return [];
  const again = (part: string) => membersOfType(known, part, depth + 1);
  if (text.startsWith("typeof ")) return again(known.globals[text.slice(7).trim()] ?? "");
  const parts = split(text, "&|");
  if (parts.length > 1) return parts.flatMap(again);
  if (text.startsWith("{")) return membersOf(text.slice(1, endOf(text, 1, "}")));
  if (/^\(.*\)\[\]$/.test(text) || text.endsWith("[]")) return ARRAY;
  const field = /^(Tables|NewRecords)\["([^"]+)"\]$/.exec(text);
  if (field) {
    return again(known.interfaces[field[1]!]?.find((one) => one.name === field[2])?.type ?? "");
  }
  if (text === "Date") return DATE;
  return known.interfaces[text] ?? [];
}

function split(text: string, signs: string): string[] {
  const parts = [];
  let from = 0;
  while (from <= text.length) {
    const end = endOf(text, from, signs);
    parts.push(text.slice(from, end).trim());
    from = end + 1;
  }
  return parts.filter((part) => part !== "");
}

const ARRAY: Member[] = [
  ["map", "(item => value): list"],
  ["filter", "(item => boolean): list"],
  ["find", "(item => boolean): item"],
  ["reduce", "((total, item) => total, start): value"],
  ["some", "(item => boolean): boolean"],
  ["every", "(item => boolean): boolean"],
  ["forEach", "(item => void): void"],
  ["slice", "(start, end): list"],
  ["sort", "((a, b) => number): list"],
  ["length", "number"],
].map(([name, type]) => ({ name: name!, type: type! }));

const DATE: Member[] = ["getTime", "toISOString", "getFullYear", "getMonth", "getDate", "getHours"].map((
  name,
) => ({
  name,
  type: "()",
}));
