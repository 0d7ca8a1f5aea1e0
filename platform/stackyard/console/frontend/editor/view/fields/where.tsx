/** Which records: conditions on the table's fields with the operators their types know, groups of them, or none. */
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Field as TableField } from "../../answers.ts";
import { expressionOf, isObject, type Json } from "../../model/document.ts";
import { operatorWords, whereOperators } from "../../model/operators.ts";
import { about } from "../../problems.ts";
import { IconButton } from "../icons.tsx";
import { ValueBox, type ValueProps } from "../value_box.tsx";
import { ProblemList } from "./field.tsx";

type Condition = { field: string; op: string; operand: Json; optional: boolean };
type Entry = Condition | { group: string; parts: Json[] };
const GROUPS = ["$or", "$and", "$nor"];

/** A where of the language as entries; what is not understood stays one entry of its own. */
export function entriesOf(where: unknown): Entry[] {
  if (!isObject(where)) return [];
  return Object.entries(where).flatMap(([key, value]): Entry[] => {
    if (GROUPS.includes(key)) return [{ group: key, parts: Array.isArray(value) ? value : [] }];
    if (key === "$not") return [{ group: "$nor", parts: [value] }];
    if (
      isObject(value) && expressionOf(value) === null && Object.keys(value).some((op) => op.startsWith("$"))
    ) {
      if ("$literal" in value || "$field" in value) {
        return [{ field: key, op: "$eq", operand: value, optional: false }];
      }
      const optional = value.$optional === true;
      return Object.entries(value).filter(([op]) => op !== "$optional").map(([op, operand]) => ({
        field: key,
        op,
        operand,
        optional,
      }));
    }
    return [{ field: key, op: "$eq", operand: value, optional: false }];
  });
}

export function whereOf(entries: readonly Entry[]): { [key: string]: Json } {
  const made: { [key: string]: Json } = {};
  const again: Json[] = [];
  for (const entry of entries) {
    if ("group" in entry) {
      if (entry.group in made) again.push({ [entry.group]: entry.parts });
      else made[entry.group] = entry.parts;
      continue;
    }
    const own: { [op: string]: Json } = {
      [entry.op]: entry.operand,
      ...(entry.optional ? { $optional: true } : {}),
    };
    const value: Json = entry.op === "$eq" && !entry.optional ? entry.operand : own;
    const present = made[entry.field];
    if (present === undefined) made[entry.field] = value;
    else if (isOperators(present) && isOperators(value) && !(entry.op in present)) {
      made[entry.field] = { ...present, ...value };
    } else again.push({ [entry.field]: value });
  }
  if (again.length) made.$and = [...(Array.isArray(made.$and) ? made.$and : []), ...again];
  return made;
}

function isOperators(value: Json): value is { [op: string]: Json } {
  return isObject(value) && Object.keys(value).every((key) => key.startsWith("$")) &&
    expressionOf(value) === null;
}

export function WhereField({ fields, ...props }: ValueProps & { fields: readonly TableField[] }) {
  return (
    <WhereGroup
      {...props}
      fields={fields}
      depth={0}
      onChange={(where) => props.onChange(isObject(where) && Object.keys(where).length ? where : undefined)}
    />
  );
}

type GroupProps = ValueProps & { fields: readonly TableField[]; depth: number };

function WhereGroup(props: GroupProps) {
  const { fields, id, depth, problems = [] } = props;
  const entries = entriesOf(props.value);
  const put = (next: Entry[]) => props.onChange(whereOf(next));
  const replace = (at: number, entry: Entry | null) =>
    put(entries.flatMap((one, index) => (index === at ? (entry ? [entry] : []) : [one])));
  const free = fields.find((field) => !entries.some((one) => "field" in one && one.field === field.name));
  const first = (free ?? fields[0])?.name ?? "id";
  return (
    <div class="tests">
      {entries.map((entry, at) =>
        "group" in entry
          ? (
            <NestedGroup
              key={at}
              {...props}
              id={`${id}-${at}`}
              entry={entry}
              problems={about(problems, [entry.group])}
              onEntry={(next) => replace(at, next)}
            />
          )
          : (
            <WhereRow
              key={at}
              {...props}
              id={at === 0 && depth === 0 ? id : `${id}-${at}`}
              condition={entry}
              number={at + 1}
              onCondition={(next) => replace(at, next)}
            />
          )
      )}
      <span class="adds">
        <button
          type="button"
          class="add-button"
          id={entries.length === 0 && depth === 0 ? id : undefined}
          onClick={() => put([...entries, { field: first, op: "$eq", operand: "", optional: false }])}
        >
          <Icon name="plus" size={14} /> {T("Add a condition")}
        </button>
        {depth < 3 && (
          <button
            type="button"
            class="add-button"
            onClick={() => put([...entries, { group: "$or", parts: [{ [first]: "" }, { [first]: "" }] }])}
          >
            <Icon name="plus" size={14} /> {T("Add “one of these”")}
          </button>
        )}
      </span>
    </div>
  );
}

type NestedProps = GroupProps & {
  entry: { group: string; parts: Json[] };
  onEntry: (entry: Entry | null) => void;
};

function NestedGroup({ entry, onEntry, ...props }: NestedProps) {
  const set = (parts: Json[]) => onEntry(parts.length ? { ...entry, parts } : null);
  return (
    <fieldset class="nested">
      <legend>
        <select
          aria-label={T("How the conditions are joined")}
          value={entry.group}
          onChange={(event) => onEntry({ ...entry, group: event.currentTarget.value })}
        >
          <option value="$or">{T("one of these")}</option>
          <option value="$and">{T("all of these")}</option>
          <option value="$nor">{T("none of these")}</option>
        </select>
        <IconButton icon="minus" size={14} label={T("Take the group away")} onClick={() => onEntry(null)} />
      </legend>
      {entry.parts.map((part, at) => (
        <WhereGroup
          key={at}
          {...props}
          id={`${props.id}-part-${at}`}
          value={part}
          depth={props.depth + 1}
          problems={about(props.problems ?? [], [at])}
          onChange={(next) =>
            set(
              entry.parts.flatMap((one, index) =>
                index !== at ? [one] : isObject(next) && Object.keys(next).length ? [next] : []
              ),
            )}
        />
      ))}
    </fieldset>
  );
}

type RowProps = GroupProps & {
  condition: Condition;
  number: number;
  onCondition: (condition: Condition | null) => void;
};

function WhereRow({ condition, number, onCondition, fields, ...props }: RowProps) {
  const field = fields.find((one) => one.name === condition.field);
  const known = whereOperators(field?.operators);
  const operators = known.includes(condition.op) ? known : [...known, condition.op];
  const problems = (props.problems ?? []).filter((one) => one.part.includes(condition.field));
  const set = (change: Partial<Condition>) => onCondition({ ...condition, ...change });
  const isPath = !field && condition.field.includes(".");
  return (
    <div class="test where" role="group" aria-label={T("Condition {number}", { number })}>
      {isPath
        ? (
          <input
            type="text"
            class="code operator"
            aria-label={T("Field")}
            value={condition.field}
            onChange={(event) => set({ field: event.currentTarget.value })}
          />
        )
        : (
          <select
            class="field-choice"
            id={props.id}
            aria-label={T("Field")}
            value={condition.field}
            onChange={(event) => {
              const next = fields.find((one) => one.name === event.currentTarget.value);
              const fitsOperator = next?.operators.includes(condition.op);
              set({ field: event.currentTarget.value, op: fitsOperator ? condition.op : "$eq" });
            }}
          >
            {!field && <option value={condition.field}>{condition.field}</option>}
            {fields.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select>
        )}
      <select
        class="operator"
        aria-label={T("Comparison")}
        value={condition.op}
        onChange={(event) => {
          const op = event.currentTarget.value;
          set({ op, operand: operandFor(op, condition.operand) });
        }}
      >
        {operators.map((op) => <option key={op} value={op}>{operatorWords(op)}</option>)}
      </select>
      <Operand
        {...props}
        fields={fields}
        condition={condition}
        field={field}
        onOperand={(operand) => set({ operand })}
      />
      <button
        type="button"
        class={`optional ${condition.optional ? "on" : ""}`}
        aria-pressed={condition.optional}
        title={T("Leave this condition out when its value is empty")}
        onClick={() => set({ optional: !condition.optional })}
      >
        {T("if given")}
      </button>
      <IconButton
        icon="minus"
        size={14}
        label={T("Take condition {number} away", { number })}
        onClick={() => onCondition(null)}
      />
      <ProblemList editor={props.editor} problems={problems} />
    </div>
  );
}

/** What stays of an operand when the operator becomes another one. */
function operandFor(op: string, operand: Json): Json {
  const isList = Array.isArray(operand);
  if (op === "$exists") return typeof operand === "boolean" ? operand : true;
  if (op === "$between") return isList && operand.length === 2 ? operand : ["", ""];
  if (op === "$in" || op === "$nin" || op === "$has_any" || op === "$has_all") {
    return isList || expressionOf(operand) !== null ? operand : operand === "" ? [] : [operand];
  }
  return isList || typeof operand === "boolean" ? (isList ? operand[0] ?? "" : operand) : operand;
}

type OperandProps = GroupProps & {
  condition: Condition;
  field: TableField | undefined;
  onOperand: (operand: Json) => void;
};

function Operand({ condition, field, onOperand, ...props }: OperandProps) {
  const { op, operand } = condition;
  if (op === "$exists") {
    return (
      <select
        aria-label={T("Value")}
        value={String(operand !== false)}
        onChange={(event) => onOperand(event.currentTarget.value === "true")}
      >
        <option value="true">{T("Yes")}</option>
        <option value="false">{T("No")}</option>
      </select>
    );
  }
  const isMany = ["$in", "$nin", "$has_any", "$has_all", "$between"].includes(op);
  const type = field?.value && { ...field.value, nullable: false };
  return (
    <ValueBox
      {...props}
      id={`${props.id}-value`}
      label={T("Value of {field}", { field: condition.field })}
      value={operand === "" ? undefined : operand}
      type={isMany ? { name: "list", of: type } : type}
      problems={[]}
      placeholder={T("Value, or {")}
      onChange={(next) => onOperand(next ?? "")}
    />
  );
}
