/** The stack: a treegrid of which only the rows in view exist. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { T } from "../../words.ts";
import { NARROW, offsetsOf, RESPONSE, WIDE, windowOf } from "../model/rows.ts";
import { lastRun } from "../panel.ts";
import type { Editor } from "../store.ts";
import type { DropMark } from "./drag.ts";
import { onCopy, onCut, onPaste, rowKeys } from "./keys.ts";
import { linesUnder, RowView } from "./row.tsx";

const AROUND = 12;

export function Rows({ editor, narrow }: { editor: Editor; narrow: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal<[number, number]>([0, 900]);
  const hover = useSignal("");
  const mark = useSignal<DropMark | null>(null);
  const rows = editor.rows.value;
  const problems = editor.problemsByLine.value;
  const run = lastRun.value;
  const { focus, lines } = editor.selection.value;
  const expressions = editor.expressions.known.value;
  const problemOf = (key: string) => {
    const found = problems.get(key);
    return found?.find((one) => one.level === "error") ?? found?.[0] ?? null;
  };
  const offsets = useMemo(
    () =>
      offsetsOf(
        rows,
        (row) => linesUnder(row, problemOf(row.key), run?.lines[row.key] ?? null),
        narrow ? NARROW : WIDE,
      ),
    [rows, problems, run, narrow],
  );
  const [first, last] = windowOf(offsets, view.value[0], view.value[1], AROUND);
  const focusAt = rows.findIndex((row) => row.key === focus);
  const shown = Array.from({ length: last - first }, (_, at) => first + at);
  // The focus must not vanish with its row when it is scrolled out of view.
  if (focusAt >= 0 && (focusAt < first || focusAt >= last)) shown.push(focusAt);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => {
      const next: [number, number] = [box.scrollTop, box.scrollTop + box.clientHeight];
      // A new window only when rows near its edge come into view.
      if (Math.abs(next[0] - view.peek()[0]) > 160 || next[1] - next[0] !== view.peek()[1] - view.peek()[0]) {
        view.value = next;
      }
    };
    look();
    box.addEventListener("scroll", look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      watch.disconnect();
    };
  }, []);

  const reveal = editor.reveal.value;
  useLayoutEffect(() => {
    const box = scroller.current;
    const at = reveal ? rows.findIndex((row) => row.key === reveal.key) : -1;
    if (!box || !reveal || at < 0) return;
    const top = offsets[at]!;
    const bottom = offsets[at + 1]!;
    if (top < box.scrollTop + 8) box.scrollTop = Math.max(0, top - 40);
    else if (bottom > box.scrollTop + box.clientHeight - 8) box.scrollTop = bottom - box.clientHeight + 40;
    if (reveal.focus) {
      box.querySelector<HTMLElement>(`[data-row="${CSS.escape(reveal.key)}"]`)?.focus({
        preventScroll: true,
      });
    }
    editor.reveal.value = null;
  });

  // Dragging comes after the rows: nobody drags in the first moment.
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    void import("./drag.ts").then(({ dragging }) => {
      if (scroller.current && !gone) stop = dragging(editor, scroller.current, mark);
    });
    return () => {
      gone = true;
      stop?.();
    };
  }, []);

  const total = run ? run.milliseconds : 0;
  return (
    <div
      class="rows"
      ref={scroller}
      role="treegrid"
      aria-label={T("Steps of this stack")}
      aria-rowcount={rows.length}
      aria-multiselectable="true"
      onKeyDown={(event) => rowKeys(editor, event)}
      onCopy={(event) => onCopy(editor, event)}
      onCut={(event) => onCut(editor, event)}
      onPaste={(event) => onPaste(editor, event)}
      onMouseOver={(event) => {
        const key = (event.target as Element).closest<HTMLElement>("[data-row]")?.dataset.row ?? "";
        if (key !== hover.peek()) hover.value = key;
      }}
      onMouseLeave={() => (hover.value = "")}
      onClick={(event) => pressed(editor, event)}
      onFocusIn={(event) => {
        const key = (event.target as Element).closest<HTMLElement>("[data-row]")?.dataset.row;
        if (key && key !== editor.selection.peek().focus) editor.pick(key, { focus: false });
      }}
    >
      <div role="rowgroup" class="all" style={{ height: `${offsets[rows.length]}px` }}>
        {shown.map((at) => {
          const row = rows[at]!;
          return (
            <RowView
              key={row.key}
              editor={editor}
              row={row}
              index={at + 1}
              top={offsets[at]!}
              height={offsets[at + 1]! - offsets[at]!}
              focused={row.key === focus}
              chosen={lines.has(row.key) || (row.key === focus && row.type === "response")}
              active={row.key === focus || row.key === hover.value}
              problem={problemOf(row.key)}
              run={run?.lines[row.key] ?? null}
              runTotal={total}
              stale={editor.isRunStale.value}
              expressions={expressions}
              response={row.key === RESPONSE ? editor.doc.value.response : null}
              edge={mark.value?.key === row.key ? mark.value.edge : null}
            />
          );
        })}
      </div>
    </div>
  );
}

function pressed(editor: Editor, event: MouseEvent): void {
  const target = event.target as Element;
  if (target.closest("button, a, input")) return;
  const key = target.closest<HTMLElement>("[data-row]")?.dataset.row;
  if (!key) return;
  const range = event.shiftKey;
  const toggle = (event.ctrlKey || event.metaKey) && editor.tree.entries.has(key);
  editor.pick(key, { range, toggle });
  if (!range && !toggle) {
    editor.showForm();
    const row = editor.rows.peek().find((one) => one.key === key);
    if (row && row.type !== "add") editor.isPanelOpen.value = true;
  }
}
