/** The insert menu: every kind of step, found by its name or by what people call it. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { T } from "../../words.ts";
import type { Kind } from "../model/document.ts";
import { findKinds } from "../model/search.ts";
import type { Place } from "../model/tree.ts";
import type { Editor } from "../store.ts";
import { KindTile } from "./icons.tsx";
import { Popup } from "./popup.tsx";

export function InsertMenu({ editor, place, anchor }: { editor: Editor; place: Place; anchor: DOMRect }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const { groups, kinds } = editor.palette.value;
  const found = findKinds(kinds, groups.map(([name]) => name), query);
  const titles = new Map(groups);
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), []);
  useEffect(
    () => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    [at, query],
  );

  const close = () => {
    editor.menu.value = null;
    editor.reveal.value = { key: editor.selection.value.focus, focus: true };
  };
  const take = (kind: Kind | undefined) => {
    if (!kind) return;
    editor.menu.value = null;
    editor.insertKind(kind, place);
  };
  const onKey = (event: KeyboardEvent) => {
    const last = found.length - 1;
    if (event.key === "ArrowDown") setAt(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? last : at - 1);
    else if (event.key === "Enter") take(found[at]);
    else if (event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <Popup anchor={anchor} onClose={close} class="insert-menu" width={380}>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="insert-list"
        aria-activedescendant={found[at] ? `insert-${found[at].name}` : undefined}
        aria-label={T("Find a step")}
        placeholder={T("Find a step: loop, email, if …")}
        autocomplete="off"
        spellcheck={false}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <div class="options" id="insert-list" role="listbox" aria-label={T("Steps")} ref={list}>
        {found.flatMap((kind, index) => [
          ...(!query && kind.group !== found[index - 1]?.group
            ? [
              <div class="group-head" role="presentation" key={`group ${kind.group}`}>
                {titles.get(kind.group) ?? kind.group}
              </div>,
            ]
            : []),
          <Option
            key={kind.name}
            kind={kind}
            isAt={index === at}
            onPick={() => take(kind)}
            onHover={() => setAt(index)}
          />,
        ])}
        {found.length === 0 && <p class="none">{T("No step is called that. Try another word.")}</p>}
      </div>
    </Popup>
  );
}

type OptionProps = { kind: Kind; isAt: boolean; onPick: () => void; onHover: () => void };

function Option({ kind, isAt, onPick, onHover }: OptionProps) {
  return (
    <div
      role="option"
      id={`insert-${kind.name}`}
      aria-selected={isAt}
      class="option"
      onClick={onPick}
      onMouseMove={() => !isAt && onHover()}
    >
      <KindTile kind={kind} />
      <span class="option-words">
        <span class="option-label">{kind.label}</span>
        <span class="option-help">{kind.help}</span>
      </span>
    </div>
  );
}
