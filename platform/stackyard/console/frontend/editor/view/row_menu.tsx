/** Everything that can be done with the chosen lines, for whoever has no mouse, no keyboard, or no memory for keys. */
import { useState } from "preact/hooks";
import { T, TN } from "../../words.ts";
import { hasSlots } from "../model/document.ts";
import { blocksFor, linesOf, ROOT } from "../model/tree.ts";
import { rowCommands } from "../panel.ts";
import type { Editor } from "../store.ts";
import { copyText, pasteText } from "./keys.ts";
import { type Entry, Menu } from "./menu.tsx";

export function RowMenu({ editor, anchor }: { editor: Editor; anchor: DOMRect }) {
  const [page, setPage] = useState<"main" | "into" | "wrap">("main");
  const close = () => {
    editor.menu.value = null;
    editor.reveal.value = { key: editor.selection.value.focus, focus: true };
  };
  const then = (run: () => void) => () => {
    editor.menu.value = null;
    run();
  };
  const pages = { main: mainEntries, into: intoEntries, wrap: wrapEntries };
  const labels = { main: T("Step"), into: T("Move into"), wrap: T("Put into") };
  const head = page === "main" ? undefined : <p class="menu-head">{labels[page]}</p>;
  return (
    <Menu
      entries={pages[page](editor, then, setPage)}
      anchor={anchor}
      label={labels[page]}
      onClose={close}
      head={head}
    />
  );
}

type Then = (run: () => void) => () => void;

function mainEntries(editor: Editor, then: Then, turn: (page: "into" | "wrap") => void): Entry[] {
  const { focus, lines } = editor.selection.value;
  const one = lines.size === 1 ? editor.tree.entries.get([...lines][0]!) : undefined;
  const off = [...lines].every((id) => editor.tree.entries.get(id)?.line.disabled);
  const own: Entry[] = one
    ? rowCommands.value.map((command) => ({
      label: command.label(),
      icon: "play",
      run: then(() => command.run(focus)),
    }))
    : [];
  return [
    ...own,
    ...(own.length ? ["line" as const] : []),
    { label: T("Move up"), icon: "arrow-up", keys: "Alt ↑", run: then(() => editor.moveBy(false)) },
    { label: T("Move down"), icon: "arrow-down", keys: "Alt ↓", run: then(() => editor.moveBy(true)) },
    { label: T("Move into…"), icon: "arrow-right", run: () => turn("into") },
    { label: T("Put into a condition, a loop…"), icon: "group", run: () => turn("wrap") },
    {
      label: T("Make a function from these steps…"),
      icon: "function",
      run: then(() => (editor.dialog.value = "extract")),
    },
    ...(one && hasSlots(editor.kinds[one.line.step])
      ? [{ label: T("Take apart"), icon: "branch", run: then(() => editor.unwrap(one.line.id)) }]
      : []),
    "line",
    { label: T("Duplicate"), icon: "copy", keys: "Ctrl D", run: then(() => editor.duplicate()) },
    { label: T("Copy"), icon: "copy", keys: "Ctrl C", run: then(() => copy(editor)) },
    { label: T("Paste below"), icon: "download", keys: "Ctrl V", run: then(() => paste(editor)) },
    "line",
    {
      label: off ? T("Switch on") : T("Switch off"),
      icon: off ? "eye" : "pause",
      keys: "X",
      run: then(() => {
        editor.toggle();
        editor.reveal.value = { key: focus, focus: true };
      }),
    },
    {
      label: TN("Delete {count} step", "Delete {count} steps", lines.size),
      icon: "trash",
      keys: "Del",
      danger: true,
      run: then(() => editor.remove()),
    },
  ];
}

function copy(editor: Editor): void {
  void navigator.clipboard?.writeText(copyText(editor));
  editor.announce(T("Copied"));
  editor.reveal.value = { key: editor.selection.value.focus, focus: true };
}

async function paste(editor: Editor): Promise<void> {
  try {
    await pasteText(editor, await navigator.clipboard.readText());
  } catch {
    editor.notice.value = T("The browser keeps the clipboard from menus: paste with Ctrl V on a row.");
  }
}

function intoEntries(editor: Editor, then: Then): Entry[] {
  const blocks = blocksFor(editor.doc.value, editor.selection.value.lines, editor.kinds);
  const root: Entry = {
    label: T("The stack, at its end"),
    icon: "arrow-right",
    run: then(() => editor.moveTo({ ...ROOT, at: linesOf(editor.doc.value, ROOT, editor.kinds).length })),
  };
  return [
    root,
    ...blocks.map(({ block, line, slot }): Entry => ({
      label: `${editor.numberOf(line.id)} ${editor.labelOf(line)} · ${slot.parameter.label}`,
      icon: "arrow-right",
      run: then(() => editor.moveTo({ ...block, at: slot.lines.length })),
    })),
  ];
}

function wrapEntries(editor: Editor, then: Then): Entry[] {
  return Object.values(editor.kinds)
    .filter((kind) => kind.parameters.some((parameter) => parameter.widget === "lines"))
    .map((kind) => ({ label: kind.label, icon: kind.icon, run: then(() => editor.wrap(kind)) }));
}
