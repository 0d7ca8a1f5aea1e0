/**
 * The code of a lambda: `{% island "lambda_code" props %}` in the page's form. What is typed goes into the form's own
 * textarea too, so that Save and Publish of the page send it, and saves itself a moment later.
 */
import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { render } from "preact";
import type { CodeEditor, Mark } from "../code/editor.ts";
import { Icon } from "../icons/icon.tsx";
import { mount } from "../island.ts";
import { explain, suggest } from "../lambda/completion.ts";
import { inputOf, RunPanel } from "../lambda/panel.tsx";
import { LambdaSession } from "../lambda/session.ts";
import { timeOfDay } from "../numbers.ts";
import { T } from "../words.ts";

type Props = {
  address: string;
  version: string;
  sample: string;
  marks: Mark[];
  /** What is wrong with the settings that were sent, by field. */
  form: Record<string, string[]>;
};

const form = document.querySelector<HTMLFormElement>("form.editor")!;
const area = form.querySelector<HTMLTextAreaElement>("textarea[name=text]")!;
const sample = signal("{}");
let session: LambdaSession;
let editor: CodeEditor | null = null;

/** The settings as the form would send them; without the code, which goes beside them. */
function settings(): string {
  const data = new FormData(form);
  for (const name of ["csrfmiddlewaretoken", "text", "seen", "caret", "message", "inputs"]) data.delete(name);
  return new URLSearchParams([...data].map(([name, value]) => [name, String(value)])).toString();
}

/** Put settings back that `settings` has written. */
function restore(written: string): void {
  const given = new URLSearchParams(written);
  for (const control of form.querySelectorAll<HTMLInputElement>("#settings [name]")) {
    const values = given.getAll(control.name);
    if (control.type === "checkbox" || control.type === "radio") {
      control.checked = values.includes(control.value);
    } else if (control instanceof HTMLSelectElement && control.multiple) {
      for (const option of (control as HTMLSelectElement).options) {
        option.selected = values.includes(option.value);
      }
    } else if (values.length) control.value = values[0]!;
  }
}

function begin(props: Props): LambdaSession {
  sample.value = props.sample;
  const seen = form.querySelector<HTMLInputElement>("input[name=seen]")!;
  const made = new LambdaSession(
    props.address,
    props.version,
    () => ({ code: area.value, form: settings() }),
    (version) => seen.value = version,
  );
  made.found.value = { marks: props.marks, others: [], form: props.form };
  form.addEventListener("input", (event) => {
    if ((event.target as HTMLElement).closest("#settings")) made.changed();
  });
  form.addEventListener("change", (event) => {
    if ((event.target as HTMLElement).closest("#settings")) made.changed();
  });
  // "Start a run" of the page sends the form's own input.
  const inputs = form.querySelector<HTMLTextAreaElement>("textarea[name=inputs]");
  effect(() => {
    if (inputs) inputs.value = sample.value;
  });
  let isSending = false;
  form.addEventListener("submit", (event) => {
    isSending = true;
    // A draft on its way would move the version that the form is about to name.
    const waiting = made.settled();
    if (!waiting) return;
    event.preventDefault();
    const button = event.submitter;
    void waiting.then(() => form.requestSubmit(button));
  });
  // In place of the plain page's own question, which does not know of drafts that save themselves.
  addEventListener("beforeunload", (event) => {
    event.stopImmediatePropagation();
    if (!made.isSaved && !isSending) event.preventDefault();
  }, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key === "Enter") run();
    else if (event.key.toLowerCase() === "s") void made.save().then(() => made.check());
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
  return made;
}

function run(): boolean {
  const read = inputOf(sample.value);
  if ("value" in read) void session.run(read.value, sample.value);
  return true;
}

function LambdaCode(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  session ??= begin(props);
  useEffect(() => {
    void session.learn();
    void import("../code/editor.ts").then(({ codeEditor }) => {
      if (!place.current || editor) return;
      const kept = session.local();
      if (kept?.isBehind) session.theirs.value = { version: props.version, code: area.value };
      if (kept) {
        area.value = kept.code;
        restore(kept.form);
      }
      editor = codeEditor({
        parent: place.current,
        text: area.value,
        language: "typescript",
        label: T("The code"),
        onChange: (text) => {
          area.value = text;
          session.changed();
        },
        complete: (context) => {
          const code = context.state.doc.toString();
          const found = suggest(session.known, code, context.pos, sampleValue());
          if (
            !found ||
            (!context.explicit && found.from === context.pos && !/[.{,"' ]$/.test(code.slice(0, context.pos)))
          ) {
            return null;
          }
          return {
            from: found.from,
            options: found.members.map((one) => ({
              label: one.name,
              detail: one.type.length > 60 ? `${one.type.slice(0, 60)}…` : one.type,
              type: one.type.startsWith("(") || one.type.startsWith("<") ? "function" : "property",
            })),
            validFor: /^[\w$]*$/,
          };
        },
        explain: (code, at) => explain(session.known, code, at, sampleValue()),
      });
      if (kept) session.changed();
      document.documentElement.dataset.codeEditor = "ready";
    });
    // Marks of the last check, and of a run that failed at a line.
    return effect(() => {
      const { marks } = session.found.value;
      const error = session.ended.value?.error;
      const failed: Mark[] = error?.line
        ? [{ line: error.line, column: error.column ?? 1, level: "error", message: error.message }]
        : [];
      setTimeout(() => editor?.mark([...marks, ...failed]));
    });
  }, []);
  return (
    <div class="lambda-code">
      <Bar />
      <Conflict />
      <div ref={place} class="code-place" />
      <p class="help">
        {T("TypeScript or JavaScript, with await and return at the top.")} {T(
          "Tab indents; Escape, then Tab leaves the code. Ctrl Space suggests, Ctrl S saves and checks, Ctrl Enter runs.",
        )}
      </p>
      <Problems />
    </div>
  );
}

function sampleValue(): unknown {
  const read = inputOf(sample.value);
  return "value" in read ? read.value : null;
}

function Bar() {
  const state = session.saveState.value;
  const at = session.savedAt.value;
  const isBad = state === "offline" || state === "signed-out" || state === "refused" || state === "conflict";
  return (
    <p class={`save-state ${isBad ? "bad" : ""}`} role="status">
      <Icon name={isBad ? "warning" : state === "saved" ? "check" : "edit"} /> {session.words()}
      {state === "saved" && at ? ` ${timeOfDay(at)}` : ""}
      <button
        type="button"
        class="quiet-button"
        disabled={session.isChecking.value}
        onClick={() => session.check()}
      >
        {session.isChecking.value ? T("Checking…") : T("Check types")}
      </button>
    </p>
  );
}

function Conflict() {
  const theirs = session.theirs.value;
  if (!theirs) return null;
  const take = () => {
    session.version = theirs.version;
    session.theirs.value = null;
    editor?.replace(theirs.code);
    void session.save(true);
  };
  const keep = () => {
    session.version = theirs.version;
    void session.save(true);
  };
  return (
    <div class="conflict" role="alert">
      <p>{T("Somebody saved this lambda after you opened it. Nothing of yours is lost.")}</p>
      <details>
        <summary>{T("Their code")}</summary>
        <pre tabIndex={0}>{theirs.code}</pre>
      </details>
      <button type="button" class="button" onClick={keep}>{T("Keep mine")}</button>
      <button type="button" class="button" onClick={take}>{T("Take theirs")}</button>
    </div>
  );
}

function Problems() {
  const { marks, others, form: faults } = session.found.value;
  const fields = Object.entries(faults).flatMap(([field, texts]) =>
    texts.map((message) => ({ field, level: "error", message }))
  );
  if (marks.length + others.length + fields.length === 0) return null;
  return (
    <ul class="code-problems" aria-label={T("Problems")}>
      {marks.map((mark, index) => (
        <li key={index} class={mark.level}>
          <button type="button" class="link-button" onClick={() => editor?.goTo(mark.line, mark.column)}>
            {T("Line {line}", { line: mark.line })}
          </button>{" "}
          {mark.message}
        </li>
      ))}
      {[...fields, ...others].map((one, index) => (
        <li key={`other-${index}`} class={one.level}>
          {one.field && <code>{one.field}</code>} {one.message}
        </li>
      ))}
    </ul>
  );
}

mount("lambda_code", LambdaCode);
for (const place of document.querySelectorAll<HTMLElement>("[data-lambda-run]")) {
  render(
    <RunPanel session={session!} sample={sample} goTo={(line, column) => editor?.goTo(line, column)} />,
    place,
  );
  place.hidden = false;
}
