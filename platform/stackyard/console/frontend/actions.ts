/** What the page offers beyond the server's list, found by Ctrl K: the stack editor offers "Run", "Publish" … */
import { signal } from "@preact/signals";

export type Action = { text: string; words?: string; icon: string; run: () => void };

export const actions = signal<Action[]>([]);

/** Adds actions until the returned function is called. Text as `T("…")`. */
export function offer(...more: Action[]): () => void {
  actions.value = [...actions.value, ...more];
  return () => {
    actions.value = actions.value.filter((one) => !more.includes(one));
  };
}
