/** Finding and replacing in the code editor, a chunk of its own: fetched at the first Ctrl F. */
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { StateEffect } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";

const equipped = new WeakSet<EditorView>();

/** Opens the panel; the first time it is given to the editor. */
export function openSearch(view: EditorView): void {
  if (!equipped.has(view)) {
    equipped.add(view);
    const extensions = [search({ top: true }), highlightSelectionMatches(), keymap.of(searchKeymap)];
    view.dispatch({ effects: StateEffect.appendConfig.of(extensions) });
  }
  openSearchPanel(view);
}
