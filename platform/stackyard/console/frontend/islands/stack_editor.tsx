/** The visual editor of a stack: `{% island "stack_editor" props %}` (console/editor.py gives the properties). */
import "../debug/tab.tsx";
import { theEditor } from "../editor/panel.ts";
import type { Opened, Palette } from "../editor/answers.ts";
import { watchPresence } from "../editor/presence.ts";
import { Editor } from "../editor/store.ts";
import { Shell } from "../editor/view/shell.tsx";
import { mount } from "../island.ts";

type Props = { kind: string; opened: Opened; palette: Palette; isReadOnly: boolean };

let editor: Editor | null = null;

function StackEditor({ kind, opened, palette, isReadOnly }: Props) {
  if (!editor) {
    editor = new Editor(kind, opened, palette, isReadOnly);
    theEditor.value = editor;
    if (!isReadOnly) watchPresence(editor);
  }
  return <Shell editor={editor} />;
}

performance.mark("stack-editor-starts");
mount("stack_editor", StackEditor);
requestAnimationFrame(() => performance.mark("stack-editor-shown"));
