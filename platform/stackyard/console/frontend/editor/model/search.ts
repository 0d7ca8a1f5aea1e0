/** Finding: step kinds for the insert menu, lines for "find in stack". */
import type { Doc, Kind, Kinds } from "./document.ts";
import { type Expressions, plainText, sentenceOf } from "./sentences.ts";
import { treeOf } from "./tree.ts";

/** The kinds that match, best first; all in the order of their groups when nothing was typed. */
export function findKinds(kinds: Kinds, groups: readonly string[], query: string): Kind[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const all = Object.values(kinds);
  const place = (kind: Kind) => {
    const at = groups.indexOf(kind.group);
    return at < 0 ? groups.length : at;
  };
  if (words.length === 0) return [...all].sort((one, other) => place(one) - place(other));
  return all
    .map((kind) => ({ kind, rank: Math.max(...words.map((word) => rankOf(kind, word))) }))
    .filter(({ rank }) => rank < 9)
    .sort((one, other) => one.rank - other.rank || one.kind.label.localeCompare(other.kind.label))
    .map(({ kind }) => kind);
}

function rankOf(kind: Kind, word: string): number {
  const label = kind.label.toLowerCase();
  if (label === word) return 0;
  if (label.startsWith(word)) return 1;
  const words = kind.words.toLowerCase().split(/\s+/);
  // What people call it first stands first among its words.
  if (words.includes(word)) return 2 + words.indexOf(word) / 100;
  if (label.split(/\s+/).some((part) => part.startsWith(word))) return 3;
  if (words.some((part) => part.startsWith(word)) || kind.name.includes(word)) return 4;
  return kind.help.toLowerCase().includes(word) ? 5 : 9;
}

/** Ids of the lines whose sentence, result, note or values hold the text, in reading order. */
export function findLines(doc: Doc, kinds: Kinds, expressions: Expressions, query: string): string[] {
  const wanted = query.toLowerCase().trim();
  if (!wanted) return [];
  const tree = treeOf(doc, kinds);
  return tree.order.filter((id) => {
    const { line, number } = tree.entries.get(id)!;
    const own = kinds[line.step]?.parameters.filter((one) => !["lines", "branches"].includes(one.widget)) ??
      [];
    const values = own.map((one) => JSON.stringify(line.params?.[one.name] ?? ""));
    const text = [
      plainText(sentenceOf(line, kinds, expressions)),
      kinds[line.step]?.label ?? line.step,
      line.as ?? "",
      line.note ?? "",
      ...values,
    ];
    return number === wanted || text.some((part) => part.toLowerCase().includes(wanted));
  });
}
