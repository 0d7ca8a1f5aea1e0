/** Parts of a query with forms of their own: tables beside this one, groups, and what is worked out of each. */
import type { ComponentChildren } from "preact";
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Field as TableField } from "../../answers.ts";
import { freeName, relationsOf } from "../../model/addons.ts";
import type { Json } from "../../model/document.ts";
import {
  type Group,
  groupsAsJson,
  groupsOf,
  type Join,
  joinAlong,
  joinsOf,
  type Measure,
  measuresAsJson,
  measuresOf,
  nameOfGroup,
  nameOfMeasure,
} from "../../model/queries.ts";
import { about, type Problem } from "../../problems.ts";
import type { Editor } from "../../store.ts";
import { IconButton } from "../icons.tsx";
import { Field, ProblemList } from "./field.tsx";
import { Choice, JsonField, NameField } from "./plain.tsx";

type Props = {
  editor: Editor;
  id: string;
  label: string;
  /** The table that is read, and all fields the query can name. */
  table: unknown;
  fields: readonly TableField[];
  choices: readonly string[];
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  problems: readonly Problem[];
  described?: string;
};

const named = (names: readonly string[]): [string, string][] => names.map((name) => [name, name]);

/** What a line of `all` does: replaced at its place, or taken away. */
function changed<Entry>(all: readonly Entry[], at: number, next: Entry | null): Entry[] {
  return next === null
    ? all.filter((_, index) => index !== at)
    : all.map((one, index) => (index === at ? next : one));
}

export function JoinsField(props: Props) {
  const { editor, id, value, onChange, problems } = props;
  const joins = joinsOf(value);
  if (!joins || typeof props.table !== "string") return <JsonField {...props} />;
  const set = (next: Join[]) => onChange(next.length ? next as Json : undefined);
  const { tables } = editor.catalogue.value;
  const taken = joins.map((one) => one.as ?? one.table ?? "");
  const relations = relationsOf(props.table, tables, taken);
  return (
    <div class="tests joins">
      {joins.map((join, at) => (
        <OneJoin
          key={at}
          {...props}
          id={`${id}-${at}`}
          join={join}
          problems={about(problems, [at]).map((one) => ({ ...one, part: one.part.slice(1) }))}
          onChange={(next) => set(changed(joins, at, next))}
        />
      ))}
      <select
        id={id}
        aria-label={T("Join a table")}
        value=""
        onChange={(event) => {
          const [way, name] = event.currentTarget.value.split(":") as [string, string];
          event.currentTarget.value = "";
          const join = way === "relation"
            ? joinAlong(relations[Number(name)]!, taken)
            : { table: name, as: freeName(name, taken, name), match: { id: "id" }, type: "left" };
          set([...joins, join]);
        }}
      >
        <option value="">{T("Join a table…")}</option>
        {relations.length > 0 && (
          <optgroup label={T("By reference")}>
            {relations.map(({ by, isBack, addon }, at) => (
              <option key={at} value={`relation:${at}`}>
                {isBack
                  ? T("{table}, whose {field} is this record", { table: addon.table, field: by })
                  : T("{table}, by {field}", { table: addon.table, field: by })}
              </option>
            ))}
          </optgroup>
        )}
        <optgroup label={T("Any table")}>
          {Object.keys(tables).map((name) => <option key={name} value={`table:${name}`}>{name}</option>)}
        </optgroup>
      </select>
    </div>
  );
}

function OneJoin(
  { editor, id, table, fields, choices, join, problems, onChange }:
    & Omit<Props, "onChange" | "value" | "label">
    & {
      join: Join;
      onChange: (join: Join | null) => void;
    },
) {
  const name = join.as ?? join.table ?? "";
  const theirs = editor.fieldsOf(join.table).map((field) => field.name);
  // Fields of this join itself come after what it is joined to.
  const ours = fields.map((field) => field.name).filter((one) => !one.startsWith(`${name}.`));
  const pairs = Object.entries(join.match ?? {});
  const pair = (at: number, next: [string, string]) =>
    onChange({ ...join, match: Object.fromEntries(changed(pairs, at, next)) });
  const part = (key: string) => ({ editor, id: `${id}-${key}`, problems: about(problems, [key]) });
  return (
    <Entry title={join.table ?? T("A table")} name={name} onRemove={() => onChange(null)}>
      <ProblemList editor={editor} problems={problems.filter((one) => one.part.length === 0)} />
      <Field {...part("as")} label={T("Its fields are called as")}>
        <NameField
          id={`${id}-as`}
          label="as"
          value={join.as}
          placeholder={join.table}
          onChange={(next) => onChange({ ...join, as: (next as string | undefined) ?? join.table ?? "" })}
        />
      </Field>
      <Field {...part("match")} label={T("Which belong together")} group>
        {pairs.map(([mine, our], at) => (
          <div class="test" key={at}>
            <Select
              label={T("Field of {table}", { table: join.table ?? "" })}
              value={mine}
              choices={theirs}
              onChange={(next) => pair(at, [next, our])}
            />
            <span class="quiet" aria-hidden="true">=</span>
            <Select
              label={T("Field of {table} that it equals", { table: String(table) })}
              value={our}
              choices={ours}
              onChange={(next) => pair(at, [mine, next])}
            />
          </div>
        ))}
      </Field>
      <Field {...part("type")} label={T("Records without one")}>
        <Choice
          id={`${id}-type`}
          label="type"
          value={join.type}
          start="left"
          choices={choices.map((one) => [one, typeWords(one)])}
          onChange={(next) => onChange({ ...join, type: String(next ?? "left") })}
        />
      </Field>
    </Entry>
  );
}

function typeWords(type: string): string {
  if (type === "left") return T("are kept, with empty values (left)");
  return type === "inner" ? T("are left out (inner)") : type;
}

export function GroupsField(props: Props) {
  const { editor, id, value, onChange, problems, fields, choices } = props;
  const groups = groupsOf(value);
  if (!groups) return <JsonField {...props} />;
  const set = (next: Group[]) => onChange(groupsAsJson(next));
  const names = fields.map((field) => field.name);
  const times = new Set(
    fields.filter((one) => ["timestamp", "date"].includes(one.type)).map((one) => one.name),
  );
  return (
    <div class="tests groups">
      {groups.map((group, at) => (
        <div class="test sort" key={at}>
          <Select
            id={at === 0 ? id : undefined}
            label={T("Group by")}
            value={group.field}
            choices={names}
            onChange={(field) => set(changed(groups, at, times.has(field) ? { ...group, field } : { field }))}
          />
          {(times.has(group.field) || group.part) && (
            <Select
              label={T("Part of {field}", { field: group.field })}
              value={group.part ?? ""}
              choices={["", ...choices]}
              empty={T("the whole value")}
              onChange={(part) => {
                const { part: _, time_zone, ...rest } = group;
                set(
                  changed(groups, at, part ? { ...rest, part, ...(time_zone ? { time_zone } : {}) } : rest),
                );
              }}
            />
          )}
          <IconButton
            icon="minus"
            size={14}
            label={T("Take {name} away", { name: group.as ?? nameOfGroup(group) })}
            onClick={() => set(changed(groups, at, null))}
          />
          <ProblemList editor={editor} problems={about(problems, [at])} />
        </div>
      ))}
      <AddButton
        id={groups.length === 0 ? id : undefined}
        onClick={() =>
          set([...groups, { field: names.find((one) => !groups.some((two) => two.field === one)) ?? "id" }])}
      >
        {T("Group by a field")}
      </AddButton>
    </div>
  );
}

export function MeasuresField(props: Props) {
  const { editor, id, value, onChange, problems, fields, choices } = props;
  const measures = measuresOf(value);
  if (!measures) return <JsonField {...props} />;
  const set = (next: Measure[]) => onChange(measuresAsJson(next));
  const taken = measures.map((one) => one.name);
  const fitting = (of: string) =>
    fields.filter((field) =>
      of === "sum" || of === "avg" ? ["int", "decimal", "float"].includes(field.value.name) : true
    ).map((field) => field.name);
  return (
    <div class="tests measures">
      {measures.map((measure, at) => (
        <div class="nested" key={at} role="group" aria-label={measure.name}>
          <div class="field-head">
            <NameField
              id={`${id}-${at}-name`}
              label={T("Name")}
              value={measure.name}
              onChange={(next) => {
                const name = String(next ?? measure.name);
                if (!taken.includes(name)) set(changed(measures, at, { ...measure, name }));
              }}
            />
            <IconButton
              icon="minus"
              size={14}
              label={T("Take {name} away", { name: measure.name })}
              onClick={() => set(changed(measures, at, null))}
            />
          </div>
          <label class="visually-hidden" for={`${id}-${at}-name`}>{T("Name")}</label>
          <div class="test">
            <Select
              label={T("What to work out")}
              value={measure.function}
              choices={choices}
              words={functionWords}
              onChange={(of) => {
                const field = of === "count" || fitting(of).includes(measure.field)
                  ? measure.field
                  : fitting(of).find((one) => one !== "id") ?? "id";
                set(changed(measures, at, { ...measure, function: of, field }));
              }}
            />
            <Select
              label={T("Of which field")}
              value={measure.field}
              choices={measure.function === "count" ? ["", ...fitting("count")] : fitting(measure.function)}
              empty={T("all records")}
              onChange={(field) => set(changed(measures, at, { ...measure, field }))}
            />
          </div>
          <ProblemList editor={editor} problems={about(problems, [measure.name])} />
        </div>
      ))}
      <AddButton
        id={measures.length === 0 ? id : undefined}
        onClick={() =>
          set([...measures, { name: nameOfMeasure("count", "", taken), function: "count", field: "" }])}
      >
        {T("Work out a value")}
      </AddButton>
    </div>
  );
}

function functionWords(name: string): string {
  switch (name) {
    case "count":
      return T("how many");
    case "count_distinct":
      return T("how many different");
    case "sum":
      return T("the sum");
    case "avg":
      return T("the average");
    case "min":
      return T("the least");
    case "max":
      return T("the greatest");
    default:
      return name;
  }
}

function Select(
  { id, label, value, choices, onChange, empty = "–", words = (one) => one }: {
    id?: string;
    label: string;
    value: string;
    choices: readonly string[];
    onChange: (value: string) => void;
    empty?: string;
    words?: (name: string) => string;
  },
) {
  const known = choices.includes(value) ? choices : [value, ...choices];
  return (
    <select
      id={id}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {named(known).map(([name]) => (
        <option key={name} value={name}>{name === "" ? empty : words(name)}</option>
      ))}
    </select>
  );
}

function Entry(
  { title, name, onRemove, children }: {
    title: string;
    name: string;
    onRemove: () => void;
    children: ComponentChildren;
  },
) {
  return (
    <div class="nested" role="group" aria-label={name}>
      <div class="field-head">
        <span class="label">
          <Icon name="link" size={14} /> {title}
        </span>
        <IconButton icon="minus" size={14} label={T("Take {name} away", { name })} onClick={onRemove} />
      </div>
      {children}
    </div>
  );
}

function AddButton(
  { id, onClick, children }: { id?: string; onClick: () => void; children: ComponentChildren },
) {
  return (
    <button type="button" class="add-button" id={id} onClick={onClick}>
      <Icon name="plus" size={14} /> {children}
    </button>
  );
}
