/** Filters as chips behind a pill: add one that fits, change its arguments, take it away. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../requests.ts";
import { T } from "../../words.ts";
import { signal } from "@preact/signals";
import type { FilterKind, Filters } from "../answers.ts";
import type { ValueType } from "../model/document.ts";
import { fits, typeWords } from "../model/scope.ts";
import { type Chain, shortened } from "../model/sentences.ts";
import type { Editor } from "../store.ts";
import { IconButton } from "./icons.tsx";
import { Popup } from "./popup.tsx";

const filters = signal<Filters | null>(null);
let asked = false;

/** The catalogue of filters, fetched when the first value with a variable is on screen; kept by the browser. */
function useFilters(): Filters | null {
  useEffect(() => {
    if (asked) return;
    asked = true;
    get<Filters>("/admin/editor/filters/").then((found) => (filters.value = found), () => (asked = false));
  }, []);
  return filters.value;
}

type FilterCall = Chain["filters"][number];
type Props = {
  editor: Editor;
  line: string | null;
  label: string;
  chain: Chain;
  onFilters: (filters: FilterCall[]) => void;
};

export function FilterChips({ editor, line, label, chain, onFilters }: Props) {
  const known = useFilters();
  const [open, setOpen] = useState<{ at: number | "new"; anchor: DOMRect } | null>(null);
  const given = typeAfter(editor, line, chain, known, chain.filters.length);
  const replace = (at: number, one: FilterCall | null) =>
    onFilters(chain.filters.flatMap((call, index) => (index === at ? (one ? [one] : []) : [call])));
  return (
    <>
      {chain.filters.map((call, at) => (
        <button
          type="button"
          class="chip"
          key={`${at}${call.name}`}
          title={known?.filters[call.name]?.help}
          aria-label={T("Filter {name}: change or take away", { name: call.name })}
          onClick={(event) => setOpen({ at, anchor: event.currentTarget.getBoundingClientRect() })}
        >
          {call.name}
          {call.arguments.length > 0 && (
            <span class="arguments">({shortened(call.arguments.join(", "), 24)})</span>
          )}
        </button>
      ))}
      <button
        type="button"
        class="add-filter"
        onClick={(event) => setOpen({ at: "new", anchor: event.currentTarget.getBoundingClientRect() })}
      >
        + {T("filter")}
        <span class="visually-hidden">{T("for {field}", { field: label })}</span>
      </button>
      {open?.at === "new" && (
        <FilterMenu
          known={known}
          given={given}
          anchor={open.anchor}
          onClose={() => setOpen(null)}
          onPick={(kind) => {
            const needs = kind.parameters.filter((one) => one.required);
            onFilters([...chain.filters, { name: kind.name, arguments: needs.map(startOf) }]);
            setOpen(needs.length ? { at: chain.filters.length, anchor: open.anchor } : null);
          }}
        />
      )}
      {open && open.at !== "new" && chain.filters[open.at] && (
        <ArgumentsForm
          key={open.at}
          call={chain.filters[open.at]!}
          kind={known?.filters[chain.filters[open.at]!.name]}
          anchor={open.anchor}
          onClose={() => setOpen(null)}
          onChange={(call) => replace(open.at as number, call)}
          onRemove={() => {
            replace(open.at as number, null);
            setOpen(null);
          }}
        />
      )}
    </>
  );
}

function startOf(parameter: FilterKind["parameters"][number]): string {
  if (parameter.is_lambda) return "o => o";
  return { text: '""', int: "0", float: "0", decimal: "0", bool: "true", list: "[]", object: "{}" }[
    parameter.type.name
  ] ?? "null";
}

/** The type that arrives at a place of the chain, as far as it is known. */
function typeAfter(
  editor: Editor,
  line: string | null,
  chain: Chain,
  known: Filters | null,
  count: number,
): ValueType | undefined {
  if (count > 0) return known?.filters[chain.filters[count - 1]!.name]?.gives;
  const [root, ...keys] = chain.base.split(".");
  let type: ValueType | undefined = editor.scopeAt(line).get(root ?? "")?.type;
  for (const key of keys) type = type?.fields?.[key];
  return type;
}

type MenuProps = {
  known: Filters | null;
  given: ValueType | undefined;
  anchor: DOMRect;
  onPick: (kind: FilterKind) => void;
  onClose: () => void;
};

function FilterMenu({ known, given, anchor, onPick, onClose }: MenuProps) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const wanted = query.toLowerCase().trim();
  const all = Object.values(known?.filters ?? {});
  const found = all
    .filter((kind) => wanted ? matches(kind, wanted) < 9 : fits(kind.takes, given))
    .sort((one, other) => (wanted ? matches(one, wanted) - matches(other, wanted) : 0));
  const titles = new Map(known?.families ?? []);
  useEffect(
    () => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    [at],
  );
  if (!wanted) found.sort((one, other) => one.family.localeCompare(other.family));
  const shown = found.slice(0, 120);
  return (
    <Popup anchor={anchor} onClose={onClose} width={380} class="insert-menu">
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="filter-list"
        aria-activedescendant={shown[at] ? `filter-${shown[at].name}` : undefined}
        aria-label={T("Find a filter")}
        placeholder={given && given.name !== "any"
          ? T("Find a filter for {type}", { type: typeWords(given) })
          : T("Find a filter")}
        autocomplete="off"
        ref={(field) => field?.focus()}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (event.key === "Enter" && shown[at]) onPick(shown[at]);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <div class="options" id="filter-list" role="listbox" aria-label={T("Filters")} ref={list}>
        {shown.flatMap((kind, index) => [
          ...(!wanted && kind.family !== shown[index - 1]?.family
            ? [
              <div class="group-head" role="presentation" key={`family ${kind.family}`}>
                {titles.get(kind.family)}
              </div>,
            ]
            : []),
          <div
            key={kind.name}
            role="option"
            id={`filter-${kind.name}`}
            aria-selected={index === at}
            class={`option ${fits(kind.takes, given) ? "" : "unfit"}`}
            onClick={() => onPick(kind)}
            onMouseMove={() => index !== at && setAt(index)}
          >
            <span class="option-words">
              <span class="option-label mono">{kind.name}</span>
              <span class="option-help">{kind.help}</span>
            </span>
          </div>,
        ])}
        {known && shown.length === 0 && <p class="none">{T("No filter is called that.")}</p>}
      </div>
    </Popup>
  );
}

function matches(kind: FilterKind, wanted: string): number {
  if (kind.name === wanted) return 0;
  if (kind.name.startsWith(wanted)) return 1;
  if (kind.name.includes(wanted.replaceAll(" ", "_"))) return 2;
  return kind.help.toLowerCase().includes(wanted) ? 3 : 9;
}

type FormProps = {
  call: FilterCall;
  kind: FilterKind | undefined;
  anchor: DOMRect;
  onChange: (call: FilterCall) => void;
  onRemove: () => void;
  onClose: () => void;
};

function ArgumentsForm({ call, kind, anchor, onChange, onRemove, onClose }: FormProps) {
  const [given, setGiven] = useState(call.arguments);
  const parameters: FilterKind["parameters"] = kind?.parameters ??
    call.arguments.map((_, at) => ({ name: `${at + 1}`, type: { name: "any" } }));
  const set = (at: number, text: string) => {
    const next = parameters.slice(0, Math.max(given.length, at + 1)).map((parameter, index) =>
      index === at ? text : given[index] ?? defaultText(parameter)
    );
    while (next.length && next[next.length - 1] === "" && !parameters[next.length - 1]?.required) next.pop();
    setGiven(next);
    onChange({ ...call, arguments: next.map((one) => one.trim() || "null") });
  };
  return (
    <Popup anchor={anchor} onClose={onClose} class="arguments-form" width={320}>
      <div class="arguments-head">
        <strong class="mono">{call.name}</strong>
        <IconButton
          icon="trash"
          size={14}
          label={T("Take the filter {name} away", { name: call.name })}
          onClick={onRemove}
        />
      </div>
      {kind && <p class="help">{kind.help}</p>}
      {parameters.map((parameter, at) => (
        <label key={parameter.name}>
          {parameter.name} <span class="type">{typeWords(parameter.type)}</span>
          <input
            type="text"
            class="code"
            spellcheck={false}
            autocomplete="off"
            value={given[at] ?? ""}
            placeholder={defaultText(parameter)}
            ref={(field) => {
              if (at === 0 && field && !field.dataset.seen) {
                field.dataset.seen = "1";
                field.focus();
                field.select();
              }
            }}
            onInput={(event) => set(at, event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") {
                event.preventDefault();
                onClose();
              }
            }}
          />
        </label>
      ))}
      {kind?.example && <p class="help mono">{kind.example[0]} → {kind.example[1]}</p>}
    </Popup>
  );
}

function defaultText(parameter: { default?: unknown }): string {
  return parameter.default === undefined ? "" : JSON.stringify(parameter.default);
}
