/** One parameter of a step: the control that its kind asks for. */
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Json, Line, Parameter } from "../../model/document.ts";
import { typeWords } from "../../model/scope.ts";
import type { Problem } from "../../problems.ts";
import type { Editor } from "../../store.ts";
import { rename } from "../inspector.tsx";
import { ValueBox, type ValueProps } from "../value_box.tsx";
import { later } from "../later.tsx";
import { joinedFields, outputsOf } from "../../model/queries.ts";
import { AddonsField } from "./addons.tsx";
import { MapEditor } from "./collections.tsx";
import { ConditionField } from "./condition.tsx";
import { DataField } from "./data.tsx";
import { Field } from "./field.tsx";
import {
  Choice,
  CodeField,
  JsonField,
  NameField,
  Several,
  SortField,
  TextField,
  Texts,
  YesNo,
} from "./plain.tsx";
import { WhereField } from "./where.tsx";

const JoinsField = later(() => import("./queries.tsx").then((part) => part.JoinsField));
const GroupsField = later(() => import("./queries.tsx").then((part) => part.GroupsField));
const MeasuresField = later(() => import("./queries.tsx").then((part) => part.MeasuresField));

type Props = { editor: Editor; line: Line; parameter: Parameter; problems: readonly Problem[] };

const GROUPED = new Set([
  "condition",
  "where",
  "sort",
  "data",
  "map",
  "list",
  "fields",
  "variables",
  "json",
  "addons",
  "joins",
  "groups",
  "measures",
  "code",
]);

export function ParameterField({ editor, line, parameter, problems }: Props) {
  if (parameter.widget === "branches") return <Branches editor={editor} line={line} parameter={parameter} />;
  const id = `${line.id}-${parameter.name}`;
  if (parameter.widget === "yes_no") {
    return (
      <Field editor={editor} label={parameter.label} help={parameter.help} problems={problems} group>
        <Control editor={editor} line={line} parameter={parameter} problems={problems} />
      </Field>
    );
  }
  return (
    <Field
      editor={editor}
      id={id}
      label={parameter.label}
      help={parameter.help}
      required={parameter.required}
      problems={isInside(parameter)
        ? problems.filter((one) => one.part.length <= 2)
        : problems.filter((one) => !one.column)}
      group={GROUPED.has(parameter.widget)}
      aside={parameter.type && ["value", "long_text"].includes(parameter.widget)
        ? <span class="type">{typeWords(parameter.type)}</span>
        : undefined}
    >
      <Control editor={editor} line={line} parameter={parameter} problems={problems} />
    </Field>
  );
}

/** Whether the control shows problems of its parts itself. */
function isInside(parameter: Parameter): boolean {
  return ["data", "where", "addons", "joins", "groups", "measures"].includes(parameter.widget);
}

function Control({ editor, line, parameter, problems }: Props) {
  const value = line.params?.[parameter.name];
  const set = (next: Json | undefined) => editor.setParam(line.id, [parameter.name], next, parameter.label);
  const id = `${line.id}-${parameter.name}`;
  const wrong = problems.some((one) => one.level === "error");
  const common = { id, label: parameter.label, value, onChange: set, described: `${id}-help`, wrong };
  const inside = problems.map((one) => ({ ...one, part: one.part.slice(2) }));
  const box: ValueProps = {
    ...common,
    editor,
    line: line.id,
    type: parameter.type,
    problems: inside,
    placeholder: parameter.default === undefined || typeof parameter.default === "object"
      ? undefined
      : String(parameter.default),
  };
  const table = line.params?.[parameter.of ?? "table"];
  const fields = joinedFields(table, line.params?.join, editor.catalogue.value.tables);
  const { catalogue } = editor;
  switch (parameter.widget) {
    case "table":
      return <Choice {...common} required choices={named(Object.keys(catalogue.value.tables))} />;
    case "field":
      return (
        <Choice
          {...common}
          required={parameter.required}
          start={parameter.default as string | undefined}
          choices={named(fields.map((field) => field.name))}
        />
      );
    case "fields":
      return <Several {...common} choices={named(fields.map((field) => field.name))} />;
    case "function":
      return <Choice {...common} required choices={named(Object.keys(catalogue.value.functions))} />;
    case "lambda":
      return <Choice {...common} required choices={named(catalogue.value.lambdas)} />;
    case "variables":
      return <Several {...common} choices={named(Object.keys(catalogue.value.variables))} />;
    case "choice":
      return (
        <Choice
          {...common}
          required={parameter.required}
          start={parameter.default === undefined ? undefined : String(parameter.default)}
          choices={named((parameter.choices ?? []).map(String))}
        />
      );
    case "yes_no":
      return <YesNo {...common} start={parameter.default === true} />;
    case "number":
      return <TextField {...common} number />;
    case "text":
      return <TextField {...common} />;
    case "path":
      return (
        <TextField
          {...common}
          code
          list={[...editor.scopeAt(line.id).keys()].filter((name) => name !== "input")}
        />
      );
    case "texts":
      return <Texts {...common} />;
    case "new_name":
      return (
        <NameField
          {...common}
          placeholder={parameter.default as string | undefined}
          onChange={(next) =>
            void rename(
              editor,
              line,
              (value ?? parameter.default) as string | undefined,
              next as string | undefined,
              () => set(next),
            )}
        />
      );
    case "code":
      return <CodeField {...common} />;
    case "condition":
      return <ConditionField {...box} />;
    case "where":
      return <WhereField {...box} fields={fields} />;
    case "sort":
      // What is worked out when it runs, such as `input.sort`, is no list of names to choose from.
      if (![value ?? []].flat().every((one) => typeof one === "string")) return <ValueBox {...box} />;
      return (
        <SortField
          {...common}
          fields={fields}
          more={outputsOf(line.params?.group_by, line.params?.aggregate)}
        />
      );
    case "data":
      return <DataField {...box} fields={fields} />;
    case "addons":
      return <AddonsField {...common} editor={editor} table={table} problems={inside} />;
    case "joins":
    case "groups":
    case "measures": {
      const Form = { joins: JoinsField, groups: GroupsField, measures: MeasuresField }[parameter.widget];
      const choices = (parameter.choices ?? []).map(String);
      return (
        <Form
          {...common}
          editor={editor}
          table={table}
          fields={fields}
          choices={choices}
          problems={inside}
        />
      );
    }
    case "json":
      return <JsonField {...common} />;
    case "map": {
      const known = inputsOf(editor, line, parameter);
      if (value === undefined) return <MapEditor {...box} value={{}} known={known} />;
      return <ValueBox {...box} />;
    }
    case "list":
      return <ValueBox {...box} placeholder={T("{ for a variable")} />;
    case "long_text":
      return <ValueBox {...box} long />;
    default: {
      const field = fields.find((one) => one.name === (line.params?.[parameter.field ?? ""] ?? "id"));
      const type = parameter.field && field ? { ...field.value, nullable: false } : parameter.type;
      return <ValueBox {...box} type={type} />;
    }
  }
}

/** Of a call: the inputs of the function it names. */
function inputsOf(editor: Editor, line: Line, parameter: Parameter): string[] {
  const called = line.params?.function;
  if (parameter.name !== "input" || typeof called !== "string") return [];
  return Object.keys(editor.catalogue.value.functions[called]?.inputs ?? {});
}

function named(names: readonly string[]): [string, string][] {
  return names.map((name) => [name, name]);
}

/** The branches stand in the stack; here is where another one is added. */
function Branches({ editor, line, parameter }: Omit<Props, "problems">) {
  const count = (line.params?.[parameter.name] as Json[] | undefined)?.length ?? 0;
  return (
    <div class="field">
      <button type="button" class="add-button" onClick={() => editor.addBranch(line.id, parameter.name)}>
        <Icon name="plus" size={14} />
        {T("Add a branch: {name}", { name: parameter.label })}
        {count > 0 && <span class="tag">{count}</span>}
      </button>
      <p class="help">{parameter.help}</p>
    </div>
  );
}
