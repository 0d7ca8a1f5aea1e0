/** The variable picker: what exists here, nearest first, with types and the values of the last run. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { T } from "../../words.ts";
import { partAt, type ValueType } from "../model/document.ts";
import { fits, matching, type Named, type Offer, offersOf, shortValue, typeWords } from "../model/scope.ts";
import { lastRun } from "../panel.ts";
import type { Editor } from "../store.ts";

/** The value a name had in the last run, or undefined. */
function valueIn(named: Named, keys: string[]): unknown {
  const run = lastRun.value;
  if (!run) return undefined;
  if (named.name === "input") return partAt(run.inputs, keys);
  const text = named.line === null ? undefined : run.lines[named.line]?.value;
  return text === undefined ? undefined : partAt(parsed(text), keys);
}

const values = new Map<string, unknown>();

function parsed(text: string): unknown {
  if (!values.has(text)) {
    if (values.size > 200) values.clear();
    try {
      values.set(text, JSON.parse(text));
    } catch {
      values.set(text, undefined);
    }
  }
  return values.get(text);
}

export function useOffers(editor: Editor, line: string | null): Offer[] {
  return useMemo(
    () => offersOf(editor.scopeAt(line), editor.doc.value, line, editor.kinds, valueIn),
    [editor.scopes.value, editor.doc.value, line, lastRun.value],
  );
}

type Props = {
  editor: Editor;
  line: string | null;
  wanted?: ValueType;
  query: string;
  onPick: (offer: Offer) => void;
  /** The chosen place moves with keys that the field hands on. */
  keys: { current: ((event: KeyboardEvent) => boolean) | null };
  listId: string;
  onActive: (id: string | undefined) => void;
};

export function PickerList({ editor, line, wanted, query, onPick, keys, listId, onActive }: Props) {
  const offers = useOffers(editor, line);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => {
    const match = matching(offers, query).slice(0, 200);
    // What is asked for comes first: lists where a list is expected.
    return wanted && wanted.name !== "any" && !query.replace("{", "").trim()
      ? [...match.filter((one) => isOf(wanted, one.type)), ...match.filter((one) => !isOf(wanted, one.type))]
      : match;
  }, [offers, query, wanted]);
  useEffect(() => setAt(0), [query]);
  useEffect(() => {
    onActive(found[at] ? `${listId}-${at}` : undefined);
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, found]);
  keys.current = (event) => {
    const last = found.length - 1;
    if (event.key === "ArrowDown") setAt(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? last : at - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && found[at]) onPick(found[at]);
    else return false;
    return true;
  };
  return (
    <div class="options picker" role="listbox" id={listId} aria-label={T("Variables")} ref={list}>
      {found.flatMap((offer, index) => [
        ...(offer.group !== found[index - 1]?.group
          ? [
            <div class="group-head" role="presentation" key={`group ${index} ${offer.group}`}>
              {offer.group}
            </div>,
          ]
          : []),
        <PickerOption
          key={offer.path}
          offer={offer}
          id={`${listId}-${index}`}
          isAt={index === at}
          isFit={fits(wanted, offer.type)}
          onPick={() => onPick(offer)}
          onHover={() => setAt(index)}
        />,
      ])}
      {found.length === 0 && (
        <p class="none">
          {offers.length ? T("Nothing here has that name.") : T("There is nothing to choose here yet.")}
        </p>
      )}
    </div>
  );
}

function isOf(wanted: ValueType, given: ValueType): boolean {
  return given.name !== "any" && given.name !== "null" && fits(wanted, given);
}

type OptionProps = {
  offer: Offer;
  id: string;
  isAt: boolean;
  isFit: boolean;
  onPick: () => void;
  onHover: () => void;
};

function PickerOption({ offer, id, isAt, isFit, onPick, onHover }: OptionProps) {
  return (
    <div
      role="option"
      id={id}
      aria-selected={isAt}
      class={`option offer ${isFit ? "" : "unfit"}`}
      style={{ paddingInlineStart: `${10 + Math.min(offer.depth, 3) * 14}px` }}
      // A press must not take the focus from the field before the click is there.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onPick}
      onMouseMove={() => !isAt && onHover()}
    >
      <span class="piece is-name">{offer.path}</span>
      <span class="type">
        {typeWords(offer.type)}
        {offer.unset ? ` · ${T("may be empty")}` : ""}
      </span>
      <span class="last-value">{shortValue(offer.value)}</span>
    </div>
  );
}
