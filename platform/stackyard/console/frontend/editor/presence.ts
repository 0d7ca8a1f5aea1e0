/** Who else has this stack open: asked every few seconds while the page is looked at. */
import { send } from "../requests.ts";
import type { Editor } from "./store.ts";

const ASK_MS = 8_000;

export function watchPresence(editor: Editor): void {
  const look = async () => {
    if (!document.hidden) {
      try {
        const { others } = await send<{ others: string[] }>("POST", `${editor.base}presence/`, {});
        if (others.join() !== editor.others.value.join()) editor.others.value = others;
      } catch {
        // Saving says what is wrong with the connection; nobody is known to be there.
        editor.others.value = [];
      }
    }
    setTimeout(() => void look(), ASK_MS);
  };
  void look();
}
