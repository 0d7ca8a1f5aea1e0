/** The head of the editor: what it is, whether it is saved and live, and what can be done with all of it. */
import { Icon } from "../../icons/icon.tsx";
import { timeOfDay } from "../../numbers.ts";
import { T, TN } from "../../words.ts";
import { savingWords } from "../draft.ts";
import { runCommand } from "../panel.ts";
import type { Editor } from "../store.ts";
import { IconButton } from "./icons.tsx";

export function Header({ editor }: { editor: Editor }) {
  const state = editor.state.value;
  const saving = editor.draft.state.value;
  const errors = editor.errors.value;
  const warnings = editor.problems.value.length - errors;
  const isChanged = state.has_changes || !editor.isSaved.value;
  return (
    <header class="stack-head">
      <div class="stack-title">
        <Title editor={editor} />
        <p class="stack-states">
          <span class={`saving ${saving}`} role="status">
            <Icon name={SAVING_ICONS[saving]} size={14} />
            {savingWords(saving, state.saved_at ? timeOfDay(state.saved_at) : "")}
          </span>
          {editor.isReadOnly && <span class="state read-only-state">{T("Read only")}</span>}
          {state.live === null
            ? <span class="state draft">{T("Draft")}</span>
            : (
              <span class={`state ${isChanged ? "changed" : "live"}`}>
                {isChanged
                  ? T("Live: version {number}, draft differs", { number: state.live })
                  : T("Live: version {number}", { number: state.live })}
              </span>
            )}
          {editor.others.value.length > 0 && (
            <span class="state others" role="status">
              <Icon name="people" size={14} />
              {T("Also here: {people}", { people: editor.others.value.join(", ") })}
            </span>
          )}
        </p>
      </div>
      <div class="stack-tools">
        {errors + warnings > 0 && (
          <button
            type="button"
            class={`problems-button ${errors ? "bad" : "warn"}`}
            onClick={() => (editor.dialog.value = "problems")}
          >
            <Icon name={errors ? "error" : "warning"} />
            {errors
              ? TN("{count} problem", "{count} problems", errors)
              : TN("{count} warning", "{count} warnings", warnings)}
          </button>
        )}
        {!editor.isReadOnly && <UndoButtons editor={editor} />}
        <IconButton
          icon="keyboard"
          label={T("Shortcuts")}
          keys="?"
          onClick={() => (editor.dialog.value = "keys")}
        />
        {runCommand.value && !editor.isReadOnly && (
          <button
            type="button"
            class="button run-button"
            title="Ctrl Enter"
            onClick={() => editor.open("debug")}
          >
            <Icon name="play" /> {T("Run & debug")}
          </button>
        )}
        {!editor.isReadOnly && (
          <button
            type="button"
            class="button default"
            disabled={!isChanged && state.live !== null}
            onClick={() => (editor.dialog.value = "publish")}
          >
            {T("Publish")}
          </button>
        )}
      </div>
    </header>
  );
}

function UndoButtons({ editor }: { editor: Editor }) {
  return (
    <>
      <IconButton
        icon="undo"
        label={T("Undo")}
        keys="Ctrl Z"
        disabled={!editor.canUndo.value}
        onClick={() => editor.undo()}
      />
      <IconButton
        icon="redo"
        label={T("Redo")}
        keys="Ctrl Shift Z"
        disabled={!editor.canRedo.value}
        onClick={() => editor.redo()}
      />
    </>
  );
}

const SAVING_ICONS = {
  saved: "check",
  waiting: "edit",
  saving: "refresh",
  offline: "warning",
  signed_out: "warning",
  conflict: "warning",
  refused: "error",
};

function Title({ editor }: { editor: Editor }) {
  const { method, path, name } = editor.doc.value;
  if (editor.kind !== "endpoint") return <h1>{String(name ?? "")}</h1>;
  const word = String(method ?? "GET");
  return (
    <h1>
      <span class={`method ${word.toLowerCase()}`}>{word}</span> <PathPills path={String(path ?? "/")} />
    </h1>
  );
}

/** A path with its inputs as pills. */
export function PathPills({ path }: { path: string }) {
  return (
    <span class="path">
      {path.split(/(\{\w+\})/).map((part, at) =>
        part.startsWith("{") ? <span class="piece is-name" key={at}>{part.slice(1, -1)}</span> : part
      )}
    </span>
  );
}
