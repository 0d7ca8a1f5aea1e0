/** What is chosen: the row with the focus, and the lines a command works on. */
import type { Row } from "./rows.ts";

export type Selection = {
  /** The row's key. */
  focus: string;
  /** Where a range with Shift begins. */
  anchor: string;
  lines: ReadonlySet<string>;
};

export const NOTHING: Selection = { focus: "", anchor: "", lines: new Set() };

export function choose(rows: readonly Row[], key: string): Selection {
  const row = rows.find((one) => one.key === key);
  return { focus: key, anchor: key, lines: new Set(row?.type === "line" ? [key] : []) };
}

/** From the anchor to a row: every line between. */
export function extend(rows: readonly Row[], selection: Selection, key: string): Selection {
  const from = rows.findIndex((row) => row.key === selection.anchor);
  const to = rows.findIndex((row) => row.key === key);
  if (from < 0 || to < 0) return choose(rows, key);
  const between = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
  return {
    focus: key,
    anchor: selection.anchor,
    lines: new Set(between.filter((row) => row.type === "line").map((row) => row.key)),
  };
}

/** One line more, or one less. */
export function toggleLine(selection: Selection, key: string): Selection {
  const lines = new Set(selection.lines);
  if (!lines.delete(key)) lines.add(key);
  return { focus: key, anchor: key, lines };
}

/** The focus after a key: up, down, page, home, end. */
export function stepFrom(rows: readonly Row[], key: string, by: number): string {
  const at = rows.findIndex((row) => row.key === key);
  const next = Math.min(rows.length - 1, Math.max(0, (at < 0 ? 0 : at) + (at < 0 ? 0 : by)));
  return rows[next]?.key ?? "";
}
