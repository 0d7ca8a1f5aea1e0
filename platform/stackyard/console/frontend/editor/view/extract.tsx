/** The dialog that makes a function of the chosen steps. */
import { useState } from "preact/hooks";
import { Icon } from "../../icons/icon.tsx";
import { Refused } from "../../requests.ts";
import { T } from "../../words.ts";
import type { Editor } from "../store.ts";
import { DialogFrame } from "./dialogs.tsx";

export function ExtractDialog({ editor }: { editor: Editor }) {
  const [name, setName] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const make = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      await editor.extract(name.trim());
      editor.dialog.value = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const details = (error.body as { error?: { details?: { message?: string }[] } } | null)?.error?.details;
      const more = Array.isArray(details) ? details.map((one) => one.message ?? "") : [];
      setFault([error.message, error.suggestion, ...more].filter(Boolean).join(" "));
    }
    setBusy(false);
  };
  return (
    <DialogFrame editor={editor} title={T("Make a function from these steps")}>
      <form onSubmit={make}>
        <p class="help">
          {T(
            "What the steps read becomes its inputs, what is used after them its response. It is published at once, and called where they stood; undoing brings the steps back and leaves the function.",
          )}
        </p>
        <div class="field">
          <label for="function-name">{T("Name of the function")}</label>
          <input
            type="text"
            id="function-name"
            class="wide code"
            required
            autocomplete="off"
            spellcheck={false}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        {fault && (
          <p class="problem error" role="alert">
            <Icon name="error" size={14} />
            {fault}
          </p>
        )}
        <footer>
          <button type="submit" class="button default" disabled={busy || !name.trim()}>
            {T("Make the function")}
          </button>
        </footer>
      </form>
    </DialogFrame>
  );
}
