/** One row of the stack. Drawn again only when something it shows has changed. */
import { Icon } from "../../icons/icon.tsx";
import { duration, number } from "../../numbers.ts";
import { T, TN } from "../../words.ts";
import { expressionOf } from "../model/document.ts";
import type { AddRow, LineRow, Row, SlotRow } from "../model/rows.ts";
import { branchSentence, type Expression, sentenceOf, valuePieces } from "../model/sentences.ts";
import { shortValue } from "../model/scope.ts";
import type { LineRun } from "../panel.ts";
import type { Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { IconButton, KindTile, Tile } from "./icons.tsx";
import { memo } from "./memo.ts";
import { Pieces } from "./pieces.tsx";

export const INDENT = 26;

export type RowProps = {
  editor: Editor;
  row: Row;
  /** From 1, of all rows. */
  index: number;
  top: number;
  height: number;
  focused: boolean;
  chosen: boolean;
  /** Its actions are shown: it has the focus or the mouse. */
  active: boolean;
  problem: Problem | null;
  run: LineRun | null;
  runTotal: number;
  stale: boolean;
  expressions: ReadonlyMap<string, Expression>;
  response: unknown;
  edge: "top" | "bottom" | "inside" | null;
};

export const RowView = memo(function RowView(props: RowProps) {
  const { row, index, focused, chosen, top, height, edge } = props;
  const isOff = row.type === "line" && row.line.disabled;
  const failed = row.type === "line" && props.run?.failed;
  const classes = [
    "row",
    row.type,
    focused ? "focused" : "",
    chosen ? "chosen" : "",
    isOff ? "off" : "",
    props.problem?.level === "error" ? "wrong" : "",
    failed ? "failed" : "",
    edge ? `edge-${edge}` : "",
  ];
  return (
    <div
      role="row"
      class={classes.filter(Boolean).join(" ")}
      data-row={row.key}
      aria-rowindex={index}
      aria-level={row.depth + 1}
      aria-selected={row.type === "line" ? chosen : undefined}
      aria-expanded={row.type === "line" && row.hasSlots ? !row.folded : undefined}
      tabIndex={focused ? 0 : -1}
      style={{ top: `${top}px`, height: `${height}px` }}
    >
      {row.depth > 0 && <span class="guides" style={{ width: `${row.depth * INDENT}px` }} />}
      {row.type === "line" && <LineCells {...props} row={row} />}
      {row.type === "slot" && <SlotCells {...props} row={row} />}
      {row.type === "add" && <AddCells {...props} row={row} />}
      {row.type === "response" && <ResponseCells {...props} />}
    </div>
  );
});

function indent(depth: number) {
  return { paddingInlineStart: `${depth * INDENT}px` };
}

function LineCells(
  { editor, row, active, problem, run, runTotal, stale, expressions }: RowProps & { row: LineRow },
) {
  const kind = editor.kinds[row.line.step];
  const goesOn = row.line.as;
  return (
    <>
      <div role="gridcell" class="lead" style={indent(row.depth)}>
        <span class="handle" data-handle={row.key} aria-hidden="true">
          <Icon name="grip" />
        </span>
        <span class="number">{row.number}</span>
        {row.hasSlots
          ? (
            <button
              type="button"
              class="fold"
              tabIndex={-1}
              aria-label={row.folded ? T("Unfold") : T("Fold")}
              onClick={() => editor.fold(row.key, !row.folded)}
            >
              <Icon name={row.folded ? "chevron-right" : "chevron-down"} size={14} />
            </button>
          )
          : <span class="fold" />}
        <KindTile kind={kind} />
      </div>
      <div role="gridcell" class="says">
        <span class="sentence">
          <span class="words">
            <Pieces pieces={sentenceOf(row.line, editor.kinds, expressions)} />
          </span>
          {goesOn && (
            <span class="result">
              → <span class="piece is-new">{goesOn}</span>
            </span>
          )}
          {row.folded && row.inside > 0 && (
            <span class="tag">{TN("{count} step inside", "{count} steps inside", row.inside)}</span>
          )}
          {row.line.disabled && <span class="tag">{T("off")}</span>}
        </span>
        {row.line.note && <span class="under note">{row.line.note}</span>}
        <Under problem={problem} run={run} />
      </div>
      <div role="gridcell" class="ran">
        {run && <Ran run={run} total={runTotal} stale={stale} />}
        {active && <Actions editor={editor} row={row} />}
      </div>
    </>
  );
}

function Under({ problem, run }: { problem: Problem | null; run: LineRun | null }) {
  if (problem) {
    return (
      <span class={`under ${problem.level}`}>
        <Icon name={problem.level === "error" ? "error" : "warning"} size={14} />
        {problem.message}
      </span>
    );
  }
  if (run?.failed && run.message) {
    return (
      <span class="under error">
        <Icon name="error" size={14} />
        {run.message}
      </span>
    );
  }
  return null;
}

/** How many lines stand under the sentence: the list of rows must know before it draws. */
export function linesUnder(row: Row, problem: Problem | null, run: LineRun | null): number {
  const says = problem || (run?.failed && run.message) ? 1 : 0;
  return says + (row.type === "line" && row.line.note ? 1 : 0);
}

function Ran({ run, total, stale }: { run: LineRun; total: number; stale: boolean }) {
  const share = total > 0 ? Math.min(1, run.milliseconds / total) : 0;
  const slow = share > 0.5 && run.milliseconds > 20;
  return (
    <span class={`run ${stale ? "stale" : ""} ${run.failed ? "bad" : ""}`}>
      {run.branch && <span class="tag">{run.branch}</span>}
      <span class="value">{run.entered > 1 ? `×${number(run.entered)}` : preview(run.value)}</span>
      <span class={`bar ${slow ? "slow" : ""}`}>
        <span style={{ width: `${Math.max(3, share * 100)}%` }} />
      </span>
      <span class="time">{duration(run.milliseconds)}</span>
    </span>
  );
}

function preview(text: string | undefined): string {
  if (text === undefined || text === "null") return "";
  try {
    return shortValue(JSON.parse(text));
  } catch {
    return text.slice(0, 28);
  }
}

function Actions({ editor, row }: { editor: Editor; row: LineRow }) {
  return (
    <span class="actions">
      <IconButton
        icon="plus"
        label={T("Add a step below")}
        keys="/"
        onClick={(event) =>
          editor.menu.value = {
            type: "insert",
            place: editor.placeAfter(row.key),
            anchor: rectOf(event),
          }}
      />
      <IconButton
        icon="copy"
        label={T("Duplicate")}
        keys="Ctrl D"
        onClick={() => {
          editor.pick(row.key);
          editor.duplicate();
        }}
      />
      <IconButton icon="trash" label={T("Delete")} keys="Del" onClick={() => editor.remove([row.key])} />
      <IconButton
        icon="more"
        label={T("More for step {number}", { number: row.number })}
        onClick={(event) => {
          if (!editor.selection.value.lines.has(row.key)) editor.pick(row.key, { focus: false });
          editor.menu.value = { type: "row", anchor: rectOf(event) };
        }}
      />
    </span>
  );
}

function rectOf(event: MouseEvent): DOMRect {
  return (event.currentTarget as HTMLElement).getBoundingClientRect();
}

function SlotCells({ editor, row, expressions, active }: RowProps & { row: SlotRow }) {
  const kind = editor.kinds[row.owner.step]!;
  const { slot } = row;
  const branches = row.owner.params?.[slot.parameter.name];
  const branch = slot.branch === undefined || !Array.isArray(branches) ? null : branches[slot.branch]!;
  return (
    <>
      <div role="gridcell" class="lead head" style={indent(row.depth)}>
        <span class="slot-name">
          {branch === null
            ? slot.parameter.label
            : <Pieces pieces={branchSentence(kind, slot.parameter, branch, expressions)} />}
        </span>
        <IconButton
          icon="plus"
          label={T("Add a step to {block}", { block: slot.parameter.label })}
          size={14}
          onClick={(event) =>
            editor.menu.value = {
              type: "insert",
              place: { ...row.block, at: 0 },
              anchor: rectOf(event),
            }}
        />
        {branch !== null && active && (
          <IconButton
            icon="trash"
            label={T("Remove this branch")}
            size={14}
            onClick={() =>
              editor.setParam(
                row.owner.id,
                [slot.parameter.name, slot.branch!],
                undefined,
                slot.parameter.label,
              )}
          />
        )}
      </div>
    </>
  );
}

function AddCells({ editor, row }: RowProps & { row: AddRow }) {
  const isEnd = row.block.owner === null;
  return (
    <div role="gridcell" class="lead" style={indent(row.depth)}>
      <button
        type="button"
        class={`add-step ${isEnd ? "" : "in-block"}`}
        tabIndex={-1}
        onClick={(event) => {
          editor.pick(row.key, { focus: false });
          editor.menu.value = { type: "insert", place: editor.placeAfter(row.key), anchor: rectOf(event) };
        }}
      >
        <Icon name="plus" size={14} />
        {T("Add a step")}
        {isEnd && <kbd>/</kbd>}
      </button>
    </div>
  );
}

function ResponseCells({ response, expressions, problem, run }: RowProps) {
  const isNothing = response === null || response === undefined;
  return (
    <>
      <div role="gridcell" class="lead">
        <span class="handle" />
        <span class="number" />
        <span class="fold" />
        <Tile icon="send" colour="finish" />
      </div>
      <div role="gridcell" class="says">
        <span class="sentence">
          <span class="words">
            {T("Respond with")} {isNothing
              ? <span class="piece is-literal">{T("nothing")}</span>
              : expressionOf(response) === null && typeof response === "object" && !Array.isArray(response)
              ? <MapPieces value={response as Record<string, unknown>} expressions={expressions} />
              : <Pieces pieces={valuePieces(response, expressions)} />}
          </span>
        </span>
        <Under problem={problem} run={run} />
      </div>
    </>
  );
}

/** A response of named values: each name with its value, as far as there is room. */
function MapPieces(
  { value, expressions }: { value: Record<string, unknown>; expressions: RowProps["expressions"] },
) {
  return (
    <>
      {Object.entries(value).slice(0, 8).map(([name, part], at) => (
        <span key={name}>
          {at ? ", " : ""}
          <strong class="piece is-strong">{name}</strong> <Pieces pieces={valuePieces(part, expressions)} />
        </span>
      ))}
    </>
  );
}
