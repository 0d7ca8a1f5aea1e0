/**
 * The stack as a tree of lines: where each stands, and every change of it. Documents are never changed in place; what a
 * change does not touch is shared with the document before, so that undo costs little and rows know what is new.
 */
import {
  type Doc,
  type Json,
  type Kinds,
  type Line,
  type Params,
  type Slot,
  slotsOf,
  withPart,
} from "./document.ts";
import { type Random, withFreshIds } from "./ids.ts";

/** A block: the stack itself (`owner` null) or a slot of a line. */
export type Block = { owner: string | null; slot: string };
export type Place = Block & { at: number };

export const ROOT: Block = { owner: null, slot: "" };

export type Entry = {
  line: Line;
  place: Place;
  depth: number;
  /** In reading order, from 0. */
  order: number;
  /** As rows show it: `3.1`. */
  number: string;
};

export type Tree = { entries: Map<string, Entry>; order: string[] };

const trees = new WeakMap<Line[], { kinds: Kinds; tree: Tree }>();

/** Where every line stands; kept for the document's list of lines. */
export function treeOf(doc: Doc, kinds: Kinds): Tree {
  const lines = Array.isArray(doc.lines) ? doc.lines : [];
  const held = trees.get(lines);
  if (held?.kinds === kinds) return held.tree;
  const tree: Tree = { entries: new Map(), order: [] };
  walk(lines, ROOT, 0, "", kinds, tree);
  trees.set(lines, { kinds, tree });
  return tree;
}

function walk(
  lines: Line[],
  block: Block,
  depth: number,
  before: string,
  kinds: Kinds,
  tree: Tree,
  first = 1,
): number {
  lines.forEach((line, at) => {
    const number = before + (first + at);
    tree.entries.set(line.id, { line, place: { ...block, at }, depth, order: tree.order.length, number });
    tree.order.push(line.id);
    // Numbers run on through the branches of a line: 3.1, 3.2, then 3.3 in Otherwise.
    let next = 1;
    for (const slot of slotsOf(line, kinds)) {
      next = walk(
        slot.lines,
        { owner: line.id, slot: slot.name },
        depth + 1,
        `${number}.`,
        kinds,
        tree,
        next,
      );
    }
  });
  return first + lines.length;
}

export function slotOf(line: Line, name: string, kinds: Kinds): Slot | undefined {
  return slotsOf(line, kinds).find((slot) => slot.name === name);
}

/** The lines of a block, or none when it is not there. */
export function linesOf(doc: Doc, block: Block, kinds: Kinds): Line[] {
  if (block.owner === null) return Array.isArray(doc.lines) ? doc.lines : [];
  const owner = treeOf(doc, kinds).entries.get(block.owner)?.line;
  return owner ? slotOf(owner, block.slot, kinds)?.lines ?? [] : [];
}

/** The document with the lines of one block replaced. */
export function withLines(doc: Doc, block: Block, kinds: Kinds, change: (lines: Line[]) => Line[]): Doc {
  if (block.owner === null) return { ...doc, lines: change(linesOf(doc, block, kinds)) };
  return withLine(doc, block.owner, kinds, (owner) => {
    const slot = slotOf(owner, block.slot, kinds);
    if (!slot) return owner;
    return { ...owner, params: withPart(owner.params, slot.path, change(slot.lines)) as Params };
  });
}

/** The document with one line replaced. */
export function withLine(doc: Doc, id: string, kinds: Kinds, change: (line: Line) => Line): Doc {
  const entry = treeOf(doc, kinds).entries.get(id);
  if (!entry) return doc;
  return withLines(
    doc,
    entry.place,
    kinds,
    (lines) => lines.map((line) => (line.id === id ? change(line) : line)),
  );
}

export function withParam(
  doc: Doc,
  id: string,
  path: (string | number)[],
  value: Json | undefined,
  kinds: Kinds,
): Doc {
  return withLine(
    doc,
    id,
    kinds,
    (line) => ({ ...line, params: withPart(line.params, path, value) as Params }),
  );
}

export function insert(doc: Doc, place: Place, lines: Line[], kinds: Kinds): Doc {
  return withLines(doc, place, kinds, (present) => [
    ...present.slice(0, place.at),
    ...lines,
    ...present.slice(place.at),
  ]);
}

/** Whether a line is another or stands somewhere inside it. */
export function isWithin(tree: Tree, id: string, outer: string): boolean {
  for (let at: string | null = id; at !== null; at = tree.entries.get(at)?.place.owner ?? null) {
    if (at === outer) return true;
  }
  return false;
}

/** Lines in reading order, without those that stand inside another of them. */
export function outermost(tree: Tree, ids: Iterable<string>): string[] {
  const known = [...ids].filter((id) => tree.entries.has(id));
  const chosen = new Set(known);
  return known
    .filter((id) => {
      const owner = tree.entries.get(id)!.place.owner;
      for (let at = owner; at !== null; at = tree.entries.get(at)!.place.owner) {
        if (chosen.has(at)) return false;
      }
      return true;
    })
    .sort((one, other) => tree.entries.get(one)!.order - tree.entries.get(other)!.order);
}

export function remove(doc: Doc, ids: Iterable<string>, kinds: Kinds): Doc {
  const tree = treeOf(doc, kinds);
  let made = doc;
  for (const id of outermost(tree, ids)) {
    const { place } = tree.entries.get(id)!;
    made = withLines(made, place, kinds, (lines) => lines.filter((line) => line.id !== id));
  }
  return made;
}

/** The same document when the place lies inside what is moved, or nothing would change. */
export function move(doc: Doc, ids: Iterable<string>, place: Place, kinds: Kinds): Doc {
  const tree = treeOf(doc, kinds);
  const moving = outermost(tree, ids);
  if (moving.length === 0 || moving.some((id) => place.owner !== null && isWithin(tree, place.owner, id))) {
    return doc;
  }
  const lines = moving.map((id) => tree.entries.get(id)!.line);
  const there = linesOf(doc, place, kinds);
  // The place is counted with the moving lines in it; without them it lies further up.
  const before = there.slice(0, place.at).filter((line) => moving.includes(line.id)).length;
  const at = Math.min(place.at, there.length) - before;
  const unchanged = there.slice(at, at + lines.length).every((line, number) => line.id === moving[number]) &&
    there.slice(at, at + lines.length).length === lines.length;
  if (unchanged) return doc;
  return insert(remove(doc, moving, kinds), { ...place, at }, lines, kinds);
}

/** Copies right behind the last of them; their ids are given back. */
export function duplicate(
  doc: Doc,
  ids: Iterable<string>,
  kinds: Kinds,
  random?: Random,
): { doc: Doc; ids: string[] } {
  const tree = treeOf(doc, kinds);
  const chosen = outermost(tree, ids);
  const last = chosen.length ? tree.entries.get(chosen[chosen.length - 1]!)! : null;
  if (!last) return { doc, ids: [] };
  const lines = chosen.map((id) => tree.entries.get(id)!.line);
  const copies = withFreshIds(lines, kinds, (id) => tree.entries.has(id), random);
  const place = { ...last.place, at: last.place.at + 1 };
  return { doc: insert(doc, place, copies, kinds), ids: copies.map((line) => line.id) };
}

/** Put lines into a new line (a condition, a loop, a group) that takes the place of the first of them. */
export function wrap(doc: Doc, ids: Iterable<string>, outer: Line, slot: string, kinds: Kinds): Doc {
  const tree = treeOf(doc, kinds);
  const chosen = outermost(tree, ids);
  const first = chosen.length ? tree.entries.get(chosen[0]!)! : null;
  if (!first) return doc;
  const withOuter = insert(doc, first.place, [outer], kinds);
  return move(withOuter, chosen, { owner: outer.id, slot, at: 0 }, kinds);
}

/** Take a line away and leave the lines that stood in it in its place. */
export function unwrap(doc: Doc, id: string, kinds: Kinds): Doc {
  const entry = treeOf(doc, kinds).entries.get(id);
  if (!entry) return doc;
  const inner = slotsOf(entry.line, kinds).flatMap((slot) => slot.lines);
  return withLines(
    doc,
    entry.place,
    kinds,
    (lines) => lines.flatMap((line) => (line.id === id ? inner : [line])),
  );
}

/** Switch lines off, or on again when all of them are off. */
export function toggle(doc: Doc, ids: Iterable<string>, kinds: Kinds): Doc {
  const tree = treeOf(doc, kinds);
  const chosen = [...ids].filter((id) => tree.entries.has(id));
  const off = !chosen.every((id) => tree.entries.get(id)!.line.disabled);
  return chosen.reduce(
    (made, id) =>
      withLine(made, id, kinds, ({ disabled: _, ...line }) => (off ? { ...line, disabled: true } : line)),
    doc,
  );
}

/**
 * The place one step up or down from where lines stand: past a neighbour, into its nearest block, or out of their own.
 * Going on in one direction comes through every place of the stack, and going back through the same ones.
 */
export function nextPlace(doc: Doc, ids: Iterable<string>, down: boolean, kinds: Kinds): Place | null {
  const tree = treeOf(doc, kinds);
  const chosen = outermost(tree, ids);
  if (chosen.length === 0) return null;
  const edge = tree.entries.get(chosen[down ? chosen.length - 1 : 0]!)!;
  const { place } = edge;
  const neighbour = linesOf(doc, place, kinds)[down ? place.at + 1 : place.at - 1];
  if (neighbour) {
    const slots = slotsOf(neighbour, kinds);
    const slot = down ? slots[0] : slots[slots.length - 1];
    if (slot) return { owner: neighbour.id, slot: slot.name, at: down ? 0 : slot.lines.length };
    return { ...place, at: down ? place.at + 2 : place.at - 1 };
  }
  if (place.owner === null) return null;
  const owner = tree.entries.get(place.owner)!;
  const slots = slotsOf(owner.line, kinds);
  const here = slots.findIndex((slot) => slot.name === place.slot);
  const beside = slots[down ? here + 1 : here - 1];
  if (beside) return { owner: owner.line.id, slot: beside.name, at: down ? 0 : beside.lines.length };
  return { ...owner.place, at: down ? owner.place.at + 1 : owner.place.at };
}

/** The blocks a line can be moved into by name: those of its neighbours and around it, and the stack itself. */
export function blocksFor(
  doc: Doc,
  ids: Iterable<string>,
  kinds: Kinds,
): { block: Block; line: Line; slot: Slot }[] {
  const tree = treeOf(doc, kinds);
  const chosen = outermost(tree, ids);
  const found = [];
  for (const id of tree.order) {
    if (chosen.some((outer) => isWithin(tree, id, outer))) continue;
    const { line } = tree.entries.get(id)!;
    for (const slot of slotsOf(line, kinds)) {
      found.push({ block: { owner: id, slot: slot.name }, line, slot });
    }
  }
  return found;
}
