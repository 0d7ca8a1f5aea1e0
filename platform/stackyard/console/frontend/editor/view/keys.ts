/** The keyboard of the stack. Single letters act only while a row has the focus (WCAG 2.1.4). */
import { send } from "../../requests.ts";
import { T } from "../../words.ts";
import { linesOf, textOf } from "../model/clipboard.ts";
import type { Line } from "../model/document.ts";
import type { Expression } from "../model/sentences.ts";
import { outermost } from "../model/tree.ts";
import { runCommand } from "../panel.ts";
import type { Editor } from "../store.ts";

const PAGE = 10;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Keys on rows. */
export function rowKeys(editor: Editor, event: KeyboardEvent): void {
  if (isTyping(event.target) || event.defaultPrevented) return;
  const control = event.ctrlKey || event.metaKey;
  const onButton = event.target instanceof HTMLButtonElement;
  if (onButton && (event.key === "Enter" || event.key === " ")) return;
  const done = event.altKey
    ? moved(editor, event)
    : control
    ? commanded(editor, event)
    : stepped(editor, event);
  if (done) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function moved(editor: Editor, event: KeyboardEvent): boolean {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return false;
  editor.moveBy(event.key === "ArrowDown");
  return true;
}

function commanded(editor: Editor, event: KeyboardEvent): boolean {
  switch (event.key.toLowerCase()) {
    case "d":
      editor.duplicate();
      return true;
    case "a":
      editor.selection.value = { ...editor.selection.value, lines: new Set(editor.tree.order) };
      return true;
    case "arrowleft":
    case "arrowright":
      editor.foldAll(event.key === "ArrowLeft");
      return true;
    default:
      return false;
  }
}

function stepped(editor: Editor, event: KeyboardEvent): boolean {
  const { focus } = editor.selection.value;
  switch (event.key) {
    case "ArrowDown":
    case "ArrowUp":
      editor.step(event.key === "ArrowDown" ? 1 : -1, event.shiftKey);
      return true;
    case "PageDown":
    case "PageUp":
      editor.step(event.key === "PageDown" ? PAGE : -PAGE, event.shiftKey);
      return true;
    case "Home":
    case "End":
      editor.step(event.key === "End" ? Infinity : -Infinity, event.shiftKey);
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      return folded(editor, focus, event.key === "ArrowLeft");
    case "/":
      openInsert(editor, focus);
      return true;
    case "Enter":
      return entered(editor, focus);
    case "Delete":
    case "Backspace":
      editor.remove();
      return true;
    case "x":
    case "X":
      editor.toggle();
      return true;
    case "m":
    case "M":
    case "ContextMenu":
      return openRowMenu(editor, focus);
    case "F10":
      return event.shiftKey && openRowMenu(editor, focus);
    case "?":
      editor.dialog.value = "keys";
      return true;
    case "Escape":
      return cleared(editor, focus);
    default:
      return false;
  }
}

function cleared(editor: Editor, focus: string): boolean {
  if (editor.selection.value.lines.size < 2) return false;
  editor.pick(focus);
  return true;
}

function folded(editor: Editor, key: string, left: boolean): boolean {
  const row = editor.rows.value.find((one) => one.key === key);
  if (row?.type === "line" && row.hasSlots && row.folded !== left) {
    editor.fold(key, left);
    return true;
  }
  if (!left) {
    if (row?.type === "line" && row.hasSlots) editor.step(1, false);
    return true;
  }
  const owner = row?.type === "line"
    ? editor.tree.entries.get(key)?.place.owner
    : row?.type === "slot"
    ? row.owner.id
    : row?.type === "add"
    ? row.block.owner
    : null;
  if (owner) editor.pick(owner);
  return true;
}

function entered(editor: Editor, key: string): boolean {
  const row = editor.rows.value.find((one) => one.key === key);
  if (row?.type === "add") openInsert(editor, key);
  else {
    editor.open("step");
    editor.editing.value++;
  }
  return true;
}

export function rowElement(key: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`.rows [data-row="${CSS.escape(key)}"]`);
}

function anchorOf(key: string): DOMRect {
  const row = rowElement(key);
  const says = row?.querySelector(".says, .add-step, .slot-name") ?? row;
  return says?.getBoundingClientRect() ?? new DOMRect(300, 200, 0, 0);
}

export function openInsert(editor: Editor, key: string): void {
  if (editor.isReadOnly) return;
  editor.menu.value = { type: "insert", place: editor.placeAfter(key), anchor: anchorOf(key) };
}

function openRowMenu(editor: Editor, key: string): boolean {
  if (editor.isReadOnly || !editor.tree.entries.has(key)) return false;
  editor.menu.value = { type: "row", anchor: anchorOf(key) };
  return true;
}

/** Keys of the whole editor. */
export function editorKeys(editor: Editor, event: KeyboardEvent): void {
  const control = event.ctrlKey || event.metaKey;
  if (!control || event.altKey || event.defaultPrevented) return;
  const inCode = event.target instanceof Element && event.target.closest(".cm-editor") !== null;
  const key = event.key.toLowerCase();
  if (key === "s") void editor.save();
  else if (key === "enter" && runCommand.value && !editor.isReadOnly) runCommand.value();
  else if (inCode) return;
  else if (key === "f" && editor.tab.value === "stack") {
    document.querySelector<HTMLInputElement>("#find-in-stack")?.focus();
    document.querySelector<HTMLInputElement>("#find-in-stack")?.select();
  } else if (isTyping(event.target)) return; // A text field's own undo stays its own.
  else if (key === "z" && !event.shiftKey) editor.undo();
  else if (key === "y" || (key === "z" && event.shiftKey)) editor.redo();
  else return;
  event.preventDefault();
}

// Copy, cut, paste: lines travel as text.

function chosenLines(editor: Editor): Line[] {
  return outermost(editor.tree, editor.selection.value.lines).map((id) => editor.tree.entries.get(id)!.line);
}

export function onCopy(editor: Editor, event: ClipboardEvent): boolean {
  const lines = chosenLines(editor);
  if (isTyping(event.target) || lines.length === 0 || String(getSelection()) !== "") return false;
  event.clipboardData?.setData("text/plain", textOf(lines, editor.kinds));
  event.preventDefault();
  editor.announce(T("Copied"));
  return true;
}

export function onCut(editor: Editor, event: ClipboardEvent): void {
  if (onCopy(editor, event)) editor.remove();
}

export function onPaste(editor: Editor, event: ClipboardEvent): void {
  if (isTyping(event.target)) return;
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!text.trim()) return;
  event.preventDefault();
  void pasteText(editor, text);
}

export function copyText(editor: Editor): string {
  return textOf(chosenLines(editor), editor.kinds);
}

/** Lines out of a text, after the row with the focus: our own spelling here, YAML by the server. */
export async function pasteText(editor: Editor, text: string): Promise<void> {
  const place = editor.placeAfter(editor.selection.value.focus);
  const lines = linesOf(text, editor.kinds);
  if (lines) return editor.insertLines(lines, place);
  try {
    type Answer = { lines: Line[]; expressions: { [source: string]: Expression } };
    const read = await send<Answer>("POST", `${editor.base}lines/`, { text });
    editor.expressions.add(read.expressions);
    editor.insertLines(read.lines, place);
  } catch (error) {
    editor.deleted.value = "";
    editor.announce(T("Not pasted: {why}", { why: (error as Error).message }));
    editor.notice.value = T("Not pasted: {why}", { why: (error as Error).message });
  }
}
