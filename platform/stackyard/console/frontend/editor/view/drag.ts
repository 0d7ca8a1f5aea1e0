/** Dragging by the handle (pragmatic-drag-and-drop). Everything it does, the keyboard and the row's menu do too. */
import {
  draggable,
  dropTargetForElements,
  monitorForElements,
} from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import type { Signal } from "@preact/signals";
import { hasSlots, slotsOf } from "../model/document.ts";
import { isWithin, type Place } from "../model/tree.ts";
import type { Editor } from "../store.ts";

export type DropMark = { key: string; edge: "top" | "bottom" | "inside" };

type Input = { clientY: number };

export function dragging(editor: Editor, grid: HTMLElement, mark: Signal<DropMark | null>): () => void {
  const made = new Map<HTMLElement, () => void>();
  const target = (element: Element | null) => element?.closest<HTMLElement>("[data-row]") ?? null;

  const aim = (input: Input, element: Element): DropMark | null => {
    const row = target(element);
    const key = row?.dataset.row;
    if (!row || !key) return null;
    const box = row.getBoundingClientRect();
    const at = (input.clientY - box.top) / box.height;
    const found = editor.rows.peek().find((one) => one.key === key);
    if (!found || found.type === "response") return found ? { key, edge: "top" } : null;
    if (found.type === "add" || found.type === "slot") return { key, edge: "inside" };
    const opens = hasSlots(editor.kinds[found.line.step]);
    if (opens && at > 0.3 && at < 0.7) return { key, edge: "inside" };
    return { key, edge: at < 0.5 ? "top" : "bottom" };
  };

  // Rows come and go while the stack is scrolled: each is made draggable when it appears.
  const attach = (row: HTMLElement) => {
    const handle = row.querySelector<HTMLElement>("[data-handle]");
    const key = row.dataset.row!;
    const parts = [
      dropTargetForElements({
        element: row,
        getData: ({ input, element }) => ({ ...aim(input, element) }),
        canDrop: ({ source }) => source.data.type === "lines",
      }),
    ];
    if (handle) {
      parts.push(draggable({
        element: row,
        dragHandle: handle,
        getInitialData: () => {
          const { lines } = editor.selection.peek();
          if (!lines.has(key)) editor.pick(key, { focus: false });
          return { type: "lines" };
        },
      }));
    }
    made.set(row, combine(...parts));
  };
  const attachAll = () => {
    const present = new Set(grid.querySelectorAll<HTMLElement>("[data-row]"));
    for (const [row, stop] of made) {
      if (!present.has(row) || !row.isConnected) {
        stop();
        made.delete(row);
      }
    }
    for (const row of present) if (!made.has(row)) attach(row);
  };
  attachAll();
  const watch = new MutationObserver(attachAll);
  watch.observe(grid.firstElementChild!, { childList: true });

  const stop = monitorForElements({
    canMonitor: ({ source }) => source.data.type === "lines",
    onDrag: ({ location }) => {
      const over = location.current.dropTargets[0]?.data as DropMark | undefined;
      mark.value = over?.key && placeOf(editor, over) ? { key: over.key, edge: over.edge } : null;
    },
    onDrop: ({ location }) => {
      mark.value = null;
      const over = location.current.dropTargets[0]?.data as DropMark | undefined;
      const place = over?.key ? placeOf(editor, over) : null;
      if (place) editor.moveTo(place);
    },
  });
  return () => {
    watch.disconnect();
    stop();
    for (const undo of made.values()) undo();
  };
}

/** Where lines would go that are dropped here; null inside themselves. */
export function placeOf(editor: Editor, { key, edge }: DropMark): Place | null {
  const moving = editor.selection.peek().lines;
  const row = editor.rows.peek().find((one) => one.key === key);
  if (!row) return null;
  let place: Place;
  if (row.type === "line") {
    const entry = editor.tree.entries.get(key)!;
    const slot = edge === "inside" ? slotsOf(row.line, editor.kinds)[0] : undefined;
    place = slot
      ? { owner: key, slot: slot.name, at: 0 }
      : { ...entry.place, at: entry.place.at + (edge === "bottom" ? 1 : 0) };
  } else {
    place = row.type === "slot"
      ? { ...row.block, at: 0 }
      : editor.placeAfter(row.type === "add" ? key : "end");
  }
  const tree = editor.tree;
  return place.owner !== null && [...moving].some((id) => isWithin(tree, place.owner!, id)) ? null : place;
}
