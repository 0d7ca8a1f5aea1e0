/** What a stack's document looks like (design: the function-stack language), and what the server says of step kinds. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Params = { [name: string]: Json };

export type Line = {
  id: string;
  step: string;
  as?: string;
  params?: Params;
  note?: string;
  disabled?: boolean;
  v?: number;
};

export type Doc = {
  format?: number;
  inputs?: { [name: string]: Json };
  lines: Line[];
  response?: Json;
  [setting: string]: unknown;
};

export type ValueType = {
  name: string;
  nullable?: boolean;
  of?: ValueType;
  fields?: { [name: string]: ValueType };
  format?: string;
  values?: string[];
};

export type Parameter = {
  name: string;
  label: string;
  help: string;
  widget: string;
  required?: boolean;
  advanced?: boolean;
  default?: Json;
  type?: ValueType;
  choices?: Json[];
  of?: string;
  field?: string;
  /** Of branches: the keys of a branch, and its row's sentence. */
  test?: string;
  block?: string;
  sentence?: string;
};

export type Kind = {
  name: string;
  label: string;
  group: string;
  icon: string;
  help: string;
  words: string;
  sentence: string;
  gives_result: boolean;
  /** What its result is called unless it is named: `record`. */
  result?: string;
  parameters: Parameter[];
};

export type Kinds = { [name: string]: Kind };

/** A nested stack of a line: `then`, or `else_if.0.then`. */
export type Slot = {
  name: string;
  path: (string | number)[];
  lines: Line[];
  parameter: Parameter;
  /** Which branch of a list of branches it is; absent for a plain block. */
  branch?: number;
};

export function isObject(value: unknown): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of `{"$expr": text}`, or null. */
export function expressionOf(value: unknown): string | null {
  if (!isObject(value)) return null;
  const keys = Object.keys(value);
  return keys.length === 1 && typeof value.$expr === "string" ? value.$expr : null;
}

export function expression(source: string): Json {
  return { $expr: source };
}

const NO_LINES: Line[] = [];

function linesIn(value: unknown): Line[] {
  return Array.isArray(value) ? (value as Line[]).filter((one) => isObject(one)) : NO_LINES;
}

/** The nested stacks of a line, in the order they are shown; none for a kind that is not known here. */
export function slotsOf(line: Line, kinds: Kinds): Slot[] {
  const kind = kinds[line.step];
  if (!kind) return [];
  const found: Slot[] = [];
  for (const parameter of kind.parameters) {
    const value = line.params?.[parameter.name];
    if (parameter.widget === "lines") {
      found.push({ name: parameter.name, path: [parameter.name], lines: linesIn(value), parameter });
    } else if (parameter.widget === "branches" && Array.isArray(value)) {
      value.forEach((branch, number) => {
        const path = [parameter.name, number, parameter.block!];
        const lines = linesIn(isObject(branch) ? branch[parameter.block!] : null);
        found.push({ name: path.join("."), path, lines, parameter, branch: number });
      });
    }
  }
  return found;
}

export function hasSlots(kind: Kind | undefined): boolean {
  return !!kind?.parameters.some((parameter) =>
    parameter.widget === "lines" || parameter.widget === "branches"
  );
}

/** A copy of a value with the part at a path replaced; `undefined` takes it away. Missing objects on the way are made. */
export function withPart(value: unknown, path: (string | number)[], part: unknown): Json {
  const [key, ...rest] = path;
  if (key === undefined) return part as Json;
  if (Array.isArray(value)) {
    const copy = [...value];
    if (part === undefined && rest.length === 0) copy.splice(Number(key), 1);
    else copy[Number(key)] = withPart(copy[Number(key)], rest, part);
    return copy as Json;
  }
  if (typeof key === "number" && !isObject(value)) return [withPart(undefined, rest, part)];
  const copy: { [name: string]: unknown } = isObject(value) ? { ...value } : {};
  if (part === undefined && rest.length === 0) delete copy[key];
  else copy[key] = withPart(copy[key], rest, part);
  return copy as Json;
}

export function partAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)];
    else if (isObject(at)) at = at[key];
    else return undefined;
  }
  return at;
}

/** A copy in which a key of the object at a path has another name, in the same place. */
export function withKeyRenamed(value: unknown, path: (string | number)[], to: string): Json {
  const owner = partAt(value, path.slice(0, -1));
  const from = path[path.length - 1];
  if (!isObject(owner)) return value as Json;
  const renamed = Object.fromEntries(
    Object.entries(owner).map(([key, part]) => [key === from ? to : key, part]),
  );
  return withPart(value, path.slice(0, -1), renamed);
}

/** Whether two values are the same JSON; keys in any order. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && one.length === other.length &&
      one.every((part, number) => same(part, other[number]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one).filter((key) => one[key] !== undefined);
  const others = Object.keys(other).filter((key) => other[key] !== undefined);
  return keys.length === others.length && keys.every((key) => key in other && same(one[key], other[key]));
}
