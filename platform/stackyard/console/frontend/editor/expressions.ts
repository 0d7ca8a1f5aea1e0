/** The pieces of expressions, by their text: what the page came with, and what the server's parser says of new ones. */
import { signal } from "@preact/signals";
import { send } from "../requests.ts";
import { expressionOf } from "./model/document.ts";
import type { Expression } from "./model/sentences.ts";

const ADDRESS = "/admin/editor/expressions/";
const QUIET_MS = 60;
const AT_ONCE = 500;

export class Expressions {
  readonly known = signal<ReadonlyMap<string, Expression>>(new Map());
  #asked = new Set<string>();
  #waiting = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Parts of documents that were looked through: a change leaves all others as the same objects. */
  #seen = new WeakSet<object>();

  constructor(known: { [source: string]: Expression }) {
    this.known.value = new Map(Object.entries(known));
  }

  get(source: string): Expression | undefined {
    const found = this.known.value.get(source);
    if (!found) this.ask([source]);
    return found;
  }

  /** Ask for every expression of a document that is not known yet. */
  learn(value: unknown): void {
    const sources: string[] = [];
    this.#gather(value, sources);
    this.ask(sources);
  }

  add(known: { [source: string]: Expression }): void {
    this.known.value = new Map([...this.known.value, ...Object.entries(known)]);
  }

  /** What was just put together is shown as that until the parser has said its word. */
  guess(source: string, pieces: Expression): void {
    if (this.known.peek().has(source)) return;
    this.#asked.delete(source);
    this.ask([source]);
    this.add({ [source]: pieces });
  }

  ask(sources: Iterable<string>): void {
    for (const source of sources) {
      if (!this.#asked.has(source) && !this.known.peek().has(source)) this.#waiting.add(source);
    }
    if (this.#waiting.size && !this.#timer) this.#timer = setTimeout(() => void this.#fetch(), QUIET_MS);
  }

  async #fetch(): Promise<void> {
    this.#timer = null;
    const sources = [...this.#waiting].slice(0, AT_ONCE);
    for (const source of sources) {
      this.#waiting.delete(source);
      this.#asked.add(source);
    }
    try {
      const answer = await send<{ expressions: { [source: string]: Expression } }>("POST", ADDRESS, {
        sources,
      });
      this.add(answer.expressions);
    } catch {
      // Until the server can be asked again they are shown as text; the bar above says why.
      for (const source of sources) this.#asked.delete(source);
    }
    if (this.#waiting.size) this.ask([]);
  }

  #gather(value: unknown, sources: string[]): void {
    if (typeof value !== "object" || value === null || this.#seen.has(value)) return;
    this.#seen.add(value);
    const source = expressionOf(value);
    if (source !== null) sources.push(source);
    else for (const part of Object.values(value)) this.#gather(part, sources);
  }
}
