/** One cell: what it shows, and its editor while it is edited. */
import { Icon } from "../icons/icon.tsx";
import { T } from "../words.ts";
import { CellEditor } from "./cell_editor.tsx";
import { type Column, type Place, type Row, shown } from "./model.ts";
import { type GridStore, NEW } from "./store.ts";

type Props = {
  store: GridStore;
  row: Row;
  column: Column;
  at: Place;
  focus: (at: Place) => void;
  done: (row: Row, column: Column, text: string | null | undefined, next: string) => void;
};

export function Cell({ store, row, column, at, focus, done }: Props) {
  const active = store.active.value;
  const isActive = active.row === at.row && active.column === at.column;
  const editing = isActive ? store.editing.value : null;
  const unsaved = store.unsavedAt(row, column);
  const problem = unsaved?.problem ?? "";
  const identifier = problem ? `fault-${at.row}-${at.column}` : undefined;
  const classes = [
    column.isNumber && "number",
    editing && "editing",
    problem && "wrong",
    unsaved && !problem && "saving",
  ].filter(Boolean).join(" ");
  return (
    <td
      data-place={`${at.row}-${at.column}`}
      data-field={column.name}
      class={classes || undefined}
      tabIndex={isActive && !editing ? 0 : -1}
      aria-readonly={column.isFixed || undefined}
      aria-invalid={problem ? true : undefined}
      aria-describedby={identifier}
      onFocus={(event) => {
        if (event.target === event.currentTarget && !isActive) store.active.value = at;
      }}
      onDblClick={() => {
        if (!column.isFixed && !editing) {
          store.active.value = at;
          store.editing.value = { text: null, isWhole: false };
        }
      }}
    >
      {editing
        ? (
          <CellEditor
            store={store}
            row={row}
            column={column}
            begin={editing}
            done={(text, next) => {
              done(row, column, text, next);
              if (next === "stay") focus(at);
            }}
          />
        )
        : <Shown store={store} row={row} column={column} />}
      {problem && <span class="fault" id={identifier}>{problem}</span>}
    </td>
  );
}

function Shown({ store, row, column }: { store: GridStore; row: Row; column: Column }) {
  if (column.editor === "password") {
    const typed = store.textOf(row, column);
    return (
      <span class="quiet">
        {typed ? "•".repeat(Math.min(typed.length, 12)) : row.id === NEW ? "" : "••••••"}
      </span>
    );
  }
  const text = store.textOf(row, column);
  if (text === null) {
    return row.id === NEW
      ? <span class="quiet hint">{column.isFixed ? "" : column.hint}</span>
      : <span class="quiet null">–</span>;
  }
  if (column.name === "id" && column.isFixed) {
    return <a tabIndex={-1} href={store.props.record.replace("/0/", `/${row.id}/`)}>{text}</a>;
  }
  if (column.editor === "reference") {
    const label = store.labels.value[column.name]?.[text];
    const target = store.props.targets[column.name];
    return (
      <>
        <span class="tag">{label ? `${label} · ${text}` : text}</span>
        {target && (
          <a
            class="follow"
            tabIndex={-1}
            href={target.replace("/0/", `/${text}/`)}
            aria-label={T("Open record {id}", { id: text })}
          >
            <Icon name="open" />
          </a>
        )}
      </>
    );
  }
  if (column.type === "bool") {
    return <span class={`yes-no ${text}`}>{text === "true" ? T("yes") : T("no")}</span>;
  }
  if (column.type === "enum") return <span class="tag">{text}</span>;
  const line = shown(column, text);
  return <span title={line.length > 40 ? line : undefined}>{line}</span>;
}
