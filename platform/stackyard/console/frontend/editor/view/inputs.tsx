/** The inputs of the stack: name, type, where it comes from, and what its type can be told. */
import { useState } from "preact/hooks";
import { Icon } from "../../icons/icon.tsx";
import { T } from "../../words.ts";
import { send } from "../../requests.ts";
import type { InputType } from "../answers.ts";
import { type Doc, isObject, type Json, withKeyRenamed } from "../model/document.ts";
import type { Expression } from "../model/sentences.ts";
import { placeOf, type Spec, specOf } from "../model/inputs.ts";
import { about, type Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { focusSoon } from "./fields/collections.tsx";
import { Field, ProblemList } from "./fields/field.tsx";
import { JsonField, NameField, TextField, Texts, YesNo } from "./fields/plain.tsx";
import { IconButton } from "./icons.tsx";
import { ValueBox } from "./value_box.tsx";

export function InputsTab({ editor }: { editor: Editor }) {
  const doc = editor.doc.value;
  const inputs = isObject(doc.inputs) ? doc.inputs : {};
  const names = Object.keys(inputs);
  const [open, setOpen] = useState<string>(names[0] ?? "");
  const problems = editor.problems.value.filter((one) => one.path[0] === "inputs");
  const set = (next: { [name: string]: Json }) => editor.setSetting(["inputs"], next, T("Inputs"));
  const add = () => {
    let name = "value";
    for (let number = 2; name in inputs; number++) name = `value${number}`;
    set({ ...inputs, [name]: { type: "text" } });
    setOpen(name);
    focusSoon(`input-${name}-name`);
  };
  return (
    <section class="tab-page" aria-label={T("Inputs")}>
      <p class="lead-text">
        {T(
          "What a call may send. Every input is checked before the first step runs; steps read it as input.name.",
        )}
      </p>
      {names.length === 0 && (
        <p class="empty-note">
          {T("This stack takes no inputs yet. Add one to let callers say what they want.")}
        </p>
      )}
      {names.map((name) => {
        const spec = specOf(inputs[name]);
        const own = about(problems, ["inputs", name]);
        const place = placeOf(name, spec, doc);
        return (
          <details
            key={name}
            class="input-card"
            open={open === name || own.length > 0}
            onToggle={(event) => event.currentTarget.open ? setOpen(name) : open === name && setOpen("")}
          >
            <summary>
              <span class="piece is-name">{name}</span>
              <span class="quiet">
                {[String(spec.type), place, spec.required || place === "path" ? T("required") : ""].filter(
                  Boolean,
                ).join(" · ")}
              </span>
              {own.some((one) => one.level === "error") && <span class="tag bad">{T("to mend")}</span>}
            </summary>
            <InputForm
              editor={editor}
              name={name}
              spec={spec}
              place={place}
              problems={own}
              onSpec={(next) => set({ ...inputs, [name]: next })}
              onName={(next) => void renameInput(editor, name, next).then(() => setOpen(next))}
              onRemove={() => {
                const { [name]: _, ...rest } = inputs;
                set(rest);
              }}
            />
          </details>
        );
      })}
      <button type="button" class="add-button big" onClick={add}>
        <Icon name="plus" size={14} /> {T("Add an input")}
      </button>
    </section>
  );
}

/** The input in its place, in the path and in every expression, by the server's one parser; only in its place while that can't be. */
async function renameInput(editor: Editor, from: string, to: string): Promise<void> {
  const doc = editor.doc.value;
  const inputs = isObject(doc.inputs) ? doc.inputs : {};
  // A field that is taken away says once more what it was left with, when the input is called that already.
  if (!(from in inputs) || to in inputs) return;
  try {
    type Answer = { document: Doc; expressions: { [source: string]: Expression } };
    const made = await send<Answer>("POST", `${editor.base}rename/`, {
      document: doc,
      from,
      to,
      of: "inputs",
    });
    if (editor.doc.value !== doc) return;
    editor.expressions.add(made.expressions);
    editor.change(made.document, T("Rename {from} to {to}", { from, to }));
    editor.announce(T("{from} is called {to} everywhere now", { from, to }));
  } catch {
    if (editor.doc.value !== doc) return;
    editor.setSetting(["inputs"], withKeyRenamed(inputs, [from], to), T("Inputs"));
  }
}

type FormProps = {
  editor: Editor;
  name: string;
  spec: Spec;
  place: string;
  problems: readonly Problem[];
  onSpec: (spec: Spec) => void;
  onName: (name: string) => void;
  onRemove: () => void;
};

/** Options that every input has, whatever its type. */
const OWN = ["type", "required", "nullable", "default", "description", "in", "list", "sensitive"];

function InputForm({ editor, name, spec, place, problems, onSpec, onName, onRemove }: FormProps) {
  const id = (part: string) => `input-${name}-${part}`;
  const types = editor.catalogue.value.input_types;
  const type = types.find((one) => one.name === spec.type);
  const set = (option: string, value: Json | undefined) => {
    const { [option]: _, ...rest } = spec;
    onSpec(value === undefined ? rest : { ...rest, [option]: value });
  };
  const of = (option: string) => about(problems, ["inputs", name, option]);
  const others = problems.filter((one) => one.part.length <= 2);
  const isEndpoint = editor.kind === "endpoint";
  return (
    <div class="form grid">
      <ProblemList editor={editor} problems={others} />
      <Field editor={editor} id={id("name")} label={T("Name")}>
        <NameField
          id={id("name")}
          label={T("Name")}
          value={name}
          onChange={(next) => next && onName(String(next))}
        />
      </Field>
      <Field editor={editor} id={id("type")} label={T("Type")} problems={of("type")} help={type?.help}>
        <select
          id={id("type")}
          class="wide"
          value={String(spec.type)}
          onChange={(event) => {
            const kept = Object.fromEntries(Object.entries(spec).filter(([key]) => OWN.includes(key)));
            onSpec({ ...kept, type: event.currentTarget.value });
          }}
        >
          {!type && <option value={String(spec.type)}>{String(spec.type)}</option>}
          {types.map((one) => <option key={one.name} value={one.name}>{one.label}</option>)}
        </select>
      </Field>
      {isEndpoint && place !== "path" && (
        <Field editor={editor} id={id("in")} label={T("Comes from")} problems={of("in")}>
          <select
            id={id("in")}
            class="wide"
            value={typeof spec.in === "string" ? spec.in : ""}
            onChange={(event) =>
              set("in", event.currentTarget.value || undefined)}
          >
            <option value="">
              {T("the usual place: {place}", { place: placeOf(name, { type: "text" }, editor.doc.value) })}
            </option>
            <option value="query">{T("the query")}</option>
            <option value="body">{T("the body")}</option>
            <option value="header">{T("a header")}</option>
          </select>
        </Field>
      )}
      {place !== "path" && (
        <Field
          editor={editor}
          id={id("default")}
          label={T("Default")}
          problems={of("default")}
          help={T("Taken when nothing is sent.")}
        >
          <ValueBox
            editor={editor}
            line={null}
            id={id("default")}
            label={T("Default")}
            plain
            value={spec.default}
            type={{ name: VALUE_TYPES[String(spec.type)] ?? "any" }}
            placeholder={T("none")}
            onChange={(next) => set("default", next)}
          />
        </Field>
      )}
      <Field editor={editor} id={id("description")} label={T("Description")} problems={of("description")}>
        <TextField
          id={id("description")}
          label={T("Description")}
          value={spec.description}
          onChange={(next) => set("description", next)}
        />
      </Field>
      <div class="field checks">
        {place !== "path" && (
          <>
            <YesNo
              id={id("required")}
              label={T("Required")}
              value={spec.required}
              start={false}
              onChange={(next) => set("required", next)}
            />
            <YesNo
              id={id("nullable")}
              label={T("May be null")}
              value={spec.nullable}
              start={false}
              onChange={(next) => set("nullable", next)}
            />
            <YesNo
              id={id("list")}
              label={T("A list of these")}
              value={spec.list}
              start={false}
              onChange={(next) => set("list", next)}
            />
          </>
        )}
        <YesNo
          id={id("sensitive")}
          label={T("Hidden in the history")}
          value={spec.sensitive}
          start={false}
          onChange={(next) => set("sensitive", next)}
        />
      </div>
      {type && <TypeOptions editor={editor} id={id} type={type} spec={spec} of={of} set={set} />}
      <button type="button" class="button danger-text" onClick={onRemove}>{T("Remove this input")}</button>
    </div>
  );
}

const VALUE_TYPES: { [type: string]: string } = {
  text: "text",
  email: "text",
  uuid: "text",
  enum: "text",
  int: "int",
  reference: "int",
  float: "float",
  decimal: "decimal",
  bool: "bool",
};

type OptionsProps = {
  editor: Editor;
  id: (part: string) => string;
  type: InputType;
  spec: Spec;
  of: (option: string) => Problem[];
  set: (option: string, value: Json | undefined) => void;
};

function TypeOptions({ editor, id, type, spec, of, set }: OptionsProps) {
  const options = Object.entries(type.options);
  if (options.length === 0) return null;
  const isGiven = options.some(([name]) => spec[name] !== undefined || of(name).length > 0);
  return (
    <details class="more" open={isGiven}>
      <summary>{T("Limits and form")}</summary>
      <div class="form grid">
        {options.map(([name, option]) => {
          const common = {
            id: id(name),
            label: name,
            value: spec[name],
            onChange: (next: Json | undefined) => set(name, next),
          };
          const label = name.replaceAll("_", " ");
          const isFlag = option.kind === "bool";
          return (
            <Field
              key={name}
              editor={editor}
              id={isFlag ? undefined : id(name)}
              label={label}
              help={option.help}
              problems={of(name)}
            >
              {isFlag
                ? <YesNo {...common} label={label} start={false} />
                : option.kind === "int" || option.kind === "number"
                ? <TextField {...common} number />
                : option.kind === "texts"
                ? <Texts {...common} />
                : option.kind === "table"
                ? <TextField {...common} list={Object.keys(editor.catalogue.value.tables)} />
                : option.kind === "text"
                ? <TextField {...common} list={option.choices.length ? option.choices : undefined} />
                : <JsonField {...common} />}
            </Field>
          );
        })}
      </div>
    </details>
  );
}

export { IconButton };
