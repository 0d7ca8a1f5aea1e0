/**
 * The draft on its way to the server. What is on screen is kept on this computer at once and on the server within two
 * seconds; "saved" is never a flag, but a comparison of what is on screen with what the server said it has.
 */
import { type Doc, same } from "./document.ts";

export type SavingState = "saved" | "waiting" | "saving" | "offline" | "signed_out" | "conflict" | "refused";

export type Kept = { version: string; document: Doc; at: number };
export type Theirs = { version: string; document: Doc; saved_by: string; saved_at: string };
export type SaveAnswer = { version: string; saved_at: string };

/** What went wrong: 0 offline, 401 signed out, 403 an old token, 409 a conflict (with what is there now). */
export type SaveFault = { status: number; message: string; theirs?: Theirs };

export type Ways<Answer extends SaveAnswer> = {
  put(document: Doc, version: string): Promise<Answer>;
  /** Says what kind of fault an error of `put` is. */
  fault(error: unknown): SaveFault;
  saved(answer: Answer, document: Doc): void;
  changed(state: SavingState): void;
  keep(kept: Kept | null): void;
  later(run: () => void, milliseconds: number): () => void;
  now(): number;
};

const QUIET_MS = 500;
const LONGEST_MS = 1500;
const RETRY_MS = [2_000, 4_000, 8_000, 15_000];

export class Saving<Answer extends SaveAnswer> {
  state: SavingState = "saved";
  message = "";
  theirs: Theirs | null = null;
  #document: Doc;
  #saved: Doc;
  #cancel: (() => void) | null = null;
  #waitingSince = 0;
  #running: Promise<boolean> | null = null;
  #failures = 0;

  constructor(document: Doc, public version: string, private readonly ways: Ways<Answer>) {
    this.#document = document;
    this.#saved = document;
  }

  /** Whether the server has what is on screen. */
  get isSaved(): boolean {
    return same(this.#document, this.#saved);
  }

  /** The document on screen is another one now. */
  edit(document: Doc): void {
    this.#document = document;
    if (this.isSaved && !this.#running) {
      this.#stopWaiting();
      this.ways.keep(null);
      if (this.state !== "conflict") this.#become("saved");
      return;
    }
    this.ways.keep({ version: this.version, document, at: this.ways.now() });
    if (this.state === "conflict") return;
    if (this.#running) return;
    if (this.state !== "offline" && this.state !== "signed_out") this.#become("waiting");
    this.#waitingSince ||= this.ways.now();
    const left = Math.max(0, LONGEST_MS - (this.ways.now() - this.#waitingSince));
    this.#schedule(Math.min(QUIET_MS, left));
  }

  /** Edits that never reached the server, found on this computer: they stand on `version`. */
  resume(kept: Kept, theirs: Theirs): void {
    this.#document = kept.document;
    if (kept.version === this.version) return this.edit(kept.document);
    this.theirs = theirs;
    this.ways.keep(kept);
    this.#become("conflict");
  }

  /** Save now, whatever is waiting. True when the server has what is on screen. */
  async flush(): Promise<boolean> {
    this.#stopWaiting();
    if (this.#running) await this.#running;
    if (this.isSaved) return true;
    if (this.state === "conflict") return false;
    return await this.#save();
  }

  /** Of a conflict: put what is on screen on top of what is there now. */
  async keepMine(): Promise<boolean> {
    if (!this.theirs) return false;
    this.version = this.theirs.version;
    this.theirs = null;
    this.#become("waiting");
    return await this.#save();
  }

  /** The server's document is on screen now, and nothing is waiting. */
  take(document: Doc, version: string): void {
    this.#stopWaiting();
    this.#document = document;
    this.#saved = document;
    this.version = version;
    this.theirs = null;
    this.ways.keep(null);
    this.#become("saved");
  }

  /** Something may have changed: the network is back, somebody signed in again. */
  wake(): void {
    if (this.state === "offline" || this.state === "signed_out") {
      this.#failures = 0;
      this.#schedule(0);
    }
  }

  #save(): Promise<boolean> {
    this.#stopWaiting();
    this.#running = this.#put().finally(() => {
      this.#running = null;
      if (!this.isSaved && (this.state === "saved" || this.state === "waiting")) this.edit(this.#document);
    });
    return this.#running;
  }

  async #put(): Promise<boolean> {
    const document = this.#document;
    if (this.state !== "offline" && this.state !== "signed_out") this.#become("saving");
    try {
      const answer = await this.ways.put(document, this.version);
      this.version = answer.version;
      this.#saved = document;
      this.#failures = 0;
      this.ways.saved(answer, document);
      if (this.isSaved) this.ways.keep(null);
      else this.ways.keep({ version: this.version, document: this.#document, at: this.ways.now() });
      this.#become(this.isSaved ? "saved" : "waiting");
      return this.isSaved;
    } catch (error) {
      this.#failed(this.ways.fault(error));
      return false;
    }
  }

  #failed(fault: SaveFault): void {
    this.message = fault.message;
    if (fault.status === 409 && fault.theirs) {
      if (same(fault.theirs.document, this.#document)) {
        // The save had arrived, and only its answer was lost.
        this.take(this.#document, fault.theirs.version);
        return;
      }
      this.theirs = fault.theirs;
      this.#become("conflict");
      return;
    }
    const known: Record<number, SavingState> = { 0: "offline", 401: "signed_out" };
    const isPassing = fault.status === 0 || fault.status === 401 || fault.status >= 500;
    this.#become(known[fault.status] ?? (isPassing ? "offline" : "refused"));
    if (isPassing) {
      this.#schedule(RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]!);
      this.#failures++;
    }
  }

  #schedule(milliseconds: number): void {
    this.#cancel?.();
    this.#cancel = this.ways.later(() => {
      this.#cancel = null;
      if (!this.#running && !this.isSaved) void this.#save();
    }, milliseconds);
  }

  #stopWaiting(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#waitingSince = 0;
  }

  #become(state: SavingState): void {
    if (state !== "waiting") this.#waitingSince = 0;
    this.state = state;
    this.ways.changed(state);
  }
}
