/** The palette's list without its looks: groups of entries, one of them chosen. */
export type Entry = { text: string; detail: string; icon: string; url?: string; run?: () => void };
export type Group = { heading: string; found: Entry[] };

export function flat(groups: Group[]): Entry[] {
  return groups.flatMap((group) => group.found);
}

/** The place `by` steps on, around the ends. */
export function moved(place: number, by: number, count: number): number {
  return count ? (place + by + count) % count : 0;
}

/** Whether every word occurs in the texts. */
export function says(asked: string, ...texts: string[]): boolean {
  const all = texts.join(" ").toLowerCase();
  return asked.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
