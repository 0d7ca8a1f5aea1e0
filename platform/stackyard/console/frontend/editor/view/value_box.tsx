/**
 * A value: typed text, or an expression as pills and filter chips, or a formula for what those can't say. `{` offers what
 * is in sight. What the box composes is text of the language; the server's parser takes it apart again.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { T } from "../../words.ts";
import { expression, expressionOf, isObject, type Json, type ValueType } from "../model/document.ts";
import type { Offer } from "../model/scope.ts";
import type { Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { Formula } from "./formula.tsx";
import { IconButton } from "./icons.tsx";
import { PickerList } from "./picker.tsx";
import { Pills } from "./pills.tsx";
import { Popup } from "./popup.tsx";
import { ListEditor, MapEditor } from "./fields/collections.tsx";

export type ValueProps = {
  editor: Editor;
  /** The line whose names are in sight; null is the response. */
  line: string | null;
  id: string;
  label: string;
  value: Json | undefined;
  type?: ValueType;
  onChange: (value: Json | undefined) => void;
  problems?: readonly Problem[];
  placeholder?: string;
  long?: boolean;
  described?: string;
  wrong?: boolean;
  /** Only literals and expressions of one line: no lists and maps of their own. */
  plain?: boolean;
  /** Show an expression as a formula from now on. */
  onFormula?: () => void;
};

const NUMBERS = new Set(["int", "float", "decimal"]);

type Shape = "text" | "number" | "bool" | "null" | "list" | "map" | "formula" | "expression" | "none";

export function shapeOf(value: Json | undefined, type: ValueType | undefined): Shape {
  if (value === undefined) {
    if (type?.name === "bool") return "bool";
    return "none";
  }
  if (expressionOf(value) !== null) return "expression";
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (isObject(value)) return "map";
  return typeof value === "boolean" ? "bool" : typeof value === "number" ? "number" : "text";
}

export function ValueBox(given: ValueProps) {
  const { editor, value, type, onChange } = given;
  const [asFormula, setAsFormula] = useState(false);
  const props = { ...given, onFormula: () => setAsFormula(true) };
  const shape = shapeOf(value, type);
  const source = expressionOf(value);
  useEffect(() => {
    if (source === null) setAsFormula(false);
  }, [source === null]);
  if (source !== null) {
    const known = editor.expressions.get(source);
    if (asFormula || known?.error || source.trim() === "") {
      return (
        <Formula
          {...props}
          source={source}
          onChange={(text) => onChange(expression(text))}
          onLeave={known?.error || source.trim() === "" ? undefined : () => setAsFormula(false)}
          onClear={() => onChange(undefined)}
        />
      );
    }
    return <Pills {...props} source={source} />;
  }
  if (!props.plain && shape === "list") {
    return (
      <WithTag {...props}>
        <ListEditor {...props} />
      </WithTag>
    );
  }
  if (!props.plain && shape === "map") {
    return (
      <WithTag {...props}>
        <MapEditor {...props} />
      </WithTag>
    );
  }
  return <Typed {...props} shape={shape} />;
}

/** A list or an object with the switch to other shapes above it. */
function WithTag(props: ValueProps & { children: preact.ComponentChildren }) {
  return (
    <div class="shaped">
      <div class="shaped-head">
        <ShapeTag {...props} />
      </div>
      {props.children}
    </div>
  );
}

const STARTS: Record<string, Json | undefined> = {
  text: "",
  number: 0,
  bool: true,
  null: null,
  list: [],
  map: {},
  formula: { $expr: "" },
};

/** What kind of value it is, to be changed: text, number, yes/no, nothing, list, object, formula. */
function ShapeTag({ value, type, onChange, label, plain, onFormula }: ValueProps) {
  const shape = shapeOf(value, type);
  const isMany = type?.name === "list" || type?.name === "object";
  const names: [Shape, string][] = [
    ...(shape === "none" && isMany ? [["none", T("Choose")]] as [Shape, string][] : []),
    ["text", T("Text")],
    ["number", T("Number")],
    ["bool", T("Yes / no")],
    ["null", T("Nothing")],
    ...(plain ? [] : [["list", T("List")], ["map", T("Object")]] as [Shape, string][]),
    ["formula", T("Formula")],
  ];
  const start = NUMBERS.has(type?.name ?? "") ? "number" : isMany ? "none" : "text";
  const now = shape === "none" ? start : shape;
  const wanted = new Set(["text", "number", "bool", "null", "list", "map", "formula"]);
  const only: Record<string, string[]> = {
    text: ["text", "null", "formula"],
    int: ["number", "null", "formula", "text"],
    float: ["number", "null", "formula", "text"],
    decimal: ["number", "null", "formula", "text"],
    bool: ["bool", "null", "formula"],
    list: ["list", "null", "formula"],
    object: ["map", "null", "formula"],
  };
  const allowed = type && only[type.name] ? new Set([...only[type.name]!, now]) : wanted;
  return (
    <select
      class="shape-tag"
      aria-label={T("Kind of value of {field}", { field: label })}
      value={now}
      onChange={(event) => {
        const next = event.currentTarget.value as Shape;
        const start = STARTS[next];
        if (next === "formula") onFormula?.();
        if (next === "number" && typeof value === "string" && isNumber(value)) onChange(Number(value));
        else if (next === "text" && typeof value === "number") onChange(String(value));
        else if (
          next === "formula" && value !== undefined && value !== "" && !Array.isArray(value) &&
          !isObject(value)
        ) {
          onChange({ $expr: JSON.stringify(value) });
        } else onChange(start);
      }}
    >
      {names.filter(([name]) => allowed.has(name)).map(([name, words]) => (
        <option key={name} value={name}>{words}</option>
      ))}
    </select>
  );
}

export function isNumber(text: string): boolean {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) && Number.isFinite(Number(text));
}

function Typed(props: ValueProps & { shape: Shape }) {
  const { editor, value, type, onChange, id, label, shape, described, wrong, placeholder, long } = props;
  const [isPicking, setPicking] = useState(false);
  const [active, setActive] = useState<string>();
  const keys = useRef<((event: KeyboardEvent) => boolean) | null>(null);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  // A number is kept as text while it is typed: "1." and "-" are on the way to one.
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? (value === undefined || value === null ? "" : String(value));
  const opens = text.lastIndexOf("{");

  const type_ = (next: string) => {
    const wantsNumber = shape === "number" || (NUMBERS.has(type?.name ?? "") && shape === "none");
    if (next === "" && shape === "none") return onChange(undefined);
    if (wantsNumber || (NUMBERS.has(type?.name ?? "") && isNumber(next))) {
      setTyped(next);
      if (isNumber(next)) return onChange(Number(next));
      return onChange(next === "" ? undefined : next);
    }
    setTyped(null);
    onChange(next === "" && value === undefined ? undefined : next);
  };
  const pick = (offer: Offer) => {
    setPicking(false);
    const before = opens >= 0 ? text.slice(0, opens) : "";
    // Words before the variable are joined with it.
    onChange(expression(before ? `${JSON.stringify(before)} ~ ${offer.path}` : offer.path));
    setTyped(null);
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
  if (shape === "bool") {
    return (
      <div class="value-box">
        <select
          id={id}
          aria-describedby={described}
          aria-invalid={wrong}
          value={value === undefined ? "" : String(value)}
          onChange={(event) =>
            onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value === "true")}
        >
          {value === undefined && <option value="">{T("Choose")}</option>}
          <option value="true">{T("Yes")}</option>
          <option value="false">{T("No")}</option>
        </select>
        <PickButton {...props} onOpen={() => onChange({ $expr: "" })} />
        <ShapeTag {...props} />
      </div>
    );
  }
  if (shape === "null") {
    return (
      <div class="value-box">
        <span class="nothing" id={id} tabIndex={-1}>{T("nothing")}</span>
        <ShapeTag {...props} />
      </div>
    );
  }
  const common = {
    id,
    ref: field,
    value: text,
    placeholder: placeholder ?? T("Type a value, or { for a variable"),
    autocomplete: "off",
    spellcheck: false,
    "aria-describedby": described,
    "aria-invalid": wrong,
    "aria-label": label,
    onInput: (event: { currentTarget: { value: string } }) => {
      const next = event.currentTarget.value;
      if (next.includes("{") && !text.includes("{")) setPicking(true);
      if (!next.includes("{")) setPicking(false);
      type_(next);
    },
    onBlur: () => setTyped(null),
    onKeyDown: (event: KeyboardEvent) => {
      if (isPicking && keys.current?.(event)) {
        event.preventDefault();
        event.stopPropagation();
      } else if (isPicking && event.key === "Escape") {
        setPicking(false);
        event.stopPropagation();
      }
    },
  };
  const box = {
    role: "combobox" as const,
    "aria-expanded": isPicking,
    "aria-controls": isPicking ? `${id}-list` : undefined,
    "aria-activedescendant": isPicking ? active : undefined,
  };
  return (
    <div class="value-box">
      {long
        ? <textarea {...common} rows={Math.min(12, Math.max(3, text.split("\n").length + 1))} />
        : <input type="text" inputMode={shape === "number" ? "decimal" : undefined} {...box} {...common} />}
      <PickButton
        {...props}
        onOpen={() => {
          setPicking(!isPicking);
          field.current?.focus();
        }}
      />
      <ShapeTag {...props} />
      {isPicking && field.current && (
        <Popup
          anchor={field.current.getBoundingClientRect()}
          width={Math.max(360, field.current.offsetWidth)}
          onClose={() => setPicking(false)}
          within={(target) => field.current!.parentElement!.contains(target as Node)}
        >
          <PickerList
            editor={editor}
            line={props.line}
            wanted={type}
            query={opens >= 0 ? text.slice(opens) : ""}
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

function PickButton({ label, onOpen }: { label: string; onOpen: () => void }) {
  return (
    <IconButton
      icon="variable"
      class="pick"
      label={T("Choose a variable for {field}", { field: label })}
      keys="{"
      onClick={onOpen}
    />
  );
}
