/** An expression in a value box: a variable as a pill, its filters as chips. */
import { useRef, useState } from "preact/hooks";
import { T } from "../../words.ts";
import { expression } from "../model/document.ts";
import type { Offer } from "../model/scope.ts";
import { expressionPieces } from "../model/sentences.ts";
import { FilterChips } from "./filters.tsx";
import { IconButton } from "./icons.tsx";
import { PickerList } from "./picker.tsx";
import { Pieces } from "./pieces.tsx";
import { Popup } from "./popup.tsx";
import type { ValueProps } from "./value_box.tsx";

/** An expression: what it begins with as a pill, its filters as chips. */
export function Pills(props: ValueProps & { source: string; onFormula: () => void }) {
  const { editor, source, id, label, type, onChange, onFormula, described, wrong } = props;
  const [picking, setPicking] = useState<DOMRect | null>(null);
  const [active, setActive] = useState<string>();
  const [query, setQuery] = useState("");
  const keys = useRef<((event: KeyboardEvent) => boolean) | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const chain = editor.expressions.known.value.get(source)?.chain;
  const isSimple = chain?.kind === "name";
  const compose = (base: string, filters: { name: string; arguments: string[] }[]) => {
    const text = [base, ...filters.map(filterText)].join(" | ");
    const calls = filters.map((one) => ["filter", one.name, one.arguments.join(", ")]);
    editor.expressions.guess(text, {
      text,
      segments: [["name", base], ...calls],
      chain: { base, kind: chain?.kind ?? "name", filters },
      tests: null,
    });
    onChange(expression(text));
  };
  const pick = (offer: Offer) => {
    setPicking(null);
    compose(offer.path, chain?.filters ?? []);
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget && (event.target as Element).id !== id) return;
    if (event.key === "Backspace" || event.key === "Delete") onChange(undefined);
    else if (event.key === "{") setPicking(box.current!.getBoundingClientRect());
    else if (event.key === "=" || event.key === "F2") onFormula();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class={`value-box pills ${wrong ? "wrong" : ""}`}
      ref={box}
      role="group"
      aria-label={label}
      aria-describedby={described}
      onKeyDown={onKey}
    >
      {isSimple
        ? (
          <button
            type="button"
            id={id}
            class="pill"
            title={T("Change the variable")}
            onClick={() => setPicking(box.current!.getBoundingClientRect())}
          >
            {chain.base}
          </button>
        )
        : (
          <button type="button" id={id} class="pill code" title={T("Edit as a formula")} onClick={onFormula}>
            {chain && chain.filters.length
              ? chain.base
              : <Pieces pieces={expressionPieces(source, editor.expressions.known.value)} />}
          </button>
        )}
      {chain && (isSimple || chain.filters.length > 0) && (
        <FilterChips
          {...props}
          chain={chain}
          onFilters={(filters) => compose(chain.base, filters)}
        />
      )}
      <span class="box-ends">
        <button type="button" class="formula-button" title={T("Edit as a formula")} onClick={onFormula}>
          <span aria-hidden="true">ƒ</span>
          <span class="visually-hidden">{T("Edit {field} as a formula", { field: label })}</span>
        </button>
        <IconButton
          icon="close"
          size={14}
          label={T("Clear {field}", { field: label })}
          onClick={() => {
            onChange(undefined);
            requestAnimationFrame(() => document.getElementById(id)?.focus());
          }}
        />
      </span>
      {picking && (
        <Popup
          anchor={picking}
          width={Math.max(360, picking.width)}
          onClose={() => setPicking(null)}
        >
          <input
            type="text"
            class="popup-search"
            autocomplete="off"
            placeholder={T("Find a variable")}
            aria-label={T("Find a variable")}
            aria-controls={`${id}-list`}
            aria-activedescendant={active}
            role="combobox"
            aria-expanded="true"
            ref={(field) => field?.focus()}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (keys.current?.(event)) {
                event.preventDefault();
                event.stopPropagation();
              }
            }}
          />
          <PickerList
            editor={editor}
            line={props.line}
            wanted={type}
            query={query}
            onPick={pick}
            keys={keys}
            listId={`${id}-list`}
            onActive={setActive}
          />
        </Popup>
      )}
    </div>
  );
}

function filterText(one: { name: string; arguments: string[] }): string {
  return one.arguments.length ? `${one.name}(${one.arguments.join(", ")})` : one.name;
}
