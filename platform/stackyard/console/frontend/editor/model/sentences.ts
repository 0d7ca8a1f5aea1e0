/** A line as a sentence: pieces of text, pills for variables, chips for filters. One translatable string with slots. */
import { T } from "../../words.ts";
import {
  expressionOf,
  isObject,
  type Json,
  type Kind,
  type Kinds,
  type Line,
  type Parameter,
} from "./document.ts";
import { operatorWords } from "./operators.ts";

export type PieceKind =
  | "text"
  | "strong"
  | "name"
  | "literal"
  | "operator"
  | "filter"
  | "code"
  | "new"
  | "missing";
export type Piece = { kind: PieceKind; text: string; parameter?: string };

/** What the server says of an expression (`core/expressions/pieces.py`). */
export type Chain = {
  base: string;
  kind: "name" | "literal" | "code";
  value?: Json;
  filters: { name: string; arguments: string[] }[];
};
export type Test = { left: string; op: string; right: string | null };
export type Expression = {
  text?: string;
  segments?: string[][];
  chain?: Chain;
  tests?: { join: string; parts: Test[] } | null;
  error?: { message: string; column: number };
};
export type Expressions = ReadonlyMap<string, Expression>;

type Part = string | { name: string } | { optional: Part[] };
const templates = new Map<string, Part[]>();

/** `Query {table}[ where {where}]` in parts. */
export function partsOf(sentence: string): Part[] {
  const held = templates.get(sentence);
  if (held) return held;
  const made: Part[] = [];
  for (const found of sentence.matchAll(/\[([^\]]*)\]|\{(\w+)\}|([^[{]+)/g)) {
    if (found[1] !== undefined) made.push({ optional: partsOf(found[1]) });
    else if (found[2] !== undefined) made.push({ name: found[2] });
    else made.push(found[3]!);
  }
  templates.set(sentence, made);
  return made;
}

export function sentenceOf(line: Line, kinds: Kinds, expressions: Expressions): Piece[] {
  const kind = kinds[line.step];
  if (!kind) return [{ kind: "strong", text: line.step }, { kind: "text", text: T("(not known here)") }];
  const made = filled(partsOf(kind.sentence), kind, (name) => line.params?.[name], expressions);
  // A group without a title would be an empty row.
  return made.some((piece) => piece.text.trim() && piece.kind !== "missing") ? made : [
    { kind: "strong", text: kind.label },
    ...made,
  ];
}

/** The row of one branch: `Or else if {if}`. */
export function branchSentence(
  kind: Kind,
  parameter: Parameter,
  branch: Json,
  expressions: Expressions,
): Piece[] {
  const test: Parameter = {
    name: parameter.test!,
    label: parameter.test!,
    help: "",
    widget: parameter.test === "if" ? "condition" : "value",
    required: true,
  };
  const value = (name: string) => (isObject(branch) ? branch[name] : undefined);
  return filled(partsOf(parameter.sentence ?? ""), { ...kind, parameters: [test] }, value, expressions);
}

function filled(
  parts: Part[],
  kind: Kind,
  given: (name: string) => Json | undefined,
  expressions: Expressions,
): Piece[] {
  return parts.flatMap((part): Piece[] => {
    if (typeof part === "string") return [{ kind: "text", text: part }];
    if ("optional" in part) {
      const names = part.optional.filter((one): one is { name: string } =>
        typeof one === "object" && "name" in one
      );
      const isGiven = names.every(({ name }) => !isEmpty(given(name)));
      return isGiven ? filled(part.optional, kind, given, expressions) : [];
    }
    const parameter = kind.parameters.find((one) => one.name === part.name);
    if (!parameter) return [];
    const pieces = parameterPieces(parameter, given(part.name), expressions);
    return pieces.map((piece) => ({ ...piece, parameter: part.name }));
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    (isObject(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0);
}

export function parameterPieces(
  parameter: Parameter,
  given: Json | undefined,
  expressions: Expressions,
): Piece[] {
  const value = given === undefined ? parameter.default : given;
  if (value === undefined || (value === "" && parameter.required)) {
    return parameter.required ? [{ kind: "missing", text: parameter.label.toLowerCase() }] : [];
  }
  if (expressionOf(value) === null) {
    switch (parameter.widget) {
      case "new_name":
      case "path":
        return [{ kind: "new", text: String(value) }];
      case "table":
      case "field":
      case "function":
      case "lambda":
      case "choice":
      case "text":
      case "number":
      case "yes_no":
        return [{ kind: "strong", text: String(value) }];
      case "where":
        return wherePieces(value, expressions);
      case "sort":
        return [{ kind: "strong", text: sortText(value) }];
      case "data":
      case "map":
        if (isObject(value)) return [{ kind: "text", text: Object.keys(value).join(", ") }];
        break;
      case "code":
        return [{ kind: "code", text: shortened(String(value).trim().split("\n")[0] ?? "", 60) }];
    }
  }
  // What can only be text needs no quotes to be told from anything else.
  if (typeof value === "string" && parameter.type?.name === "text") {
    return [{ kind: "strong", text: shortened(value, 80) }];
  }
  if (typeof value === "number") return [{ kind: "strong", text: String(value) }];
  return valuePieces(value, expressions);
}

export function valuePieces(value: unknown, expressions: Expressions): Piece[] {
  const source = expressionOf(value);
  if (source !== null) return expressionPieces(source, expressions);
  if (typeof value === "string") return [{ kind: "literal", text: `“${shortened(value, 60)}”` }];
  if (value === null || typeof value !== "object") return [{ kind: "literal", text: String(value) }];
  if (Array.isArray(value)) {
    const inner = value.slice(0, 4).flatMap((one, at): Piece[] => [
      ...(at ? [{ kind: "text" as const, text: ", " }] : []),
      ...valuePieces(one, expressions),
    ]);
    const more = value.length > 4 ? [{ kind: "text" as const, text: ", …" }] : [];
    return [{ kind: "text", text: "[" }, ...inner, ...more, { kind: "text", text: "]" }];
  }
  if (isObject(value) && "$literal" in value && Object.keys(value).length === 1) {
    return [{ kind: "code", text: shortened(JSON.stringify(value.$literal), 60) }];
  }
  return [{ kind: "code", text: `{ ${shortened(Object.keys(value).join(", "), 60)} }` }];
}

export function expressionPieces(source: string, expressions: Expressions): Piece[] {
  const known = expressions.get(source);
  if (!known?.segments) return [{ kind: "code", text: shortened(source || "…", 80) }];
  return known.segments.map(([kind, text, given]): Piece => {
    switch (kind) {
      case "name":
        return { kind: "name", text: text! };
      case "literal":
        return { kind: "literal", text: literalText(text!) };
      case "filter":
        return { kind: "filter", text: given ? `${text}(${shortened(given, 40)})` : text! };
      case "operator":
        return { kind: "operator", text: operatorWords(text!) };
      default:
        return { kind: "code", text: shortened(text!, 60) };
    }
  });
}

/** A literal of the language as people read it: texts in curly quotes. */
function literalText(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return `“${shortened(JSON.parse(text) as string, 60)}”`;
  } catch {
    return text;
  }
}

const MANY_CONDITIONS = 4;

function wherePieces(where: unknown, expressions: Expressions): Piece[] {
  if (!isObject(where)) return valuePieces(where, expressions);
  const conditions = Object.entries(where).flatMap(([key, value]): Piece[][] => {
    if (key === "$and" || key === "$or" || key === "$nor") {
      const parts = Array.isArray(value) ? value : [];
      const word = key === "$and" ? T("and") : T("or");
      const inner = parts.flatMap((part, at) => [
        ...(at ? [operator(word)] : []),
        ...wherePieces(part, expressions),
      ]);
      return [[operator(key === "$nor" ? `${T("not")} (` : "("), ...inner, operator(")")]];
    }
    if (key === "$not") {
      return [[operator(`${T("not")} (`), ...wherePieces(value, expressions), operator(")")]];
    }
    const named: Piece = { kind: "strong", text: key };
    if (
      isObject(value) && expressionOf(value) === null && Object.keys(value).some((op) => op.startsWith("$"))
    ) {
      return Object.entries(value).filter(([op]) => op !== "$optional" && op !== "$literal").map((
        [op, operand],
      ) => [
        named,
        operator(operatorWords(op)),
        ...(op === "$exists" ? [] : fieldOrValue(operand, expressions)),
      ]);
    }
    return [[named, operator("="), ...valuePieces(value, expressions)]];
  });
  const shown = conditions.slice(0, MANY_CONDITIONS).flatMap((pieces, at) => [
    ...(at ? [operator(T("and"))] : []),
    ...pieces,
  ]);
  return conditions.length > MANY_CONDITIONS ? [...shown, operator("…")] : shown;
}

function fieldOrValue(operand: unknown, expressions: Expressions): Piece[] {
  if (isObject(operand) && typeof operand.$field === "string") {
    return [{ kind: "strong", text: operand.$field }];
  }
  return valuePieces(operand, expressions);
}

function operator(text: string): Piece {
  return { kind: "operator", text };
}

function sortText(value: unknown): string {
  const parts = Array.isArray(value) ? value : [value];
  return parts.map((part) => {
    const name = String(part);
    return name.startsWith("-") ? `${name.slice(1)} ↓` : name;
  }).join(", ");
}

export function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** The pieces as one line of plain text, for labels, search and screen readers. */
export function plainText(pieces: readonly Piece[]): string {
  let text = "";
  for (const piece of pieces) {
    const own = piece.kind === "filter" ? `| ${piece.text}` : piece.text;
    const joins = text !== "" && !/[\s([{]$/.test(text) && !/^[\s)\],]/.test(own);
    text += (joins ? " " : "") + own;
  }
  return text.replace(/\s+/g, " ").trim();
}
