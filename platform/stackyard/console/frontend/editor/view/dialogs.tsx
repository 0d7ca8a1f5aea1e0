/** Dialogs: publish with the list of changes, compare with theirs, problems, shortcuts. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { copied } from "../../clipboard.ts";
import { Icon } from "../../icons/icon.tsx";
import { get, type Refused, send } from "../../requests.ts";
import { T, TN } from "../../words.ts";
import type { Change, State } from "../answers.ts";
import type { Problem } from "../problems.ts";
import type { Editor } from "../store.ts";
import { ExtractDialog } from "./extract.tsx";
import { Fixes } from "./fields/field.tsx";
import { IconButton } from "./icons.tsx";

export function Dialogs({ editor }: { editor: Editor }) {
  switch (editor.dialog.value) {
    case "publish":
      return <PublishDialog editor={editor} />;
    case "compare":
      return <CompareDialog editor={editor} />;
    case "problems":
      return <ProblemsDialog editor={editor} />;
    case "extract":
      return <ExtractDialog editor={editor} />;
    case "keys":
      return <KeysDialog editor={editor} />;
    default:
      return null;
  }
}

type FrameProps = { editor: Editor; title: string; children: ComponentChildren; wide?: boolean };

export function DialogFrame({ editor, title, children, wide }: FrameProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => {
    editor.dialog.value = null;
    editor.reveal.value = { key: editor.selection.value.focus, focus: true };
  };
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={`stack-dialog ${wide ? "wide" : ""}`}
      aria-labelledby="dialog-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="dialog-inner">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <IconButton icon="close" label={T("Close")} keys="Esc" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

const WHAT_ICONS = { added: "plus", removed: "minus", changed: "edit", moved: "sort" };

export function ChangeList(
  { editor, changes, onGo }: { editor: Editor; changes: Change[]; onGo?: () => void },
) {
  return (
    <ul class="changes">
      {changes.map((change, at) => (
        <li key={at} class={change.what}>
          <Icon name={WHAT_ICONS[change.what]} size={14} />
          {change.line_id && editor.tree.entries.has(change.line_id)
            ? (
              <button
                type="button"
                class="link"
                onClick={() => {
                  onGo?.();
                  editor.tab.value = "stack";
                  editor.choose(change.line_id!);
                }}
              >
                {change.text}
              </button>
            )
            : <span>{change.text}</span>}
        </li>
      ))}
    </ul>
  );
}

function PublishDialog({ editor }: { editor: Editor }) {
  const [changes, setChanges] = useState<Change[] | null>(null);
  const [message, setMessage] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const errors = editor.problems.value.filter((one) => one.level === "error");
  useEffect(() => {
    void (async () => {
      try {
        if (!await editor.save()) {
          return setFault(T("The draft is not saved yet; the bar above the stack says why."));
        }
        setChanges((await get<{ changes: Change[] }>(`${editor.base}changes/`)).changes);
      } catch (error) {
        setFault(words(error));
      }
    })();
  }, []);
  const publish = async () => {
    setBusy(true);
    setFault("");
    try {
      const body = { version: editor.draft.version, message };
      const { curl, ...state } = await send<State & { curl: string }>("POST", `${editor.base}publish/`, body);
      editor.know(state);
      editor.announce(T("Published: version {number} is live.", { number: state.live ?? 0 }));
      editor.published.value = { number: state.live ?? 0, curl, isCopied: await copied(curl) };
      editor.dialog.value = null;
    } catch (error) {
      setFault(words(error));
    }
    setBusy(false);
  };
  const isFirst = editor.state.value.live === null;
  return (
    <DialogFrame editor={editor} title={T("Publish")}>
      {errors.length > 0
        ? (
          <>
            <p>
              {TN("{count} problem stands in the way:", "{count} problems stand in the way:", errors.length)}
            </p>
            <ProblemItems editor={editor} problems={errors} />
          </>
        )
        : (
          <>
            {fault && (
              <p class="problem error" role="alert">
                <Icon name="error" size={14} />
                {fault}
              </p>
            )}
            {changes === null && !fault && <p class="quiet">{T("Looking for what changed…")}</p>}
            {isFirst && <p>{T("This is the first version. From now on it answers calls.")}</p>}
            {!isFirst && changes?.length === 0 && <p>{T("Nothing differs from what is live.")}</p>}
            {!isFirst && changes && changes.length > 0 && (
              <>
                <p>
                  {TN(
                    "{count} change goes live at once:",
                    "{count} changes go live at once:",
                    changes.length,
                  )}
                </p>
                <ChangeList editor={editor} changes={changes} onGo={() => (editor.dialog.value = null)} />
              </>
            )}
            <label for="publish-note">{T("What changed, for others (may stay empty)")}</label>
            <input
              type="text"
              id="publish-note"
              class="wide"
              maxLength={200}
              value={message}
              onInput={(event) => setMessage(event.currentTarget.value)}
              onKeyDown={(event) => event.key === "Enter" && !busy && changes !== null && void publish()}
            />
            <footer>
              <button type="button" class="button" onClick={() => (editor.dialog.value = null)}>
                {T("Cancel")}
              </button>
              <button
                type="button"
                class="button default"
                disabled={busy || changes === null}
                onClick={publish}
              >
                {T("Publish version {number}", { number: (editor.state.value.live ?? 0) + 1 })}
              </button>
            </footer>
          </>
        )}
    </DialogFrame>
  );
}

function words(error: unknown): string {
  const refused = error as Refused;
  const details = (refused.details ?? []) as { message?: string }[];
  const more = Array.isArray(details) ? details.slice(0, 3).map((one) => one.message).filter(Boolean) : [];
  return [refused.message, ...more.filter((one) => !refused.message.includes(one!)), refused.suggestion]
    .filter(Boolean)
    .join(" ");
}

function CompareDialog({ editor }: { editor: Editor }) {
  const theirs = editor.draft.theirs.value;
  const [changes, setChanges] = useState<Change[] | null>(null);
  useEffect(() => {
    void send<{ changes: Change[] }>("POST", `${editor.base}changes/`, { document: editor.doc.value })
      .then((answer) => setChanges(answer.changes), () => setChanges([]));
  }, []);
  if (!theirs) return null;
  return (
    <DialogFrame editor={editor} title={T("Your version and theirs")}>
      <p>{T("What saving yours would change in theirs:")}</p>
      {changes === null
        ? <p class="quiet">…</p>
        : changes.length === 0
        ? <p>{T("Nothing: they are the same.")}</p>
        : <ChangeList editor={editor} changes={changes} />}
      <footer>
        <button
          type="button"
          class="button"
          onClick={() => {
            editor.dialog.value = null;
            editor.take(theirs.document, theirs.version, T("Take theirs"));
          }}
        >
          {T("Take theirs")}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            editor.dialog.value = null;
            void editor.draft.keepMine();
          }}
        >
          {T("Save mine over it")}
        </button>
      </footer>
    </DialogFrame>
  );
}

function ProblemsDialog({ editor }: { editor: Editor }) {
  const problems = editor.problems.value;
  return (
    <DialogFrame editor={editor} title={T("Problems")}>
      {problems.length === 0
        ? <p>{T("There is nothing to mend.")}</p>
        : <ProblemItems editor={editor} problems={problems} />}
    </DialogFrame>
  );
}

function ProblemItems({ editor, problems }: { editor: Editor; problems: readonly Problem[] }) {
  return (
    <ol class="problem-list">
      {problems.map((problem, at) => (
        <li key={at} class={problem.level}>
          <Icon name={problem.level === "error" ? "error" : "warning"} size={14} />
          <span>
            <button type="button" class="link" onClick={() => editor.goTo(problem)}>
              {whereOf(editor, problem)}
            </button>{" "}
            {problem.message} {problem.suggestion}
            <Fixes editor={editor} problem={problem} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function whereOf(editor: Editor, problem: Problem): string {
  if (problem.line_id !== null) {
    const found = editor.line(problem.line_id);
    return found ? T("Step {number}", { number: found.number }) : T("A step");
  }
  const root = problem.path[0];
  if (root === "response") return T("Response");
  if (root === "inputs") return T("Inputs");
  return root === "lines" ? T("Stack") : T("Settings");
}

function KeysDialog({ editor }: { editor: Editor }) {
  const keys: [string, string][] = [
    ["↑ ↓", T("Choose a row; with Shift several")],
    ["← →", T("Fold and unfold, go out and in")],
    ["Ctrl ← →", T("Fold and unfold everything")],
    ["/", T("Add a step below")],
    ["Enter", T("Edit the step; Esc goes back")],
    ["Alt ↑ ↓", T("Move through every place, into blocks and out")],
    ["Ctrl D", T("Duplicate")],
    ["X", T("Switch off or on")],
    ["Del", T("Delete")],
    ["M", T("Everything else that can be done with a step")],
    ["Ctrl C, X, V", T("Copy, cut, paste: steps travel as text, to other stacks too")],
    ["Ctrl Z, Ctrl Shift Z", T("Undo, redo")],
    ["Ctrl F", T("Find in the stack")],
    ["{", T("Choose a variable, in any value")],
    ["Ctrl Enter", T("Run")],
    ["Ctrl S", T("Save now; it also saves by itself")],
  ];
  return (
    <DialogFrame editor={editor} title={T("Shortcuts")}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </DialogFrame>
  );
}
