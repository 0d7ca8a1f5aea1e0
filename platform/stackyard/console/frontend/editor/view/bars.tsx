/** Bars over the stack: a save that failed, somebody else's save, edits that were brought back, a way back. */
import { useState } from "preact/hooks";
import { copied } from "../../clipboard.ts";
import { Icon } from "../../icons/icon.tsx";
import { moment } from "../../numbers.ts";
import { T } from "../../words.ts";
import type { Editor } from "../store.ts";

export function Bars({ editor }: { editor: Editor }) {
  const state = editor.draft.state.value;
  return (
    <div class="bars">
      {state === "conflict" && <ConflictBar editor={editor} />}
      {state === "offline" && (
        <p class="bar-line warn" role="alert">
          <Icon name="warning" />
          <span>
            {T(
              "The server does not answer. Your changes are kept on this computer, and are sent when it is back.",
            )}
          </span>
          <button type="button" class="button" onClick={() => editor.draft.wake()}>{T("Try now")}</button>
        </p>
      )}
      {state === "signed_out" && (
        <p class="bar-line warn" role="alert">
          <Icon name="warning" />
          <span>
            {T(
              "You are signed out. Your changes are kept on this computer: sign in, then they are saved by themselves.",
            )}
          </span>
          <a class="button" href="/admin/login/?next=/admin/" target="_blank" rel="noopener">
            {T("Sign in in a new tab")}
          </a>
        </p>
      )}
      {state === "refused" && (
        <p class="bar-line bad" role="alert">
          <Icon name="error" />
          <span>
            {T("The server did not take the draft: {why} Your changes are kept on this computer.", {
              why: editor.draft.message.value,
            })}
          </span>
          <button type="button" class="button" onClick={() => void editor.save()}>{T("Try again")}</button>
        </p>
      )}
      {editor.draft.resumed.value && state !== "conflict" && (
        <p class="bar-line ok" role="status">
          <Icon name="history" />
          <span>{T("Changes of your last visit that had not reached the server are back.")}</span>
          <button type="button" class="button" onClick={() => (editor.draft.resumed.value = false)}>
            {T("Good")}
          </button>
        </p>
      )}
      {editor.published.value && <PublishedBar editor={editor} />}
      {editor.notice.value && (
        <p class="bar-line warn" role="alert">
          <Icon name="warning" />
          <span>{editor.notice.value}</span>
          <button type="button" class="button" onClick={() => (editor.notice.value = "")}>
            {T("Close")}
          </button>
        </p>
      )}
    </div>
  );
}

function PublishedBar({ editor }: { editor: Editor }) {
  const { number, curl, isCopied } = editor.published.value!;
  const copy = async () => {
    editor.published.value = { number, curl, isCopied: await copied(curl) };
  };
  return (
    <div class="bar-line ok published">
      <Icon name="check" />
      <span>
        <strong>{T("Version {number} is live.", { number })}</strong>{" "}
        {curl && (isCopied ? T("The line that calls it is copied:") : T("This line calls it:"))}
        {curl && <code tabIndex={0}>{curl}</code>}
      </span>
      {curl && (
        <button type="button" class="button" onClick={copy}>
          <Icon name={isCopied ? "check" : "copy"} /> {isCopied ? T("Copied") : T("Copy")}
        </button>
      )}
      <button type="button" class="button" onClick={() => (editor.published.value = null)}>
        {T("Close")}
      </button>
    </div>
  );
}

function ConflictBar({ editor }: { editor: Editor }) {
  const theirs = editor.draft.theirs.value;
  const [busy, setBusy] = useState(false);
  if (!theirs) return null;
  const who = theirs.saved_by || T("Somebody");
  return (
    <div class="bar-line warn conflict" role="alert">
      <Icon name="warning" />
      <span>
        <strong>
          {T("{who} saved this at {time}, after you opened it.", { who, time: moment(theirs.saved_at) })}
        </strong>{" "}
        {T("Nothing is lost: your version is kept on this computer until you choose.")}
      </span>
      <span class="choices">
        <button type="button" class="button" onClick={() => (editor.dialog.value = "compare")}>
          {T("Compare")}
        </button>
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={async () => {
            setBusy(true);
            await editor.draft.keepMine();
            setBusy(false);
          }}
        >
          {T("Save mine over it")}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => editor.take(theirs.document, theirs.version, T("Take theirs"))}
        >
          {T("Take theirs")}
        </button>
      </span>
    </div>
  );
}

/** After deleting: a way back, for a few seconds. */
export function DeletedBar({ editor }: { editor: Editor }) {
  if (!editor.deleted.value) return null;
  return (
    <div class="toast">
      <span>{editor.deleted.value}</span>
      <button type="button" class="link" onClick={() => editor.undo()}>{T("Undo")}</button>
    </div>
  );
}
