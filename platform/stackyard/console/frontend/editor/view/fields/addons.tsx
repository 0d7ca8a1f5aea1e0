/** Related records of each record found: chosen by relation or table, each with its fields, and with addons of its own. */
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import { type Addon, freeName, relationsOf } from "../../model/addons.ts";
import { isObject, type Json } from "../../model/document.ts";
import { about, type Problem } from "../../problems.ts";
import type { Editor } from "../../store.ts";
import { IconButton } from "../icons.tsx";
import { focusSoon } from "./collections.tsx";
import { Field, freshFieldId } from "./field.tsx";
import { Choice, JsonField, Several, SortField, TextField } from "./plain.tsx";
import { useMemo } from "preact/hooks";

type Props = {
  editor: Editor;
  id: string;
  label: string;
  /** The table whose records get more. */
  table: unknown;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  problems: readonly Problem[];
  described?: string;
};

export function AddonsField(props: Props) {
  const { editor, id, value, onChange, problems } = props;
  const isForm = value === undefined || Array.isArray(value) && value.every(isObject);
  if (!isForm || typeof props.table !== "string") return <JsonField {...props} />;
  const addons = (value ?? []) as Addon[];
  const set = (next: Addon[]) => onChange(next.length ? next as Json : undefined);
  return (
    <div class="tests addons">
      {addons.map((addon, at) => (
        <OneAddon
          key={at}
          editor={editor}
          id={`${id}-${at}`}
          parent={props.table as string}
          addon={addon}
          problems={about(problems, [at]).map((one) => ({ ...one, part: one.part.slice(1) }))}
          onChange={(next) => set(addons.map((one, index) => (index === at ? next : one)))}
          onRemove={() => set(addons.filter((_, index) => index !== at))}
        />
      ))}
      <AddOne
        {...props}
        table={props.table}
        taken={addons.map((one) => one.as ?? one.table ?? "")}
        onAdd={(addon) => {
          set([...addons, addon]);
          focusSoon(`${id}-${addons.length}-as`);
        }}
      />
    </div>
  );
}

/** The relations and tables there are, as one choice. */
function AddOne(
  { editor, id, table, taken, onAdd }: Props & {
    table: string;
    taken: string[];
    onAdd: (addon: Addon) => void;
  },
) {
  const { tables } = editor.catalogue.value;
  const relations = relationsOf(table, tables, taken);
  const words = ({ by, isBack, addon }: (typeof relations)[number]) =>
    isBack
      ? T("{table}, whose {field} is this record", { table: addon.table, field: by })
      : T("{table}, by {field}", { table: addon.table, field: by });
  return (
    <span class="adds">
      <select
        id={id}
        aria-label={T("Add related records of {table}", { table })}
        value=""
        onChange={(event) => {
          const [way, name] = event.currentTarget.value.split(":") as [string, string];
          event.currentTarget.value = "";
          if (way === "relation") onAdd(relations[Number(name)]!.addon);
          else onAdd({ table: name, match: { id: "id" }, as: freeName(name, taken, `${name}_of_${table}`) });
        }}
      >
        <option value="">{T("Add related records…")}</option>
        {relations.length > 0 && (
          <optgroup label={T("By reference")}>
            {relations.map((one, at) => <option key={at} value={`relation:${at}`}>{words(one)}</option>)}
          </optgroup>
        )}
        <optgroup label={T("Any table")}>
          {Object.keys(tables).map((name) => <option key={name} value={`table:${name}`}>{name}</option>)}
        </optgroup>
      </select>
    </span>
  );
}

type OneProps = {
  editor: Editor;
  id: string;
  parent: string;
  addon: Addon;
  problems: readonly Problem[];
  onChange: (addon: Addon) => void;
  onRemove: () => void;
};

function OneAddon({ editor, id, parent, addon, problems, onChange, onRemove }: OneProps) {
  const group = useMemo(freshFieldId, []);
  const fields = editor.fieldsOf(addon.table);
  const names = fields.filter((field) => !field.private).map((
    field,
  ): [string, string] => [field.name, field.name]);
  const set = (name: keyof Addon) => (next: Json | undefined) => {
    const { [name]: _, ...rest } = addon;
    onChange(next === undefined ? rest : { ...addon, [name]: next } as Addon);
  };
  const within = (name: string) => about(problems, [name]);
  const part = (name: string) => ({ editor, id: `${id}-${name}`, problems: within(name) });
  return (
    <div class="nested" role="group" aria-labelledby={group}>
      <div class="field-head">
        <span class="label" id={group}>
          <Icon name="link" size={14} /> {addon.table ?? T("A table")}
        </span>
        <IconButton
          icon="minus"
          size={14}
          label={T("Take {name} away", { name: addon.as ?? addon.table ?? "" })}
          onClick={onRemove}
        />
      </div>
      <Field {...part("as")} label={T("Put into the record as")}>
        <TextField
          id={`${id}-as`}
          label="as"
          value={addon.as}
          placeholder={addon.table}
          code
          onChange={set("as")}
        />
      </Field>
      <Matches
        id={id}
        editor={editor}
        parent={parent}
        addon={addon}
        problems={within("match")}
        onChange={set("match")}
      />
      <Field {...part("return")} label={T("What comes back")}>
        <Choice
          id={`${id}-return`}
          label="return"
          value={addon.return}
          start="list"
          choices={[["list", T("all of them, as a list")], ["single", T("one record")], [
            "count",
            T("how many"),
          ], [
            "exists",
            T("whether there are any"),
          ]]}
          onChange={(next) => set("return")(next === "list" ? undefined : next)}
        />
      </Field>
      {(addon.return ?? "list") !== "count" && addon.return !== "exists" && (
        <>
          <Field {...part("fields")} label={T("Fields; all that are public unless chosen")} group>
            <Several
              id={`${id}-fields`}
              label={T("Fields of {table}", { table: addon.table ?? "" })}
              value={addon.fields}
              choices={names}
              onChange={set("fields")}
            />
          </Field>
          <Field {...part("sort")} label={T("Sort")} group>
            <SortField
              id={`${id}-sort`}
              label="sort"
              value={addon.sort}
              fields={fields}
              onChange={set("sort")}
            />
          </Field>
          <Field
            {...part("addons")}
            problems={within("addons").filter((one) => one.part.length < 2)}
            label={T("Related records of these")}
            group
          >
            <AddonsField
              editor={editor}
              id={`${id}-addons`}
              label="addons"
              table={addon.table}
              value={addon.addons}
              problems={within("addons").map((one) => ({ ...one, part: one.part.slice(1) }))}
              onChange={set("addons")}
            />
          </Field>
        </>
      )}
    </div>
  );
}

/** Which of their fields holds which of ours. */
function Matches(
  { id, editor, parent, addon, problems, onChange }: Omit<OneProps, "onChange" | "onRemove"> & {
    onChange: (match: Json) => void;
  },
) {
  const theirs = editor.fieldsOf(addon.table).map((field): [string, string] => [field.name, field.name]);
  const ours = editor.fieldsOf(parent).map((field): [string, string] => [field.name, field.name]);
  const pairs = Object.entries(addon.match ?? {});
  const replace = (at: number, pair: [string, string]) =>
    onChange(Object.fromEntries(pairs.map((one, index) => (index === at ? pair : one))));
  return (
    <Field editor={editor} id={`${id}-match`} label={T("Which belong together")} problems={problems} group>
      {pairs.map(([mine, our], at) => (
        <div class="test" key={at}>
          <select
            id={at === 0 ? `${id}-match` : undefined}
            aria-label={T("Field of {table}", { table: addon.table ?? "" })}
            value={mine}
            onChange={(event) => replace(at, [event.currentTarget.value, our])}
          >
            {withOwn(theirs, mine).map(([name]) => <option key={name} value={name}>{name}</option>)}
          </select>
          <span class="quiet" aria-hidden="true">=</span>
          <select
            aria-label={T("Field of {table} that it equals", { table: parent })}
            value={our}
            onChange={(event) =>
              replace(at, [mine, event.currentTarget.value])}
          >
            {withOwn(ours, our).map(([name]) => <option key={name} value={name}>{parent}.{name}</option>)}
          </select>
        </div>
      ))}
    </Field>
  );
}

function withOwn(choices: [string, string][], name: string): [string, string][] {
  return choices.some(([one]) => one === name) ? choices : [[name, name], ...choices];
}
