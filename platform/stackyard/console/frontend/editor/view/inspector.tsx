/** The form of what is chosen: made from the kind's parameters, nothing about a kind is written here. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { send } from "../../requests.ts";
import { T, TN } from "../../words.ts";
import { Icon } from "../../icons/icon.tsx";
import { type Doc, type Json, type Kind, type Line, type Parameter, withPart } from "../model/document.ts";
import { namesOf } from "../model/making.ts";
import { RESPONSE, type SlotRow } from "../model/rows.ts";
import type { Expression } from "../model/sentences.ts";
import { lastRun } from "../panel.ts";
import { about, type Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { ConditionField } from "./fields/condition.tsx";
import { Field, ProblemList } from "./fields/field.tsx";
import { NameField } from "./fields/plain.tsx";
import { ParameterField } from "./fields/parameter.tsx";
import { IconButton, KindTile, Tile } from "./icons.tsx";
import { ValueBox } from "./value_box.tsx";

export function Inspector({ editor }: { editor: Editor }) {
  const place = useRef<HTMLDivElement>(null);
  const { focus, lines } = editor.selection.value;
  const wish = editor.editing.value;
  // Before the next key: what is typed at once must not go past the field.
  useLayoutEffect(() => {
    if (wish === 0) return;
    const first = place.current?.querySelector<HTMLElement>(
      ".form input:not([type=checkbox]), .form select, .form textarea, .form .pill, .form .add-button",
    );
    first?.focus();
    if (first instanceof HTMLInputElement && first.type === "text") first.select();
  }, [wish]);
  const row = editor.rows.value.find((one) => one.key === focus);
  let inner;
  if (lines.size > 1) inner = <ManyLines editor={editor} />;
  else if (row?.type === "line") {
    inner = <StepForm key={row.key} editor={editor} line={row.line} number={row.number} />;
  } else if (row?.type === "slot" && row.slot.branch !== undefined) {
    inner = <BranchForm key={row.key} editor={editor} row={row} />;
  } else if (row?.type === "response") inner = <ResponseForm editor={editor} />;
  else {
    inner = (
      <p class="panel-empty">
        {T("Choose a step to see its form here, or press / to add one.")}
      </p>
    );
  }
  return (
    <div
      ref={place}
      class="inspector"
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) {
          editor.reveal.value = { key: editor.selection.value.focus, focus: true };
          editor.isPanelOpen.value = false;
          event.preventDefault();
        }
      }}
    >
      {inner}
    </div>
  );
}

function ManyLines({ editor }: { editor: Editor }) {
  const { lines } = editor.selection.value;
  return (
    <div class="form">
      <h3>{TN("{count} step chosen", "{count} steps chosen", lines.size)}</h3>
      <p class="help">{T("Move them with Alt ↑ and ↓ or by a handle, copy them with Ctrl C.")}</p>
      <div class="stacked-buttons">
        <button type="button" class="button" onClick={() => editor.duplicate()}>{T("Duplicate")}</button>
        <button type="button" class="button" onClick={() => editor.toggle()}>{T("Switch on or off")}</button>
        <button type="button" class="button danger-text" onClick={() => editor.remove()}>
          {T("Delete")}
        </button>
      </div>
    </div>
  );
}

function StepForm({ editor, line, number }: { editor: Editor; line: Line; number: string }) {
  const kind = editor.kinds[line.step];
  const problems = editor.problemsByLine.value.get(line.id) ?? [];
  if (!kind) return <UnknownStep editor={editor} line={line} problems={problems} />;
  const own = kind.parameters.filter((one) => one.widget !== "lines");
  const isSet = (one: Parameter) =>
    line.params?.[one.name] !== undefined || about(problems, ["params", one.name]).length > 0;
  const plain = own.filter((one) => !one.advanced);
  const advanced = own.filter((one) => one.advanced);
  const shown = ["params", "as"];
  const others = problems.filter((one) => !shown.includes(String(one.part[0])) || !isAtField(one, own));
  return (
    <div class="form">
      <header class="form-head">
        <KindTile kind={kind} />
        <div>
          <h3>{kind.label}</h3>
          <p class="help">{T("Step {number}", { number })} · {kind.help}</p>
        </div>
      </header>
      <ProblemList editor={editor} problems={others} />
      {plain.map((parameter) => (
        <ParameterField
          key={parameter.name}
          editor={editor}
          line={line}
          parameter={parameter}
          problems={about(problems, ["params", parameter.name])}
        />
      ))}
      {kind.gives_result && <ResultField editor={editor} line={line} problems={about(problems, ["as"])} />}
      {advanced.length > 0 && (
        <details class="more" open={advanced.some(isSet)}>
          <summary>{TN("{count} more setting", "{count} more settings", advanced.length)}</summary>
          {advanced.map((parameter) => (
            <ParameterField
              key={parameter.name}
              editor={editor}
              line={line}
              parameter={parameter}
              problems={about(problems, ["params", parameter.name])}
            />
          ))}
        </details>
      )}
      <NoteField editor={editor} line={line} />
      {line.disabled && (
        <p class="off-note">
          {T("This step is switched off: it does not run.")}{" "}
          <button type="button" class="link" onClick={() => editor.toggle()}>{T("Switch it on")}</button>
        </p>
      )}
      <LastValue editor={editor} line={line} />
    </div>
  );
}

function isAtField(problem: Problem, own: readonly Parameter[]): boolean {
  return problem.part[0] === "as" || own.some((one) => one.name === problem.part[1]);
}

function UnknownStep(
  { editor, line, problems }: { editor: Editor; line: Line; problems: readonly Problem[] },
) {
  return (
    <div class="form">
      <header class="form-head">
        <KindTile kind={undefined} />
        <div>
          <h3>{line.step}</h3>
          <p class="help">
            {T("This kind of step is not known here. It is kept as it is, and cannot be published.")}
          </p>
        </div>
      </header>
      <ProblemList editor={editor} problems={problems} />
      <pre class="raw" tabIndex={0}>{JSON.stringify(line.params ?? {}, null, 2)}</pre>
    </div>
  );
}

/** The result's name. A new one is given to every expression that reads the old one, as one step that can be undone. */
function ResultField(
  { editor, line, problems }: { editor: Editor; line: Line; problems: readonly Problem[] },
) {
  const id = `${line.id}-as`;
  return (
    <Field editor={editor} id={id} label={T("Save result as")} problems={problems}>
      <NameField
        id={id}
        label={T("Save result as")}
        value={line.as}
        placeholder={T("The result is not kept")}
        wrong={problems.length > 0}
        onChange={(next) =>
          void rename(editor, line, line.as, next as string | undefined, (doc) =>
            setAs(editor, doc, line, next))}
      />
    </Field>
  );
}

function setAs(editor: Editor, doc: Doc, line: Line, name: Json | undefined): void {
  void doc;
  editor.setLine(line.id, ({ as: _, ...rest }) => (name ? { ...rest, as: String(name) } : rest), T("Rename"));
}

export async function rename(
  editor: Editor,
  line: Line,
  from: string | undefined,
  to: string | undefined,
  plainly: (doc: Doc) => void,
): Promise<void> {
  const doc = editor.doc.value;
  const isShared = from && to && /^[A-Za-z_]\w{0,62}$/.test(to) && countOf(doc, editor, from) === 1 &&
    !namesOf(doc, editor.kinds).has(to);
  if (!isShared) return plainly(doc);
  try {
    type Answer = { document: Doc; expressions: { [source: string]: Expression } };
    const made = await send<Answer>("POST", `${editor.base}rename/`, { document: doc, from, to });
    if (editor.doc.value !== doc) return plainly(editor.doc.value);
    editor.expressions.add(made.expressions);
    editor.change(made.document, T("Rename {from} to {to}", { from: from!, to: to! }));
    editor.announce(T("{from} is called {to} everywhere now", { from: from!, to: to! }));
  } catch {
    plainly(doc);
  }
}

/** How many lines give this name: one that several give is not renamed as if it were one thing. */
function countOf(doc: Doc, editor: Editor, name: string): number {
  void doc;
  let count = 0;
  for (const { line } of editor.tree.entries.values()) {
    if (line.as === name) count++;
    for (const parameter of editor.kinds[line.step]?.parameters ?? []) {
      const value = line.params?.[parameter.name] ?? parameter.default;
      if (parameter.widget === "new_name" && value === name) count++;
    }
  }
  return count;
}

function NoteField({ editor, line }: { editor: Editor; line: Line }) {
  const id = `${line.id}-note`;
  return (
    <details class="more" open={!!line.note}>
      <summary>{T("Note")}</summary>
      <label for={id} class="visually-hidden">{T("Note")}</label>
      <textarea
        id={id}
        class="wide"
        rows={2}
        value={line.note ?? ""}
        placeholder={T("Why this step is here")}
        onInput={(event) => {
          const note = event.currentTarget.value;
          editor.setLine(
            line.id,
            ({ note: _, ...rest }) => (note ? { ...rest, note } : rest),
            T("Change {what}", { what: T("Note") }),
            `${line.id}:note`,
          );
        }}
      />
    </details>
  );
}

function LastValue({ editor, line }: { editor: Editor; line: Line }) {
  const run = lastRun.value?.lines[line.id];
  if (!run || (run.value === undefined && !run.message)) return null;
  return (
    <section class={`last-run ${editor.isRunStale.value ? "stale" : ""}`} aria-label={T("Last run")}>
      <h4>{T("Last run")}</h4>
      {run.message && (
        <p class="problem error">
          <Icon name="error" size={14} />
          {run.message}
        </p>
      )}
      {run.value !== undefined && <pre tabIndex={0}>{pretty(run.value)}</pre>}
    </section>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, 20_000);
  } catch {
    return text;
  }
}

function BranchForm({ editor, row }: { editor: Editor; row: SlotRow }) {
  const { owner, slot } = row;
  const parameter = slot.parameter;
  const kind = editor.kinds[owner.step] as Kind;
  const path = [parameter.name, slot.branch!, parameter.test!];
  const branches = owner.params?.[parameter.name] as Json[];
  const value = (branches[slot.branch!] as { [key: string]: Json })[parameter.test!];
  const problems = about(editor.problemsByLine.value.get(owner.id) ?? [], ["params", ...path]);
  const id = `${owner.id}-${path.join("-")}`;
  const props = {
    editor,
    line: owner.id,
    id,
    label: parameter.label,
    value,
    problems,
    onChange: (next: Json | undefined) => editor.setParam(owner.id, path, next ?? "", parameter.label),
  };
  return (
    <div class="form">
      <header class="form-head">
        <KindTile kind={kind} />
        <div>
          <h3>{parameter.label}</h3>
          <p class="help">
            {T("Branch {number} of step {step}", {
              number: slot.branch! + 1,
              step: editor.numberOf(owner.id),
            })}
          </p>
        </div>
      </header>
      <Field
        editor={editor}
        id={id}
        label={parameter.test === "if" ? T("If") : T("Is equal to")}
        required
        problems={problems}
      >
        {parameter.test === "if"
          ? <ConditionField {...props} value={value === "" ? undefined : value} />
          : <ValueBox {...props} />}
      </Field>
      <div class="stacked-buttons">
        <button
          type="button"
          class="button"
          onClick={() => moveBranch(editor, owner, parameter, slot.branch!, -1)}
          disabled={slot.branch === 0}
        >
          {T("Move branch up")}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => moveBranch(editor, owner, parameter, slot.branch!, 1)}
          disabled={slot.branch === branches.length - 1}
        >
          {T("Move branch down")}
        </button>
        <button
          type="button"
          class="button danger-text"
          onClick={() =>
            editor.setParam(owner.id, [parameter.name, slot.branch!], undefined, parameter.label)}
        >
          {T("Remove this branch")}
        </button>
      </div>
    </div>
  );
}

function moveBranch(editor: Editor, owner: Line, parameter: Parameter, at: number, by: number): void {
  const branches = [...(owner.params?.[parameter.name] as Json[])];
  const [moved] = branches.splice(at, 1);
  branches.splice(at + by, 0, moved!);
  editor.setParam(owner.id, [parameter.name], branches, parameter.label);
  editor.pick(`${owner.id}/${parameter.name}.${at + by}.${parameter.block}`, { focus: false });
}

function ResponseForm({ editor }: { editor: Editor }) {
  const problems = editor.problemsByLine.value.get(RESPONSE) ?? [];
  const value = editor.doc.value.response as Json | undefined;
  return (
    <div class="form">
      <header class="form-head">
        <Tile icon="send" colour="finish" />
        <div>
          <h3>{T("Response")}</h3>
          <p class="help">{T("What whoever calls is given: any value, or several by name.")}</p>
        </div>
      </header>
      <Field editor={editor} id="response-value" label={T("Respond with")} problems={problems}>
        <ValueBox
          editor={editor}
          line={null}
          id="response-value"
          label={T("Respond with")}
          value={value === null ? undefined : value}
          problems={about(problems, ["response"])}
          onChange={(next) => editor.setSetting(["response"], next ?? null, T("Response"))}
        />
      </Field>
      {(value === null || value === undefined) && (
        <button
          type="button"
          class="add-button"
          onClick={() => editor.setSetting(["response"], {}, T("Response"))}
        >
          <Icon name="plus" size={14} /> {T("Respond with named values")}
        </button>
      )}
    </div>
  );
}

export { IconButton, withPart };
