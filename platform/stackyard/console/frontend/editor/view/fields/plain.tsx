/** The plain controls of a step's form: choices, tables, fields, names, texts, sorting, code, JSON. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { CodeEditor } from "../../../code/editor.ts";
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Field as TableField } from "../../answers.ts";
import type { Json } from "../../model/document.ts";
import { IconButton } from "../icons.tsx";

type Common<Value> = {
  id: string;
  label: string;
  value: Value | undefined;
  onChange: (value: Json | undefined) => void;
  described?: string;
  wrong?: boolean;
};

export function Choice(
  { id, value, onChange, choices, required, described, wrong, start }: Common<Json> & {
    choices: readonly [value: string, label: string][];
    required?: boolean;
    /** What is taken when nothing is chosen. */
    start?: string;
  },
) {
  const now = value === undefined || value === null ? start ?? "" : String(value);
  const known = choices.some(([name]) => name === now);
  return (
    <select
      id={id}
      class="wide"
      value={now}
      aria-describedby={described}
      aria-invalid={wrong}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    >
      {!known && <option value={now}>{now || (required ? T("Choose") : "–")}</option>}
      {known && !required && start === undefined && <option value="">–</option>}
      {choices.map(([name, label]) => <option key={name} value={name}>{label}</option>)}
    </select>
  );
}

export function YesNo({ id, label, value, onChange, start }: Common<Json> & { start?: boolean }) {
  const now = value === undefined ? start ?? false : value === true;
  return (
    <label class="yes-no">
      <input
        type="checkbox"
        id={id}
        checked={now}
        onChange={(event) => {
          const next = event.currentTarget.checked;
          onChange(next === start ? undefined : next);
        }}
      />
      {label}
    </label>
  );
}

export function TextField(
  { id, value, onChange, described, wrong, list, placeholder, number, code }: Common<Json> & {
    list?: readonly string[];
    placeholder?: string;
    number?: boolean;
    code?: boolean;
  },
) {
  return (
    <>
      <input
        type="text"
        id={id}
        class={`wide ${code ? "code" : ""}`}
        inputMode={number ? "numeric" : undefined}
        value={value === undefined || value === null ? "" : String(value)}
        list={list ? `${id}-list` : undefined}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        aria-describedby={described}
        aria-invalid={wrong}
        onInput={(event) => {
          const text = event.currentTarget.value;
          if (number && /^-?\d+$/.test(text.trim())) onChange(Number(text));
          else onChange(text === "" ? undefined : text);
        }}
      />
      {list && <datalist id={`${id}-list`}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
    </>
  );
}

/** A name that is given: taken over when the field is left, since renaming reaches every use of it. */
export function NameField(
  { id, value, onChange, described, wrong, placeholder }: Common<Json> & { placeholder?: string },
) {
  const given = typeof value === "string" ? value : "";
  const [text, setText] = useState(given);
  const latest = useRef(text);
  useEffect(() => setText(given), [given]);
  latest.current = text;
  const leave = () => {
    const next = latest.current.trim();
    if (next !== given) onChange(next || undefined);
  };
  return (
    <input
      type="text"
      id={id}
      class="wide code"
      value={text}
      placeholder={placeholder}
      autocomplete="off"
      spellcheck={false}
      aria-describedby={described}
      aria-invalid={wrong}
      onInput={(event) => setText(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => event.key === "Enter" && leave()}
    />
  );
}

/** Names out of a list, as a set of boxes. */
export function Several(
  { id, label, value, onChange, choices }: Common<Json> & {
    choices: readonly [value: string, label: string][];
  },
) {
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const set = (next: string[]) => onChange(next.length ? next : undefined);
  const unknown = chosen.filter((name) => !choices.some(([one]) => one === name));
  return (
    <div class="several" role="group" aria-label={label} id={id} tabIndex={-1}>
      {[...choices, ...unknown.map((name) => [name, name] as const)].map(([name, words]) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              set(event.currentTarget.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
          />
          {words}
        </label>
      ))}
      {choices.length === 0 && unknown.length === 0 && (
        <span class="quiet">{T("There is nothing to choose.")}</span>
      )}
    </div>
  );
}

/** Texts, one a line. */
export function Texts({ id, value, onChange, described, wrong }: Common<Json>) {
  const lines = Array.isArray(value) ? value.map(String) : [];
  return (
    <textarea
      id={id}
      class="wide code"
      rows={Math.max(2, lines.length + 1)}
      aria-describedby={described}
      aria-invalid={wrong}
      value={lines.join("\n")}
      placeholder={T("One a line")}
      spellcheck={false}
      onChange={(event) => {
        const next = event.currentTarget.value.split("\n").map((one) => one.trim()).filter(Boolean);
        onChange(next.length ? next : undefined);
      }}
    />
  );
}

export function SortField({ id, value, onChange, fields, more = [] }: Common<Json> & {
  fields: readonly TableField[];
  /** Names beside those of fields: what is worked out of groups. */
  more?: readonly string[];
}) {
  const parts = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
  const set = (next: string[]) => onChange(next.length ? next : undefined);
  const names = more.length ? [...more] : fields.map((field) => field.name);
  return (
    <div class="tests">
      {parts.map((part, at) => {
        const down = part.startsWith("-");
        const name = down ? part.slice(1) : part;
        const replace = (next: string) => set(parts.map((one, index) => (index === at ? next : one)));
        return (
          <div class="test sort" key={at}>
            <select
              id={at === 0 ? id : undefined}
              aria-label={T("Sort by")}
              value={name}
              onChange={(event) => replace((down ? "-" : "") + event.currentTarget.value)}
            >
              {[...(names.includes(name) ? [] : [name]), ...names, ...(name === "random" ? [] : ["random"])]
                .map((one) => (
                  <option key={one} value={one}>{one === "random" ? T("in random order") : one}</option>
                ))}
            </select>
            {name !== "random" && (
              <select
                aria-label={T("Direction")}
                value={down ? "down" : "up"}
                onChange={(event) => replace((event.currentTarget.value === "down" ? "-" : "") + name)}
              >
                <option value="up">{T("ascending")}</option>
                <option value="down">{T("descending")}</option>
              </select>
            )}
            <IconButton
              icon="minus"
              size={14}
              label={T("Take {name} away", { name })}
              onClick={() => set(parts.filter((_, index) => index !== at))}
            />
          </div>
        );
      })}
      <button
        type="button"
        class="add-button"
        id={parts.length === 0 ? id : undefined}
        onClick={() => set([...parts, names.find((name) => !parts.includes(name)) ?? "id"])}
      >
        <Icon name="plus" size={14} /> {T("Sort by a field")}
      </button>
    </div>
  );
}

/** Anything, as JSON: for what has no form of its own. */
export function JsonField({ id, label, value, onChange, described }: Common<Json>) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState("");
  return (
    <>
      <textarea
        id={id}
        class="wide code"
        rows={Math.min(16, Math.max(3, text.split("\n").length + 1))}
        value={text}
        spellcheck={false}
        aria-label={label}
        aria-describedby={described}
        aria-invalid={wrong !== ""}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          try {
            onChange(next.trim() === "" ? undefined : JSON.parse(next) as Json);
            setWrong("");
          } catch (error) {
            setWrong((error as Error).message);
          }
        }}
      />
      {wrong && (
        <p class="problem error">
          <Icon name="error" size={14} />
          {T("Not JSON yet: {why}", { why: wrong })}
        </p>
      )}
    </>
  );
}

/** Code in the code editor, which comes when it is first needed. */
export function CodeField(
  { id, label, value, onChange, language = "typescript" }: Common<Json> & {
    language?: "typescript" | "yaml";
  },
) {
  const place = useRef<HTMLDivElement>(null);
  const held = useRef<CodeEditor | null>(null);
  const text = typeof value === "string" ? value : "";
  const change = useRef(onChange);
  change.current = onChange;
  const last = useRef(text);
  useEffect(() => {
    let gone = false;
    import("../../../code/editor.ts").then(({ codeEditor }) => {
      if (gone || !place.current) return;
      held.current = codeEditor({
        parent: place.current,
        text: last.current,
        language,
        label,
        onChange: (next) => {
          last.current = next;
          change.current(next === "" ? undefined : next);
        },
      });
    });
    return () => {
      gone = true;
      held.current?.destroy();
    };
  }, []);
  useEffect(() => {
    if (text !== last.current) {
      last.current = text;
      held.current?.replace(text);
    }
  }, [text]);
  return <div class="code-field" id={id} ref={place} />;
}
