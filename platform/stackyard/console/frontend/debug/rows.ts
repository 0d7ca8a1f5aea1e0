/** The lines of a run as rows of a timeline: nested as in the stack, loops looked through one round at a time. */
import type { RoundEntry, TracedLine } from "./shapes.ts";

export type Row = {
  line: TracedLine;
  depth: number;
  /** What it did in the chosen round, when it stands in a loop of which one was chosen. */
  entry: RoundEntry | null;
  /** How often it ran within the chosen round. */
  times: number;
};

export type Rounds = { round: number; lines: Record<string, RoundEntry[]> };

/** Whether a line runs inside another one: in its blocks, or in a function it calls, at any depth. */
export function isInside(line: TracedLine, outer: TracedLine): boolean {
  if (line.within === outer.within && line.number.startsWith(`${outer.number}.`) && outer.number !== "") {
    return true;
  }
  return line.within === outer.key || line.within.startsWith(`${outer.key}/`);
}

/** The same, through the line whose call a function's line belongs to. */
function runsInside(line: TracedLine, outer: TracedLine, byKey: Map<string, TracedLine>): boolean {
  for (let one: TracedLine | undefined = line; one; one = byKey.get(one.within)) {
    if (isInside(one, outer)) return true;
  }
  return false;
}

function depthOf(line: TracedLine): number {
  return line.number.split(".").length - 1 + (line.within === "" ? 0 : line.within.split("/").length);
}

/** In the order in which lines were first entered; inside a loop with a chosen round only what ran in that round. */
export function rowsOf(lines: TracedLine[], rounds: Record<string, Rounds>): Row[] {
  const byKey = new Map(lines.map((line) => [line.key, line]));
  const loops = lines.filter((line) => rounds[line.key]);
  const rows: Row[] = [];
  for (const line of lines) {
    // The innermost chosen loop says what is shown.
    const loop = loops.filter((outer) => runsInside(line, outer, byKey)).at(-1);
    const found = loop ? rounds[loop.key]!.lines[line.key] : undefined;
    if (loop && !found) continue;
    rows.push({
      line,
      depth: depthOf(line),
      entry: found?.at(-1) ?? null,
      times: found?.length ?? line.entered,
    });
  }
  return rows;
}

/** Where a bar begins and how long it is, in parts of the whole run; never too short to be seen. */
export function barOf(began: number, milliseconds: number, whole: number): { left: number; width: number } {
  const total = Math.max(whole, 0.001);
  const left = Math.min(Math.max(began / total, 0), 1);
  return { left, width: Math.min(Math.max(milliseconds / total, 0.012), 1 - Math.min(left, 0.988)) };
}

/** A line that takes most of a run that takes long: worth a look. Shares of tiny runs look alarming and mean nothing. */
export function isSlow(milliseconds: number, whole: number): boolean {
  return milliseconds > 20 && milliseconds > whole / 2;
}

/** The block a line took, in words that the page translates. */
export type Way = {
  name: "then" | "else" | "else_if" | "case" | "default" | "catch" | "";
  number: number;
};

export function wayOf(way: string): Way {
  const parts = way.split(".");
  if (parts[0] === "else_if" || parts[0] === "cases") {
    return { name: parts[0] === "cases" ? "case" : "else_if", number: Number(parts[1] ?? 0) + 1 };
  }
  const known = ["then", "else", "default", "catch"] as const;
  return { name: known.find((name) => name === parts[0]) ?? "", number: 0 };
}

/** A value as one line: `{ id, name … }` says more than cut JSON. */
export function brief(value: string, longest = 60): string {
  const text = value.length > 400 ? value.slice(0, 400) : value;
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** JSON with line breaks, or the text as it is when it was cut. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
