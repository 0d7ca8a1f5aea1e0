/** Names in sight at a line, and what the variable picker offers of them. */
import { T } from "../../words.ts";
import { type Doc, isObject, type Kinds, partAt, type ValueType } from "./document.ts";
import { treeOf } from "./tree.ts";

/** As the server sends it: each scope as what changes from the one before. */
export type ScopeAnswer = {
  types: ValueType[];
  names: [name: string, type: number, line: string | null, mayBeUnset: boolean][];
  scopes: [line: string, changed: number[], gone: string[]][];
};

export type Named = { name: string; type: ValueType; line: string | null; unset: boolean };
export type Scope = ReadonlyMap<string, Named>;

export class Scopes {
  #found = new Map<string, Scope>();

  constructor(private readonly answer: ScopeAnswer = { types: [], names: [], scopes: [] }) {}

  get isKnown(): boolean {
    return this.answer.scopes.length > 0;
  }

  /** The names in sight where a line begins ("" is the response), or null for a line the check has not seen. */
  at(line: string): Scope | null {
    const held = this.#found.get(line);
    if (held) return held;
    if (!this.answer.scopes.some(([id]) => id === line)) return null;
    const here = new Map<string, Named>();
    for (const [id, changed, gone] of this.answer.scopes) {
      for (const name of gone) here.delete(name);
      for (const index of changed) {
        const [name, type, by, unset] = this.answer.names[index]!;
        here.set(name, { name, type: this.answer.types[type]!, line: by, unset });
      }
      if (id === line) break;
    }
    this.#found.set(line, here);
    return here;
  }
}

/** The scope of a line; of one the check has not seen yet, that of the line before it, or of the one around it. */
export function scopeFor(scopes: Scopes, doc: Doc, line: string | null, kinds: Kinds): Scope {
  return withFreshNames(checkedScope(scopes, doc, line, kinds), doc, line, kinds);
}

/** With the names of lines that were typed a moment ago and that the check has not seen: of what type is not known. */
function withFreshNames(scope: Scope, doc: Doc, line: string | null, kinds: Kinds): Scope {
  const tree = treeOf(doc, kinds);
  const here = line === null ? undefined : tree.entries.get(line);
  const around = new Set<string | null>([null]);
  for (let at = here?.place.owner ?? null; at !== null; at = tree.entries.get(at)?.place.owner ?? null) {
    around.add(at);
  }
  let made: Map<string, Named> | null = null;
  for (const id of tree.order) {
    const entry = tree.entries.get(id)!;
    if (here && entry.order >= here.order) break;
    const given = entry.line.step === "set_variable" ? entry.line.params?.name : entry.line.as;
    if (typeof given !== "string" || !given || scope.has(given) || entry.line.disabled) continue;
    if (!around.has(entry.place.owner)) continue;
    made ??= new Map(scope);
    made.set(given, { name: given, type: { name: "any" }, line: id, unset: false });
  }
  return made ?? scope;
}

function checkedScope(scopes: Scopes, doc: Doc, line: string | null, kinds: Kinds): Scope {
  const none: Scope = new Map();
  if (line === null) return scopes.at("") ?? none;
  const tree = treeOf(doc, kinds);
  for (let id: string | undefined = line; id;) {
    const found = scopes.at(id);
    if (found) return found;
    const entry = tree.entries.get(id);
    id = entry ? tree.order[entry.order - 1] : undefined;
  }
  return scopes.at(tree.order[0] ?? "") ?? scopes.at("") ?? none;
}

export type Offer = {
  /** The expression it stands for: `customer.name`. */
  path: string;
  type: ValueType;
  depth: number;
  group: string;
  /** May be null because not every way here sets it. */
  unset: boolean;
  /** The value of the last run; undefined when unknown. */
  value?: unknown;
  /** Whether there is more inside it. */
  fields: number;
};

export type ValueOf = (name: Named, keys: string[]) => unknown;

const DEEPEST = 3;
const MOST_FIELDS = 60;
const ROOTS = ["input", "auth", "env", "request", "now", "today", "yesterday", "tomorrow"];

/**
 * What exists here, nearest first: what a loop around gives, earlier steps upward, inputs, then what every stack sees.
 */
export function offersOf(
  scope: Scope,
  doc: Doc,
  line: string | null,
  kinds: Kinds,
  valueOf: ValueOf = () => undefined,
): Offer[] {
  const tree = treeOf(doc, kinds);
  const around = new Set<string>();
  for (let at = line === null ? null : tree.entries.get(line)?.place.owner ?? null; at !== null;) {
    around.add(at);
    at = tree.entries.get(at)?.place.owner ?? null;
  }
  const set = [...scope.values()].filter((named) => !ROOTS.includes(named.name));
  const order = (named: Named) => (named.line === null ? -1 : tree.entries.get(named.line)?.order ?? -1);
  const isInner = (named: Named) => named.line !== null && around.has(named.line);
  set.sort((one, other) => Number(isInner(other)) - Number(isInner(one)) || order(other) - order(one));
  const offers: Offer[] = [];
  for (const named of set) {
    const entry = named.line === null ? undefined : tree.entries.get(named.line);
    const label = entry ? kinds[entry.line.step]?.label ?? entry.line.step : "";
    const group = entry ? `${entry.number} ${label}` : T("Other");
    spread(offers, named.name, named.type, 0, group, named, [], valueOf);
  }
  const input = scope.get("input");
  for (const [name, type] of Object.entries(input?.type.fields ?? {})) {
    spread(offers, `input.${name}`, type, 0, T("Inputs"), input!, [name], valueOf);
  }
  for (const root of ROOTS.slice(1)) {
    const named = scope.get(root);
    if (named) spread(offers, root, named.type, 0, rootGroup(root), named, [], valueOf);
  }
  return offers;
}

function rootGroup(root: string): string {
  if (root === "auth") return T("Who calls");
  if (root === "env") return T("Workspace variables");
  if (root === "request") return T("Request");
  return T("Time");
}

function spread(
  offers: Offer[],
  path: string,
  type: ValueType,
  depth: number,
  group: string,
  named: Named,
  keys: string[],
  valueOf: ValueOf,
): void {
  const fields = Object.entries(type.fields ?? {});
  const value = valueOf(named, keys);
  offers.push({ path, type, depth, group, unset: named.unset, value, fields: fields.length });
  if (depth >= DEEPEST) return;
  for (const [key, inner] of fields.slice(0, MOST_FIELDS)) {
    const next = /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
    spread(offers, next, inner, depth + 1, group, named, [...keys, key], valueOf);
  }
}

/** Those that match what was typed, best first within what is near; all of the first level when nothing was. */
export function matching(offers: readonly Offer[], query: string): Offer[] {
  const wanted = query.toLowerCase().replace(/^\{/, "").trim();
  if (!wanted) return offers.filter((offer) => offer.depth <= 1);
  const rank = (offer: Offer) => {
    const path = offer.path.toLowerCase();
    const last = path.split(".").pop()!;
    if (path === wanted || last === wanted) return 0;
    if (path.startsWith(wanted)) return 1;
    if (last.startsWith(wanted)) return 2;
    return path.includes(wanted) ? 3 : 9;
  };
  return offers
    .map((offer, at) => ({ offer, at, rank: rank(offer) }))
    .filter((one) => one.rank < 9)
    .sort((one, other) => one.rank - other.rank || one.at - other.at)
    .map((one) => one.offer);
}

/** A type in a word or two: `list of object`, `text, may be null`. */
export function typeWords(type: ValueType | undefined): string {
  if (!type || type.name === "any") return T("anything");
  const name = type.name === "list" && type.of
    ? T("list of {type}", { type: typeWords(type.of) })
    : typeName(type.name);
  return type.nullable ? T("{type} or null", { type: name }) : name;
}

function typeName(name: string): string {
  switch (name) {
    case "text":
      return T("text");
    case "int":
      return T("whole number");
    case "float":
    case "decimal":
      return T("number");
    case "bool":
      return T("yes or no");
    case "timestamp":
      return T("point in time");
    case "date":
      return T("date");
    case "object":
      return T("object");
    case "list":
      return T("list");
    case "file":
      return T("file");
    case "null":
      return T("nothing");
    default:
      return name;
  }
}

/** Whether a value of one type can be right where another is asked for; unknown types may always be. */
export function fits(wanted: ValueType | undefined, given: ValueType | undefined): boolean {
  if (!wanted || !given || wanted.name === "any" || given.name === "any" || given.name === "null") {
    return true;
  }
  const numbers = ["int", "float", "decimal"];
  if (numbers.includes(wanted.name)) return numbers.includes(given.name);
  return wanted.name === given.name || (wanted.name === "text" && given.name === "date");
}

/** A value of the last run in a few characters. */
export function shortValue(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value.length > 28 ? `${value.slice(0, 27)}…` : value;
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.length}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).join(", ");
    return `{ ${keys.length > 22 ? `${keys.slice(0, 21)}…` : keys} }`;
  }
  return "";
}

export { partAt };
