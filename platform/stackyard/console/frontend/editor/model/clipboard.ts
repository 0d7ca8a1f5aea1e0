/** Lines as text and back. Copied text is the spelling of files (as JSON, which is YAML too), so it can be pasted there. */
import { isObject, type Json, type Kinds, type Line, type Params, slotsOf, withPart } from "./document.ts";

const WORDS = ["as", "id", "note", "disabled", "v"];

export function textOf(lines: readonly Line[], kinds: Kinds): string {
  return JSON.stringify(lines.map((line) => spelled(line, kinds)), null, 2);
}

function spelled(line: Line, kinds: Kinds): Json {
  let params: Json = { ...line.params };
  for (const slot of slotsOf(line, kinds)) {
    if (slot.lines.length) params = withPart(params, slot.path, slot.lines.map((one) => spelled(one, kinds)));
  }
  const made: Params = { [line.step]: params };
  for (const word of ["as", "note", "disabled", "v"] as const) {
    if (line[word] !== undefined) made[word] = line[word] as Json;
  }
  return made;
}

/** The lines in a text, or null when it must be read by the server (YAML) or holds none. Ids are left empty. */
export function linesOf(text: string, kinds: Kinds): Line[] | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if (isObject(data)) data = data.lines ?? data.stack ?? [data];
  if (!Array.isArray(data) || data.length === 0) return null;
  const lines = data.map((one) => read(one, kinds));
  return lines.every((line) => line !== null) ? (lines as Line[]) : null;
}

function read(value: unknown, kinds: Kinds): Line | null {
  if (!isObject(value)) return null;
  if (typeof value.step === "string") {
    return inside({ ...(value as unknown as Line), id: "" }, kinds);
  }
  const steps = Object.keys(value).filter((key) => !WORDS.includes(key));
  const step = steps[0];
  if (steps.length !== 1 || !step || !(step in kinds)) return null;
  const params = value[step];
  if (params !== null && !isObject(params)) return null;
  const line: Line = { id: "", step, params: (params ?? {}) as Params };
  if (typeof value.as === "string") line.as = value.as;
  if (typeof value.note === "string") line.note = value.note;
  if (value.disabled === true) line.disabled = true;
  if (typeof value.v === "number") line.v = value.v;
  return inside(line, kinds);
}

function inside(line: Line, kinds: Kinds): Line | null {
  for (const slot of slotsOf(line, kinds)) {
    const lines = slot.lines.map((one) => read(one, kinds));
    if (lines.some((one) => one === null)) return null;
    if (lines.length) {
      line = { ...line, params: withPart(line.params, slot.path, lines as unknown as Json) as Params };
    }
  }
  return line;
}
