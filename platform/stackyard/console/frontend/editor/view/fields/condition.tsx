/** A condition: comparisons joined by "and" or "or"; a formula for everything else. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import { expression, expressionOf, type Json } from "../../model/document.ts";
import { COMPARISONS, comparisonText, operatorWords, WITHOUT_RIGHT } from "../../model/operators.ts";
import type { Test } from "../../model/sentences.ts";
import { Formula } from "../formula.tsx";
import { IconButton } from "../icons.tsx";
import { ValueBox, type ValueProps } from "../value_box.tsx";

type Part = { left: string; op: string; right: string | null };
const BLANK: Part = { left: "", op: "==", right: "" };

export function ConditionField(props: ValueProps) {
  const { editor, value, onChange } = props;
  const source = expressionOf(value) ?? (typeof value === "boolean" ? String(value) : "");
  const tests = source.trim() === "" ? { join: "and", parts: [] } : editor.expressions.get(source)?.tests;
  const [asFormula, setAsFormula] = useState(false);
  // What is being put together and says nothing yet.
  const [drafts, setDrafts] = useState<Part[]>(source ? [] : [BLANK]);
  useEffect(() => {
    if (!source && drafts.length === 0) setDrafts([BLANK]);
  }, [source]);
  const known = editor.expressions.known.value.get(source);
  if (source && (asFormula || (known && !tests))) {
    return (
      <Formula
        {...props}
        source={source}
        onChange={(text) => onChange(text.trim() ? expression(text) : undefined)}
        onLeave={tests ? () => setAsFormula(false) : undefined}
        onClear={() => {
          setAsFormula(false);
          onChange(undefined);
        }}
      />
    );
  }
  const parts: Part[] = tests?.parts ?? [];
  const join = tests?.join ?? "and";
  const all = [...parts, ...drafts];
  const put = (next: Part[], joined = join) => {
    const whole = next.filter(isWhole);
    setDrafts(next.filter((part) => !isWhole(part)));
    if (whole.length === 0) return onChange(undefined);
    const texts = whole.map((part) => comparisonText(part.left, part.op, part.right));
    onChange(
      expression(texts.join(` ${joined} `)),
    );
  };
  return (
    <div class="tests">
      {all.map((part, at) => (
        <TestRow
          key={at}
          props={{ ...props, id: at === 0 ? props.id : `${props.id}-${at}` }}
          part={part}
          number={at + 1}
          onChange={(next) => put(all.map((one, index) => (index === at ? next : one)))}
          onRemove={() => put(all.filter((_, index) => index !== at))}
        />
      ))}
      <span class="adds">
        {all.length > 1 && (
          <select
            aria-label={T("How the conditions are joined")}
            value={join}
            onChange={(event) => put(all, event.currentTarget.value)}
          >
            <option value="and">{T("all must be true")}</option>
            <option value="or">{T("one must be true")}</option>
          </select>
        )}
        <button type="button" class="add-button" onClick={() => setDrafts([...drafts, BLANK])}>
          <Icon name="plus" size={14} /> {T("Add a condition")}
        </button>
        <button
          type="button"
          class="add-button"
          onClick={() => {
            if (!source) onChange(expression(" "));
            setAsFormula(true);
          }}
        >
          <span aria-hidden="true">ƒ</span> {T("Formula")}
        </button>
      </span>
    </div>
  );
}

function isWhole(part: Part): boolean {
  return part.left.trim() !== "" && (WITHOUT_RIGHT.has(part.op) || (part.right ?? "").trim() !== "");
}

type RowProps = {
  props: ValueProps;
  part: Part;
  number: number;
  onChange: (part: Part) => void;
  onRemove: () => void;
};

function TestRow({ props, part, number, onChange, onRemove }: RowProps) {
  const ops = COMPARISONS.includes(part.op) ? COMPARISONS : [...COMPARISONS, part.op];
  return (
    <div class="test" role="group" aria-label={T("Condition {number}", { number })}>
      <SideBox
        {...props}
        label={T("Left side")}
        text={part.left}
        isName
        onText={(left) => onChange({ ...part, left })}
      />
      <select
        class="operator"
        aria-label={T("Comparison")}
        value={part.op}
        onChange={(event) => onChange({ ...part, op: event.currentTarget.value, right: part.right ?? "" })}
      >
        {ops.map((op) => <option key={op} value={op}>{operatorWords(op)}</option>)}
      </select>
      {!WITHOUT_RIGHT.has(part.op) && (
        <SideBox
          {...props}
          id={`${props.id}-right`}
          label={T("Right side")}
          text={part.right ?? ""}
          onText={(right) => onChange({ ...part, right })}
        />
      )}
      <IconButton
        icon="minus"
        size={14}
        label={T("Take condition {number} away", { number })}
        onClick={onRemove}
      />
    </div>
  );
}

type SideProps = ValueProps & { text: string; onText: (text: string) => void; isName?: boolean };

/** One side of a comparison: a value box over a text of the language. */
function SideBox({ text, onText, isName, ...props }: SideProps) {
  const value = valueOfText(text, props.editor.expressions.known.value.get(text)?.chain?.value);
  const known = text.trim() === "" ? undefined : props.editor.expressions.get(text);
  const literal = known?.chain?.kind === "literal" && known.chain.filters.length === 0;
  return (
    <ValueBox
      {...props}
      plain
      long={false}
      value={text.trim() === "" ? undefined : literal ? known.chain!.value as Json : value}
      placeholder={isName ? T("{ for a variable") : undefined}
      onChange={(next) => onText(textOfValue(next))}
    />
  );
}

/** Without asking the server: a number, a text in quotes, true, false, null; everything else is an expression. */
function valueOfText(text: string, literal: Json | undefined): Json {
  if (literal !== undefined) return literal;
  try {
    const value = JSON.parse(text) as Json;
    if (value === null || typeof value !== "object") return value;
  } catch {
    // An expression.
  }
  return expression(text);
}

function textOfValue(value: Json | undefined): string {
  if (value === undefined) return "";
  const source = expressionOf(value);
  return source !== null ? source : JSON.stringify(value);
}

export type { Test };
