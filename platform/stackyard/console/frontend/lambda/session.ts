/** One person at one lambda: drafts that save themselves, checks, runs with their output as it comes. */
import { batch, signal } from "@preact/signals";
import type { Mark } from "../code/editor.ts";
import { get, Refused, send } from "../requests.ts";
import { T } from "../words.ts";
import { type Declarations, readDeclarations } from "./declarations.ts";

export type Other = { field: string; level: string; message: string };
type Found = { marks: Mark[]; others: Other[]; form: Record<string, string[]> };
type Saved = Found & { version: string };
export type Failure = { name: string; message: string; line?: number; column?: number; suggestion?: string };
export type Ended = {
  id: string;
  state: "succeeded" | "failed" | "timed_out" | "cancelled" | string;
  milliseconds: number;
  value: string;
  value_cut: boolean;
  bytes: number;
  error: Failure | null;
  logs: string;
};
type Going = { id: string; state: "running"; logs: string };
type NotRun = { id: string; state: "refused"; logs: string; error: Failure };
export type SaveState = "saved" | "waiting" | "saving" | "offline" | "signed-out" | "conflict" | "refused";

const SAVE_MS = 1200;
const ASK_MS = 250;

export class LambdaSession {
  readonly saveState = signal<SaveState>("saved");
  readonly savedAt = signal<number | null>(null);
  readonly failure = signal<Refused | null>(null);
  readonly found = signal<Found>({ marks: [], others: [], form: {} });
  readonly isChecking = signal(false);
  readonly isBusy = signal(false);
  readonly logs = signal("");
  readonly ended = signal<Ended | NotRun | null>(null);
  readonly theirs = signal<{ version: string; code: string } | null>(null);
  known: Declarations = { interfaces: {}, globals: {} };
  #running: string | null = null;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<boolean> | null = null;
  #kept: string;

  constructor(
    readonly address: string,
    public version: string,
    readonly onScreen: () => { code: string; form: string },
    private readonly onVersion: (version: string) => void,
  ) {
    this.#kept = this.#key();
    const local = this.local();
    if (local) this.saveState.value = local.isBehind ? "conflict" : "waiting";
  }

  url(rest: string): string {
    return `${this.address}code/${rest}`;
  }

  async learn(): Promise<void> {
    await this.#guarded(async () => {
      const words = await get<{ platform: string; workspace: string }>(this.url("words/"));
      this.known = readDeclarations(`${words.platform}\n${words.workspace}`);
    });
  }

  #key(): string {
    const { code, form } = this.onScreen();
    return `${form}\u0000${code}`;
  }

  get isSaved(): boolean {
    return this.#key() === this.#kept;
  }

  /** Something was typed: kept on this computer at once, on the server a little later. */
  changed(): void {
    if (this.isSaved) return;
    try {
      localStorage.setItem(
        this.#place,
        JSON.stringify({ version: this.version, ...this.onScreen() }),
      );
    } catch {
      // No room, or not allowed: the server has it in a second.
    }
    if (this.saveState.value === "saved" || this.saveState.value === "waiting") {
      this.saveState.value = "waiting";
    }
    clearTimeout(this.#timer);
    if (this.saveState.value !== "conflict") this.#timer = setTimeout(() => void this.save(), SAVE_MS);
  }

  get #place(): string {
    return `stackyard:${this.address}code`;
  }

  /** What this computer kept of an edit that never reached the server; `isBehind` when the draft has moved since. */
  local(): { code: string; form: string; isBehind: boolean } | null {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#place) ?? "null");
      if (!kept) return null;
      const now = this.onScreen();
      const form = typeof kept.form === "string" ? kept.form : now.form;
      if (kept.code === now.code && form === now.form) return null;
      return { code: String(kept.code), form, isBehind: kept.version !== this.version };
    } catch {
      return null;
    }
  }

  /** When the save that is under way is over; null when there is none. No other begins by itself meanwhile. */
  settled(): Promise<unknown> | null {
    clearTimeout(this.#timer);
    return this.#saving;
  }

  async save(force = false): Promise<boolean> {
    clearTimeout(this.#timer);
    if (this.#saving) await this.#saving;
    if (this.isSaved && !force) {
      this.saveState.value = "saved";
      return true;
    }
    this.#saving = this.#save(force);
    const done = await this.#saving;
    this.#saving = null;
    if (done && !this.isSaved) this.changed();
    return done;
  }

  async #save(force: boolean): Promise<boolean> {
    const sent = this.onScreen();
    this.saveState.value = "saving";
    try {
      const saved = await send<Saved>("PUT", this.url("draft/"), {
        ...sent,
        version: this.version,
        ...(force ? { force } : {}),
      });
      this.#kept = `${sent.form}\u0000${sent.code}`;
      this.version = saved.version;
      this.onVersion(saved.version);
      batch(() => {
        this.found.value = {
          ...saved,
          marks: [...saved.marks, ...this.found.value.marks.filter((one) => one.level !== "error")],
        };
        this.saveState.value = "saved";
        this.savedAt.value = Date.now();
        this.theirs.value = null;
        this.failure.value = null;
      });
      localStorage.removeItem(this.#place);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#notSaved(error);
      return false;
    }
  }

  #notSaved(error: Refused): void {
    if (error.status === 409) {
      const body = error.body as { error?: { details?: { version: string; code: string } } };
      this.theirs.value = body.error?.details ?? null;
      this.saveState.value = "conflict";
      return;
    }
    const isPassing = error.status === 0 || error.status >= 500;
    this.saveState.value = isPassing ? "offline" : error.status === 401 ? "signed-out" : "refused";
    this.failure.value = error;
    // Tried again until it works: the edit is on this computer meanwhile.
    if (this.saveState.value !== "refused") this.#timer = setTimeout(() => void this.save(), 5000);
  }

  async check(): Promise<void> {
    this.isChecking.value = true;
    await this.#guarded(async () => {
      this.found.value = await send<Found>("POST", this.url("check/"), this.onScreen());
    });
    this.isChecking.value = false;
  }

  async run(input: unknown, sample: string): Promise<void> {
    if (this.isBusy.value) return;
    this.#stopped = false;
    batch(() => {
      this.isBusy.value = true;
      this.logs.value = "";
      this.ended.value = null;
      this.failure.value = null;
    });
    await this.#guarded(async () => {
      const body = { ...this.onScreen(), input, sample };
      let answer = await send<Going | NotRun | Ended>("POST", this.url("run/"), body);
      while (answer.state === "running") {
        this.#running = answer.id;
        this.logs.value = answer.logs;
        if (this.#stopped) await this.#stop(answer.id);
        await new Promise((done) => setTimeout(done, ASK_MS));
        answer = await get<Going | NotRun | Ended>(this.url(`runs/${answer.id}/`));
      }
      batch(() => {
        this.ended.value = answer as Ended | NotRun;
        this.logs.value = answer.logs;
      });
    });
    this.#running = null;
    this.isBusy.value = false;
  }

  async cancel(): Promise<void> {
    this.#stopped = true;
    if (this.#running) await this.#guarded(() => this.#stop(this.#running!));
  }

  async #stop(id: string): Promise<void> {
    await send("POST", this.url(`runs/${id}/cancel/`), {});
  }

  async wholeValue(id: string): Promise<string | null> {
    let text = "", from: number | null = 0;
    return await this.#guarded(async () => {
      while (from !== null) {
        const part: { text: string; next: number | null } = await get(
          this.url(`runs/${id}/value/?from=${from}`),
        );
        text += part.text;
        from = part.next;
      }
      return text;
    });
  }

  async #guarded<Value>(deed: () => Promise<Value>): Promise<Value | null> {
    try {
      return await deed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failure.value = error;
      return null;
    }
  }

  words(): string {
    switch (this.saveState.value) {
      case "waiting":
        return T("Edited");
      case "saving":
        return T("Saving…");
      case "offline":
        return T("Offline: kept on this computer");
      case "signed-out":
        return T("Signed out: kept on this computer");
      case "conflict":
        return T("Somebody else saved");
      case "refused":
        return T("Not saved");
      default:
        return T("Saved");
    }
  }
}
