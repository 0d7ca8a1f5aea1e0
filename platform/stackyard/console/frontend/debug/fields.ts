/** Between a value and the text of its field. An empty field is an input that is left out. */
import type { InputForm, Inputs } from "./shapes.ts";

export type Widget = "line" | "text" | "number" | "choice" | "yesno" | "json";

const NUMBERS = new Set(["int", "float", "decimal", "reference"]);
const JSONS = new Set(["json", "object", "list", "file", "vector", "geo_point"]);

export function widgetOf(input: InputForm): Widget {
  if (input.list || JSONS.has(input.type ?? "")) return "json";
  if (input.values?.length) return "choice";
  if (input.type === "bool") return "yesno";
  if (NUMBERS.has(input.type ?? "")) return "number";
  return "line";
}

export function fieldText(input: InputForm, value: unknown): string {
  if (value === undefined) return "";
  if (widgetOf(input) === "json") {
    return typeof value === "string" && input.type !== "json" ? value : JSON.stringify(value, null, 1);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The value a text means for this input; undefined when it is left out. Texts that are no number stay texts: the server says so. */
export function fieldValue(input: InputForm, text: string): unknown {
  if (text === "") return undefined;
  switch (widgetOf(input)) {
    case "json":
      return parsed(text);
    case "number": {
      const trimmed = text.trim();
      return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(trimmed) &&
          Number.isSafeInteger(Math.trunc(Number(trimmed)))
        ? Number(trimmed)
        : text;
    }
    case "yesno":
      return text === "true" ? true : text === "false" ? false : text;
    default:
      return text === "null" && input.nullable ? null : text;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function textsOf(inputs: InputForm[], values: Inputs): Record<string, string> {
  return Object.fromEntries(inputs.map((input) => [input.name, fieldText(input, values[input.name])]));
}

/** The inputs to send: those of fields, and what else stood in `others` (names no field has). */
export function valuesOf(inputs: InputForm[], texts: Record<string, string>, others: Inputs = {}): Inputs {
  const known = new Set(inputs.map((input) => input.name));
  const made: Inputs = Object.fromEntries(Object.entries(others).filter(([name]) => !known.has(name)));
  for (const input of inputs) {
    const value = fieldValue(input, texts[input.name] ?? "");
    if (value !== undefined) made[input.name] = value;
  }
  return made;
}

/** The inputs of a JSON text, or what is wrong with it. */
export function inputsOfJson(text: string): Inputs | string {
  if (text.trim() === "") return {};
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Inputs;
    return "object";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with each input, by its name: the details of an `INVALID_INPUT`. `items.2.price` belongs to `items`. */
export function faultsByInput(details: { field?: string; message?: string }[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { field = "", message = "" } of details) {
    const [name = "", ...rest] = field.split(".");
    const said = rest.length ? `${rest.join(".")}: ${message}` : message;
    found[name] = found[name] ? `${found[name]}; ${said}` : said;
  }
  return found;
}
