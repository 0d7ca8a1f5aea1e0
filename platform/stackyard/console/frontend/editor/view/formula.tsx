/** A formula: text of the language, with what is wrong in it at its column. */
import { useRef, useState } from "preact/hooks";
import { Icon } from "../../icons/icon.tsx";
import { T } from "../../words.ts";
import type { ValueType } from "../model/document.ts";
import type { Offer } from "../model/scope.ts";
import type { Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { IconButton } from "./icons.tsx";
import { PickerList } from "./picker.tsx";
import { Popup } from "./popup.tsx";

type Props = {
  editor: Editor;
  line: string | null;
  id: string;
  label: string;
  source: string;
  type?: ValueType;
  onChange: (source: string) => void;
  /** Back to pills; absent where there is nothing to show as pills. */
  onLeave?: () => void;
  onClear?: () => void;
  problems?: readonly Problem[];
  described?: string;
};

/** The word that is being typed before the caret: what the picker looks for. */
const WORD = /[\w$.]*$/;

export function Formula(props: Props) {
  const { editor, line, id, label, source, onChange, onLeave, onClear, problems = [] } = props;
  const [isPicking, setPicking] = useState(false);
  const [caret, setCaret] = useState(source.length);
  const [active, setActive] = useState<string>();
  const keys = useRef<((event: KeyboardEvent) => boolean) | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const error = editor.expressions.get(source)?.error;
  const places = [
    ...(error && source.trim() ? [{ column: error.column, message: error.message }] : []),
    ...(error
      ? []
      : problems.flatMap((one) => (one.column ? [{ column: one.column, message: one.message }] : []))),
  ];
  const word = WORD.exec(source.slice(0, caret))?.[0] ?? "";

  const put = (offer: Offer) => {
    const start = caret - word.length - (source[caret - word.length - 1] === "{" ? 1 : 0);
    const next = source.slice(0, start) + offer.path + source.slice(caret);
    onChange(next);
    setPicking(false);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(start + offer.path.length, start + offer.path.length);
    });
  };
  return (
    <div class="formula">
      <div class="value-box">
        <textarea
          ref={field}
          id={id}
          class="code"
          rows={Math.min(8, Math.max(1, source.split("\n").length, Math.ceil(source.length / 44)))}
          value={source}
          spellcheck={false}
          autocomplete="off"
          aria-label={T("Formula of {field}", { field: label })}
          aria-invalid={places.length > 0}
          aria-describedby={places.length ? `${id}-places` : props.described}
          placeholder={T("Such as price * 1.2 or name | upper")}
          onInput={(event) => {
            const next = event.currentTarget.value;
            const at = event.currentTarget.selectionStart;
            setCaret(at);
            if (next[at - 1] === "{" && next.length > source.length) setPicking(true);
            else if (isPicking && !/[\w$.{]/.test(next[at - 1] ?? "")) setPicking(false);
            onChange(next);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={(event) => {
            if (isPicking && keys.current?.(event)) event.preventDefault();
            else if (isPicking && event.key === "Escape") setPicking(false);
            else if (event.key === " " && event.ctrlKey) setPicking(true);
            else if (event.key === "Enter" && !event.shiftKey && onLeave) onLeave();
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        />
        <span class="box-ends">
          <IconButton
            icon="variable"
            class="pick"
            label={T("Choose a variable for {field}", { field: label })}
            keys="{"
            onClick={() => {
              setPicking(true);
              field.current?.focus();
            }}
          />
          {onLeave && (
            <IconButton icon="check" size={14} label={T("Show as pills")} keys="Enter" onClick={onLeave} />
          )}
          {onClear && (
            <IconButton
              icon="close"
              size={14}
              label={T("Clear {field}", { field: label })}
              onClick={onClear}
            />
          )}
        </span>
      </div>
      {places.length > 0 && (
        <ul class="places" id={`${id}-places`}>
          {places.map(({ column, message }) => (
            <li key={`${column}${message}`}>
              <button
                type="button"
                class="place"
                onClick={() => {
                  field.current?.focus();
                  field.current?.setSelectionRange(column - 1, column - 1);
                }}
              >
                <Icon name="error" size={14} />
                {T("Column {column}: {message}", { column, message })}
              </button>
            </li>
          ))}
        </ul>
      )}
      {isPicking && field.current && (
        <Popup
          anchor={field.current.getBoundingClientRect()}
          width={Math.max(360, field.current.offsetWidth)}
          onClose={() => setPicking(false)}
          within={(target) => field.current!.contains(target as Node)}
        >
          <PickerList
            editor={editor}
            line={line}
            wanted={props.type}
            query={word}
            onPick={put}
            keys={keys}
            listId={`${id}-list`}
            onActive={setActive}
          />
        </Popup>
      )}
      <span hidden>{active}</span>
    </div>
  );
}
