/** The editors of cells. Each gives its text when it is left, and keeps to the keys of a sheet. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { get } from "../requests.ts";
import { T } from "../words.ts";
import { type Column, fromEdit, type Row, toEdit } from "./model.ts";
import { type GridStore, inWords } from "./store.ts";

type Done = (text: string | null | undefined, next: string) => void;
type Props = {
  store: GridStore;
  row: Row;
  column: Column;
  begin: { text: string | null; isWhole: boolean };
  done: Done;
};
const LARGE = new Set(["code", "file"]);

/** Waits for the whole text of a long cell, then edits it. */
export function CellEditor(props: Props) {
  const { store, row, column, begin } = props;
  const [text, setText] = useState<string | null>(
    begin.text ?? (row.cut.includes(column.name) ? null : start(props)),
  );
  useEffect(() => {
    if (text !== null) return;
    store.whole(row, column).then(
      (whole) => setText(toEdit(column, whole)),
      (error) => {
        store.problem.value = inWords(error);
        props.done(undefined, "stay");
      },
    );
  }, []);
  if (text === null) return <span class="quiet">{T("Loading …")}</span>;
  if (column.editor === "choice") return <Choice {...props} text={text} />;
  if (column.editor === "reference") return <Reference {...props} text={text} />;
  if (LARGE.has(column.editor)) return <Large {...props} text={text} />;
  return <Line {...props} text={text} />;
}

function start({ store, row, column }: Props): string {
  return column.editor === "password" ? "" : toEdit(column, store.textOf(row, column));
}

type WithText = Props & { text: string };

/** Enter, Tab and Escape as in a sheet; true when the key was one of them. */
function leaves(event: KeyboardEvent, finish: (next: string) => void, cancel: () => void): boolean {
  if (event.isComposing) return false;
  if (event.key === "Enter" && !event.altKey) finish(event.shiftKey ? "up" : "down");
  else if (event.key === "Tab") finish(event.shiftKey ? "before" : "next");
  else if (event.key === "Escape") cancel();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** Runs once, however the editor is left: by a key, and then by losing the focus. */
function once(done: Done): Done {
  const isDone = useRef(false);
  return (text, next) => {
    if (isDone.current) return;
    isDone.current = true;
    done(text, next);
  };
}

function Line({ column, text, begin, done }: WithText) {
  const place = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const leave = once(done);
  // Its last text: leaving by a key takes the editor away, and that is when it loses the focus.
  const typed = useRef(text);
  // Before the next key: a fast typist has typed the second letter by the time the page is painted.
  useLayoutEffect(() => {
    place.current!.focus();
    const end = place.current!.value.length;
    place.current!.setSelectionRange(begin.isWhole ? end : 0, end);
  }, []);
  // A password that is left empty stays what it is.
  const taken = () => {
    typed.current = place.current?.value ?? typed.current;
    return column.editor === "password" && !typed.current ? undefined : fromEdit(column, typed.current);
  };
  const common = {
    ref: place,
    "aria-label": column.name,
    defaultValue: text,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && event.altKey && column.editor === "text") {
        place.current!.setRangeText(
          "\n",
          place.current!.selectionStart!,
          place.current!.selectionEnd!,
          "end",
        );
        event.preventDefault();
        return;
      }
      leaves(event, (next) => leave(taken(), next), () => leave(undefined, "stay"));
    },
    onBlur: () => leave(taken(), "none"),
  };
  if (column.editor === "text") {
    return (
      <textarea {...common} rows={Math.min(8, text.split("\n").length + Math.floor(text.length / 60))} />
    );
  }
  return (
    <input
      {...common}
      type={column.editor === "password" ? "password" : "text"}
      autocomplete={column.editor === "password" ? "new-password" : "off"}
      inputMode={column.editor === "number" ? "decimal" : undefined}
      placeholder={PLACEHOLDERS[column.editor]}
    />
  );
}

const PLACEHOLDERS: Record<string, string> = {
  date: "2026-01-23",
  moment: "2026-01-23T10:00:00 (UTC)",
  place: "52.52, 13.4",
};

function Choice({ column, text, done }: WithText) {
  const place = useRef<HTMLSelectElement>(null);
  const leave = once(done);
  useLayoutEffect(() => place.current!.focus(), []);
  const value = () => place.current?.value || null;
  const isKnown = !text || column.choices.includes(text);
  return (
    <select
      ref={place}
      aria-label={column.name}
      onKeyDown={(event) => leaves(event, (next) => leave(value(), next), () => leave(undefined, "stay"))}
      onBlur={() => leave(value(), "none")}
    >
      <option value="" selected={!text}>–</option>
      {column.choices.map((one) => <option key={one} value={one} selected={one === text}>{one}</option>)}
      {!isKnown && <option value={text} selected>{text}</option>}
    </select>
  );
}

/** Lists, objects and files: JSON in a small window over the cell. */
function Large({ column, text, done }: WithText) {
  const place = useRef<HTMLTextAreaElement>(null);
  const [problem, setProblem] = useState("");
  const leave = once(done);
  useLayoutEffect(() => place.current!.focus(), []);
  const save = () => {
    const typed = place.current!.value;
    try {
      if (typed.trim()) JSON.parse(typed);
      leave(fromEdit(column, typed.trim()), "stay");
    } catch (error) {
      setProblem(T("This is not JSON: {message}", { message: (error as Error).message }));
    }
  };
  return (
    <div class="cell-window" role="dialog" aria-label={column.name}>
      <textarea
        ref={place}
        class="code"
        rows={Math.max(4, Math.min(16, text.split("\n").length + 1))}
        spellcheck={false}
        aria-label={T("{field} as JSON", { field: column.name })}
        defaultValue={text}
        aria-invalid={problem ? true : undefined}
        onKeyDown={(event) => {
          if (event.key === "Escape") leave(undefined, "stay");
          else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      {problem && <p class="fault" role="alert">{problem}</p>}
      <p class="buttons">
        <button type="button" class="button default" onClick={save}>{T("Save (Ctrl Enter)")}</button>
        <button type="button" class="button" onClick={() => leave(undefined, "stay")}>{T("Cancel")}</button>
      </p>
    </div>
  );
}

type Target = { id: number; label: string };

/** A look-up: the records of the other table whose label holds what is typed. */
function Reference({ store, column, text, begin, done }: WithText) {
  const place = useRef<HTMLInputElement>(null);
  const [found, setFound] = useState<Target[]>([]);
  const [at, setAt] = useState(-1);
  const [typed, setTyped] = useState(begin.isWhole ? text : "");
  const leave = once(done);
  useLayoutEffect(() => {
    place.current!.focus();
    place.current!.setSelectionRange(typed.length, typed.length);
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    const asked = new URLSearchParams({ field: column.name, q: typed });
    const timer = setTimeout(() => {
      get<{ targets: Target[] }>(`${store.props.urls.targets}?${asked}`, stop.signal).then(
        ({ targets }) => {
          setFound(targets);
          setAt(typed && targets.length ? 0 : -1);
        },
        (error) => {
          if (!stop.signal.aborted) store.problem.value = inWords(error);
        },
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [typed]);
  const pick = (target: Target, next: string) => {
    store.learn(column.name, String(target.id), target.label);
    leave(String(target.id), next);
  };
  const finish = (next: string) => {
    const chosen = found[at];
    if (chosen) pick(chosen, next);
    else if (/^\d+$/.test(typed.trim())) leave(typed.trim(), next);
    else leave(undefined, typed.trim() ? "stay" : next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt(Math.max(-1, Math.min(found.length - 1, at + step)));
      event.preventDefault();
      event.stopPropagation();
    } else leaves(event, finish, () => leave(undefined, "stay"));
  };
  return (
    <div class="cell-window look-up">
      <input
        ref={place}
        role="combobox"
        aria-label={T("Find a record for {field}", { field: column.name })}
        aria-expanded={found.length > 0}
        aria-controls="look-up-found"
        aria-autocomplete="list"
        aria-activedescendant={found[at] ? `look-up-${found[at].id}` : undefined}
        placeholder={text ? T("Now {id}; type to find another", { id: text }) : T("Type to find a record")}
        defaultValue={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={() => leave(undefined, "none")}
      />
      <ul id="look-up-found" role="listbox" aria-label={T("Records found")}>
        {found.map((target, index) => (
          <li
            key={target.id}
            id={`look-up-${target.id}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => {
              event.preventDefault();
              pick(target, "stay");
            }}
          >
            {target.label || T("Record {id}", { id: target.id })} <span class="quiet">{target.id}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
