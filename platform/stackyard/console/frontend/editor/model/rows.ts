/** The stack flattened to the rows on screen, each with its height, so that only those in view need exist. */
import { type Doc, hasSlots, type Kinds, type Line, type Slot, slotsOf } from "./document.ts";
import { type Block, ROOT, treeOf } from "./tree.ts";

export type LineRow = {
  type: "line";
  key: string;
  line: Line;
  depth: number;
  number: string;
  hasSlots: boolean;
  folded: boolean;
  /** How many lines a folded one hides. */
  inside: number;
};
export type SlotRow = { type: "slot"; key: string; owner: Line; slot: Slot; depth: number; block: Block };
export type AddRow = { type: "add"; key: string; block: Block; depth: number };
export type ResponseRow = { type: "response"; key: "response"; depth: 0 };
export type Row = LineRow | SlotRow | AddRow | ResponseRow;

export const RESPONSE = "response";
export const END = "end";

export function rowsOf(doc: Doc, kinds: Kinds, folds: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const tree = treeOf(doc, kinds);
  const add = (lines: Line[], block: Block, depth: number) => {
    for (const line of lines) {
      const slots = slotsOf(line, kinds);
      const folded = folds.has(line.id) && slots.length > 0;
      const number = tree.entries.get(line.id)?.number ?? "";
      rows.push({
        type: "line",
        key: line.id,
        line,
        depth,
        number,
        hasSlots: hasSlots(kinds[line.step]),
        folded,
        inside: folded ? countInside(line, kinds) : 0,
      });
      if (folded) continue;
      for (const slot of slots) {
        const inner = { owner: line.id, slot: slot.name };
        // Where there is one block only (a loop, a group), indenting says enough.
        if (slots.length > 1 || slot.branch !== undefined) {
          rows.push({
            type: "slot",
            key: `${line.id}/${slot.name}`,
            owner: line,
            slot,
            depth: depth + 1,
            block: inner,
          });
        }
        add(slot.lines, inner, depth + 1);
        if (slot.lines.length === 0) {
          rows.push({ type: "add", key: `${line.id}/${slot.name}/add`, block: inner, depth: depth + 1 });
        }
      }
    }
    void block;
  };
  add(Array.isArray(doc.lines) ? doc.lines : [], ROOT, 0);
  rows.push({ type: "add", key: END, block: ROOT, depth: 0 });
  rows.push({ type: "response", key: RESPONSE, depth: 0 });
  return rows;
}

export function countInside(line: Line, kinds: Kinds): number {
  return slotsOf(line, kinds).reduce(
    (sum, slot) => sum + slot.lines.reduce((inner, one) => inner + 1 + countInside(one, kinds), 0),
    0,
  );
}

export type Heights = { line: number; slot: number; add: number; note: number };
export const WIDE: Heights = { line: 40, slot: 30, add: 36, note: 20 };
export const NARROW: Heights = { line: 62, slot: 40, add: 48, note: 24 };

/** Where each row begins, and where all end: `offsets[i]` to `offsets[i + 1]`. `extra` counts lines under a sentence. */
export function offsetsOf(rows: readonly Row[], extra: (row: Row) => number, heights: Heights): Float64Array {
  const offsets = new Float64Array(rows.length + 1);
  rows.forEach((row, index) => {
    const own = row.type === "slot" ? heights.slot : row.type === "add" ? heights.add : heights.line;
    offsets[index + 1] = offsets[index]! + own + extra(row) * heights.note;
  });
  return offsets;
}

/** The rows from the first to behind the last that show in `top … bottom`, and `around` more on both sides. */
export function windowOf(offsets: Float64Array, top: number, bottom: number, around = 20): [number, number] {
  const count = offsets.length - 1;
  const first = Math.max(0, indexAt(offsets, top) - around);
  const last = Math.min(count, indexAt(offsets, bottom) + 1 + around);
  return [first, Math.max(first, last)];
}

/** The row that covers a height (the last that begins at or above it). */
export function indexAt(offsets: Float64Array, y: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}
