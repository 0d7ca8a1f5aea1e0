/** Undo and redo: whole states, which share what did not change. Typing in one place joins into one step. */

export type Step<State> = { state: State; label: string };

const JOIN_MS = 800;
const DEPTH = 200;

export class History<State> {
  #past: Step<State>[] = [];
  #future: Step<State>[] = [];
  #tag = "";
  #at = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A change is about to be made to `before`. Changes with the same tag within 0.8 s of each other are one. */
  record(before: State, label: string, tag = ""): void {
    const now = this.now();
    const joins = tag !== "" && tag === this.#tag && now - this.#at < JOIN_MS && this.#past.length > 0;
    if (!joins) {
      this.#past.push({ state: before, label });
      if (this.#past.length > DEPTH) this.#past.shift();
    }
    this.#future = [];
    this.#tag = tag;
    this.#at = now;
  }

  /** The next change is a step of its own, whatever its tag. */
  cut(): void {
    this.#tag = "";
  }

  undo(present: State): Step<State> | null {
    const step = this.#past.pop();
    if (!step) return null;
    this.#future.push({ state: present, label: step.label });
    this.cut();
    return step;
  }

  redo(present: State): Step<State> | null {
    const step = this.#future.pop();
    if (!step) return null;
    this.#past.push({ state: present, label: step.label });
    this.cut();
    return step;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  get depth(): number {
    return this.#past.length;
  }

  clear(): void {
    this.#past = [];
    this.#future = [];
    this.cut();
  }
}
