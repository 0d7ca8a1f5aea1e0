/** The sheet: its head, its rows, what stands above and below them, and its keys. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Icon } from "../icons/icon.tsx";
import { number } from "../numbers.ts";
import { T, TN } from "../words.ts";
import { Cell } from "./cell.tsx";
import { Filters } from "./filters.tsx";
import { beside, type Column, moved, type Place, type Row, sheetRows } from "./model.ts";
import { GridStore, NEW, type Props } from "./store.ts";
import { Toolbar } from "./toolbar.tsx";

const STEP: Record<string, { row: number; column: number }> = {
  down: { row: 1, column: 0 },
  up: { row: -1, column: 0 },
};

export function Grid(props: Props) {
  const store = useMemo(() => new GridStore(props), []);
  const place = useRef<HTMLTableElement>(null);
  useEffect(() => {
    void store.load();
    const warn = (event: BeforeUnloadEvent) => {
      if (store.unsaved.value.size || store.draft.value) event.preventDefault();
    };
    const online = () => store.tryAgain();
    addEventListener("beforeunload", warn);
    addEventListener("online", online);
    return () => {
      removeEventListener("beforeunload", warn);
      removeEventListener("online", online);
    };
  }, []);

  const focus = (at: Place) => {
    store.active.value = at;
    // When the page has followed, and before the next key.
    queueMicrotask(() =>
      place.current?.querySelector<HTMLElement>(`[data-place="${at.row}-${at.column}"]`)?.focus()
    );
  };
  const go = (to: Place | null) => {
    if (!to) return;
    focus(to);
    if (to.row >= store.lines.value.length - 5) void store.more();
  };

  /** An editor is done: `next` says where the person goes from there. */
  const done = (row: Row, column: Column, text: string | null | undefined, next: string) => {
    store.editing.value = null;
    if (text !== undefined) store.write(row, column, text);
    const at = store.active.value;
    const rows = store.lines.value.length, columns = props.columns.length;
    if (next === "next" || next === "before") {
      return go(beside(at, next === "next" ? 1 : -1, rows, columns) ?? at);
    }
    const step = row.id === NEW ? undefined : STEP[next];
    if (next !== "stay") {
      focus({
        row: Math.max(0, Math.min(rows - 1, at.row + (step?.row ?? 0))),
        column: row.id === NEW && next === "down" ? Math.min(columns - 1, at.column + 1) : at.column,
      });
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (store.editing.value || (event.target as HTMLElement).closest("[data-place]") !== event.target) return;
    const at = store.active.value, row = store.lines.value[at.row], column = props.columns[at.column];
    if (!row || !column) return;
    const used = keyed(event, store, at, row, column, go);
    if (used) event.preventDefault();
  };

  const onPaste = (event: ClipboardEvent) => {
    if (store.editing.value || !props.canWrite) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const sheet = sheetRows(text);
    const at = store.active.value, row = store.lines.value[at.row], column = props.columns[at.column];
    if (!sheet.length) return;
    event.preventDefault();
    if (sheet.length > 1 || sheet[0]!.length > 1) void store.paste(text);
    else if (row && column && !column.isFixed) store.editing.value = { text: sheet[0]![0]!, isWhole: true };
  };
  const onCopy = (event: ClipboardEvent) => {
    const at = store.active.value, row = store.lines.value[at.row], column = props.columns[at.column];
    if (store.editing.value || !row || !column || String(getSelection())) return;
    event.clipboardData?.setData("text/plain", store.textOf(row, column) ?? "");
    event.preventDefault();
  };

  return (
    <div class="grid-frame">
      <Filters store={store} />
      <Toolbar store={store} focus={focus} />
      {store.problem.value && <p class="errornote" role="alert">{store.problem.value}</p>}
      <div class="scroll grid-scroll" onScroll={(event) => nearEnd(event.currentTarget) && void store.more()}>
        <table
          ref={place}
          class="grid"
          role="grid"
          aria-label={T("Records of {table}", { table: props.table })}
          aria-rowcount={-1}
          aria-busy={store.isLoading.value}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          onCopy={onCopy}
        >
          <Head store={store} />
          <tbody>
            {store.lines.value.map((row, index) => (
              <Line key={row.id} store={store} row={row} index={index} focus={focus} done={done} />
            ))}
          </tbody>
        </table>
      </div>
      <Foot store={store} />
    </div>
  );
}

function nearEnd(place: HTMLElement): boolean {
  return place.scrollTop + place.clientHeight > place.scrollHeight - 400;
}

/** What a key does on a cell that is not being edited; false leaves it to the browser. */
function keyed(
  event: KeyboardEvent,
  store: GridStore,
  at: Place,
  row: Row,
  column: Column,
  go: (to: Place | null) => void,
): boolean {
  const control = event.ctrlKey || event.metaKey;
  const rows = store.lines.value.length, columns = store.props.columns.length;
  const to = event.altKey ? null : moved(at, event.key, control, rows, columns);
  const held = store.unsavedAt(row, column);
  if (to) go(to);
  else if (control && event.key === "Enter" && row.id === NEW) void store.add();
  else if (event.key === "Tab") {
    // Out of the grid at the end of a row, so that nobody is caught in it.
    const next = at.column + (event.shiftKey ? -1 : 1);
    if (next < 0 || next >= columns) return false;
    go({ row: at.row, column: next });
  } else if (event.key === "Escape") {
    if (!held) return false;
    store.giveUp(row, column);
  } else if (event.key === " " && event.shiftKey && row.id !== NEW) {
    store.choose(row.id, !store.chosen.value.has(row.id));
  } else if (column.isFixed) return false;
  else if (event.key === "Enter" && held?.isConflict) store.write(row, column, held.text);
  else if (event.key === "Enter" || event.key === "F2") store.editing.value = { text: null, isWhole: false };
  else if (event.key === "Delete" || event.key === "Backspace") store.write(row, column, null);
  else if (event.key.length === 1 && !control && !event.altKey) {
    store.editing.value = { text: column.editor === "choice" ? null : event.key, isWhole: true };
  } else return false;
  return true;
}

function Head({ store }: { store: GridStore }) {
  const all = store.rows.value.length > 0 && store.chosen.value.size === store.rows.value.length;
  return (
    <thead>
      <tr>
        <th scope="col" class="mark">
          <input
            type="checkbox"
            aria-label={T("Select all rows shown")}
            checked={all}
            onChange={(event) => store.chooseAll(event.currentTarget.checked)}
          />
        </th>
        {store.props.columns.map((column) => <HeadCell key={column.name} store={store} column={column} />)}
      </tr>
    </thead>
  );
}

function HeadCell({ store, column }: { store: GridStore; column: Column }) {
  const sort = store.sort.value;
  const how = sort === column.name ? "ascending" : sort === `-${column.name}` ? "descending" : undefined;
  const name = (
    <>
      <span class="name">{column.name}</span>
      {column.isRequired && <span class="needed" aria-label={T("required")}>*</span>}
    </>
  );
  const turn = () => {
    store.sort.value = how === "ascending" ? `-${column.name}` : column.name;
    void store.load();
  };
  return (
    <th
      scope="col"
      aria-sort={how}
      class={column.isNumber ? "number" : undefined}
      title={column.hint || column.type}
    >
      {column.canSort
        ? (
          <button type="button" onClick={turn}>
            {name}
            {how && <Icon name={how === "ascending" ? "arrow-up" : "arrow-down"} />}
          </button>
        )
        : name}
      <span class="type">{column.type}</span>
    </th>
  );
}

type LineProps = {
  store: GridStore;
  row: Row;
  index: number;
  focus: (at: Place) => void;
  done: (row: Row, column: Column, text: string | null | undefined, next: string) => void;
};

function Line({ store, row, index, focus, done }: LineProps) {
  const isChosen = store.chosen.value.has(row.id);
  return (
    <tr data-record={row.id} class={row.id === NEW ? "draft" : isChosen ? "chosen" : undefined}>
      <td class="mark">
        {row.id === NEW
          ? (
            <span class="draft-marks">
              <button
                type="button"
                class="plain"
                title={T("Save record (Ctrl Enter)")}
                aria-label={T("Save record")}
                onClick={() => void store.add().then((isAdded) => isAdded && focus({ row: 0, column: 0 }))}
              >
                <Icon name="check" />
              </button>
              <button
                type="button"
                class="plain"
                title={T("Discard")}
                aria-label={T("Discard")}
                onClick={() => store.discard()}
              >
                <Icon name="close" />
              </button>
            </span>
          )
          : (
            <input
              type="checkbox"
              tabIndex={-1}
              aria-label={T("Select record {id}", { id: row.id })}
              checked={isChosen}
              onChange={(event) => store.choose(row.id, event.currentTarget.checked)}
            />
          )}
      </td>
      {store.props.columns.map((column, place) => (
        <Cell
          key={column.name}
          store={store}
          row={row}
          column={column}
          at={{ row: index, column: place }}
          focus={focus}
          done={done}
        />
      ))}
    </tr>
  );
}

function Foot({ store }: { store: GridStore }) {
  const shown = store.rows.value.length, total = store.total.value;
  const isFiltered = store.filters.value.length > 0;
  if (!shown && !store.draft.value && !store.isLoading.value && !store.problem.value) {
    return (
      <div class="empty">
        <p>{isFiltered ? T("No record matches.") : T("No record yet.")}</p>
        {!isFiltered && store.props.canWrite && (
          <p class="quiet">{T("Add the first one, or copy rows of a sheet and paste them here (Ctrl V).")}</p>
        )}
      </div>
    );
  }
  return (
    <p class="grid-foot">
      <span>
        {total
          ? T("{shown} of {total}", {
            shown: number(shown),
            total: number(total.count) + (total.isCapped ? "+" : ""),
          })
          : TN("{count} record", "{count} records", shown)}
      </span>
      {store.next.value !== null && (
        <button type="button" class="button" onClick={() => void store.more()}>{T("Show more")}</button>
      )}
      {store.props.canWrite && (
        <span class="quiet keys">
          {T(
            "Enter edits, Escape undoes, Tab goes on, Delete empties, Shift Space selects, Ctrl V pastes a sheet.",
          )}
        </span>
      )}
    </p>
  );
}
