/** Ids of lines: short, never changed, not in use elsewhere in the document. */
import { type Json, type Kinds, type Line, slotsOf, withPart } from "./document.ts";

const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const FIRST = "abcdefghijkmnpqrstuvwxyz";

export type Random = () => number;

export function freshId(taken: (id: string) => boolean, random: Random = Math.random): string {
  for (let length = 4;; length++) {
    for (let attempt = 0; attempt < 20; attempt++) {
      let id = FIRST[Math.floor(random() * FIRST.length)]!;
      while (id.length < length) id += LETTERS[Math.floor(random() * LETTERS.length)]!;
      if (!taken(id)) return id;
    }
  }
}

/** Copies of lines in which every line, nested ones too, has an id of its own. */
export function withFreshIds(
  lines: readonly Line[],
  kinds: Kinds,
  isTaken: (id: string) => boolean,
  random: Random = Math.random,
): Line[] {
  const given = new Set<string>();
  const taken = (id: string) => given.has(id) || isTaken(id);
  const copy = (line: Line): Line => {
    const id = freshId(taken, random);
    given.add(id);
    let made: Line = { ...line, id };
    for (const slot of slotsOf(line, kinds)) {
      const nested = slot.lines.map(copy) as unknown as Json;
      made = { ...made, params: withPart(made.params, slot.path, nested) as Line["params"] };
    }
    return made;
  };
  return lines.map(copy);
}
