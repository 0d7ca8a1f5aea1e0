/** The draft between this computer and the server: the model's `Saving` with the real network, clock and storage. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { get, Refused, send } from "../requests.ts";
import { T } from "../words.ts";
import type { Opened, Saved, State } from "./answers.ts";
import { type Doc, same } from "./model/document.ts";
import { type Kept, type SaveFault, Saving, type SavingState, type Theirs } from "./model/saving.ts";
import type { Screen } from "./screen.ts";

export type Draft = {
  readonly state: ReadonlySignal<SavingState>;
  readonly isSaved: ReadonlySignal<boolean>;
  readonly message: ReadonlySignal<string>;
  readonly theirs: ReadonlySignal<Theirs | null>;
  /** Edits of an earlier visit that had not reached the server were brought back. */
  readonly resumed: { value: boolean };
  edit(document: Doc): void;
  take(document: Doc, version: string): void;
  resume(opened: Opened): void;
  flush(): Promise<boolean>;
  wake(): void;
  keepMine(): Promise<boolean>;
  readonly version: string;
};

const PREFIX = "stackyard.draft.";

export function draftSaving(editor: Screen, opened: Opened): Draft {
  const key = PREFIX + editor.address;
  const state = signal<SavingState>("saved");
  const theirs = signal<Theirs | null>(null);
  const message = signal("");
  const resumed = signal(false);

  const saving = new Saving<Saved>(opened.document, opened.version, {
    put: (document, version) => put(editor.base, document, version),
    fault: faultOf,
    saved: (answer, document) => editor.learn(answer, document),
    changed: (now) =>
      batch(() => {
        state.value = now;
        message.value = saving.message;
        theirs.value = saving.theirs;
      }),
    keep: (kept) => keep(key, kept),
    later: (run, milliseconds) => {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    now: () => Date.now(),
  });

  globalThis.addEventListener("online", () => saving.wake());
  globalThis.addEventListener("focus", () => saving.wake());
  globalThis.addEventListener("beforeunload", (event) => {
    if (!saving.isSaved) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && !saving.isSaved && saving.state === "waiting") void saving.flush();
  });

  return {
    state,
    isSaved: computed(() => state.value === "saved"),
    message,
    theirs,
    resumed,
    edit: (document) => saving.edit(document),
    take: (document, version) => saving.take(document, version),
    resume: (found) => {
      const kept = read(key);
      if (!kept || same(kept.document, found.document)) {
        if (kept) keep(key, null);
        return;
      }
      resumed.value = true;
      editor.doc.value = kept.document;
      editor.expressions.learn(kept.document);
      saving.resume(kept, { ...found, document: found.document });
    },
    flush: () => saving.flush(),
    wake: () => saving.wake(),
    keepMine: () => saving.keepMine(),
    get version() {
      return saving.version;
    },
  };
}

async function put(base: string, document: Doc, version: string): Promise<Saved> {
  try {
    return await send<Saved>("PUT", base, { document, version });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 403) throw error;
    // Whoever signed in again (in another tab) has a new token.
    const fresh = await get<{ csrf: string }>(base);
    for (
      const field of globalThis.document.querySelectorAll<HTMLInputElement>("input[name=csrfmiddlewaretoken]")
    ) {
      field.value = fresh.csrf;
    }
    return await send<Saved>("PUT", base, { document, version });
  }
}

function faultOf(error: unknown): SaveFault {
  if (!(error instanceof Refused)) return { status: 500, message: String(error) };
  const details = (error.body as { error?: { details?: State & { document: Doc } } } | null)?.error?.details;
  const isConflict = error.status === 409 && details && "document" in details;
  return {
    status: error.status,
    message: [error.message, error.suggestion].filter(Boolean).join(" "),
    ...(isConflict ? { theirs: details as Theirs } : {}),
  };
}

function keep(key: string, kept: Kept | null): void {
  try {
    if (kept) localStorage.setItem(key, JSON.stringify(kept));
    else localStorage.removeItem(key);
  } catch {
    // A full or forbidden storage: the server still gets every edit, and leaving the page still warns.
  }
}

function read(key: string): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
    return found && Array.isArray(found.document?.lines) ? found : null;
  } catch {
    return null;
  }
}

/** Said beside the title. */
export function savingWords(state: SavingState, at: string): string {
  switch (state) {
    case "saved":
      return at ? T("Saved {time}", { time: at }) : T("Saved");
    case "waiting":
      return T("Unsaved changes");
    case "saving":
      return T("Saving…");
    case "offline":
      return T("Offline, kept on this computer");
    case "signed_out":
      return T("Signed out, kept on this computer");
    case "conflict":
      return T("Changed by somebody else");
    case "refused":
      return T("Not saved, kept on this computer");
  }
}
