/** What is on screen, as signals: the document and its history, what is chosen and folded, what the server found out. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { T } from "../words.ts";
import type { Catalogue, Opened, Palette, Saved, State } from "./answers.ts";
import { type Draft, draftSaving } from "./draft.ts";
import { Expressions } from "./expressions.ts";
import type { Doc, Kinds } from "./model/document.ts";
import { History } from "./model/history.ts";
import { END, type Row, rowsOf } from "./model/rows.ts";
import { Scopes } from "./model/scope.ts";
import { choose, extend, NOTHING, type Selection, stepFrom, toggleLine } from "./model/selection.ts";
import * as tree from "./model/tree.ts";
import { lastRun } from "./panel.ts";
import { byLine, located, type Problem } from "./problems.ts";

type Snapshot = { doc: Doc; selection: Selection };
export type Menu =
  | { type: "insert"; place: tree.Place; anchor: DOMRect; replaces?: string }
  | { type: "row"; anchor: DOMRect };
export type Tab = "stack" | "inputs" | "settings" | "versions" | "yaml";
export type Dialog = "publish" | "compare" | "keys" | "problems" | "extract" | null;

export class Screen {
  readonly kind: string;
  readonly address: string;
  readonly base: string;
  readonly doc = signal<Doc>({ lines: [] });
  readonly selection = signal<Selection>(NOTHING);
  readonly folds = signal<ReadonlySet<string>>(new Set());
  readonly palette = signal<Palette>({ groups: [], kinds: {} });
  readonly catalogue = signal<Catalogue>({
    tables: {},
    functions: {},
    lambdas: [],
    variables: {},
    input_types: [],
  });
  readonly problems = signal<Problem[]>([]);
  readonly scopes = signal(new Scopes());
  readonly state = signal<State>({ version: "", saved_at: "", saved_by: "", has_changes: false, live: null });
  readonly tab = signal<Tab>("stack");
  readonly panel = signal("step");
  /** On narrow screens the panel is a sheet, open or not. */
  readonly isPanelOpen = signal(false);
  readonly menu = signal<Menu | null>(null);
  readonly dialog = signal<Dialog>(null);
  readonly announcement = signal("");
  /** A YAML text that could not be read when its tab was left: it is there again when the tab is. */
  unreadYaml = "";
  /** "3 steps deleted", with a way back, for a few seconds. */
  readonly deleted = signal("");
  /** Who else has this stack open now. */
  readonly others = signal<readonly string[]>([]);
  /** Something that went wrong and is nowhere else on the page. */
  readonly notice = signal("");
  /** What was published a moment ago, and how to call it. */
  readonly published = signal<{ number: number; curl: string; isCopied: boolean } | null>(null);
  /** A line that must be seen, and whether its row takes the focus. */
  readonly reveal = signal<{ key: string; focus: boolean } | null>(null);
  /** Raised to move the focus into the form of what is chosen. */
  readonly editing = signal(0);
  readonly expressions: Expressions;
  readonly draft: Draft;
  readonly historyMoves = signal(0);
  readonly #history = new History<Snapshot>();

  readonly rows: ReadonlySignal<Row[]> = computed(() => rowsOf(this.doc.value, this.kinds, this.folds.value));
  readonly problemsByLine = computed(() => byLine(this.problems.value));
  readonly errors = computed(() => this.problems.value.filter((one) => one.level === "error").length);
  readonly chosen: ReadonlySignal<string | null> = computed(() => {
    const { focus, lines } = this.selection.value;
    return lines.size === 1 && lines.has(focus) ? focus : null;
  });
  /** Whether rows show values of a run of another document. */
  readonly isRunStale = computed(() => lastRun.value !== null && lastRun.value.document !== this.doc.value);
  readonly canUndo = computed(() => this.historyMoves.value >= 0 && this.#history.canUndo);
  readonly canRedo = computed(() => this.historyMoves.value >= 0 && this.#history.canRedo);

  constructor(kind: string, opened: Opened, palette: Palette, readonly isReadOnly = false) {
    this.kind = kind;
    this.address = opened.address;
    this.base = `${opened.address}editor/`;
    this.expressions = new Expressions(opened.expressions);
    this.palette.value = palette;
    this.catalogue.value = opened.catalogue;
    this.doc.value = opened.document;
    this.selection.value = choose(this.rows.value, this.rows.value[0]?.key ?? END);
    this.draft = draftSaving(this, opened);
    this.learn(opened, opened.document);
    if (!isReadOnly) this.draft.resume(opened);
  }

  get document(): ReadonlySignal<Doc> {
    return this.doc;
  }

  get kinds(): Kinds {
    return this.palette.value.kinds;
  }

  get isSaved(): ReadonlySignal<boolean> {
    return this.draft.isSaved;
  }

  get tree(): tree.Tree {
    return tree.treeOf(this.doc.value, this.kinds);
  }

  /** What the server found out about a document. */
  learn(answer: Saved, document: Doc): void {
    this.problems.value = located(answer.problems, document);
    const scopes = new Scopes(answer);
    if (scopes.isKnown || this.problems.value.length === 0) this.scopes.value = scopes;
    this.know(answer);
  }

  know({ version, saved_at, saved_by, has_changes, live }: State): void {
    this.state.value = { version, saved_at, saved_by, has_changes, live };
  }

  // Changing

  /** Make a change of the document: undoable, saved by itself. Changes with the same tag join while typing. */
  change(doc: Doc, label: string, tag = "", selection?: Selection): void {
    const before = this.doc.value;
    if (doc === before) return;
    if (this.isReadOnly) return this.announce(T("You can look at this stack, not change it"));
    this.#history.record({ doc: before, selection: this.selection.value }, label, tag);
    this.#show(doc);
    if (selection) this.selection.value = selection;
    else this.#keepSelection();
  }

  #show(doc: Doc): void {
    this.doc.value = doc;
    this.historyMoves.value++;
    this.expressions.learn(doc);
    this.draft.edit(doc);
  }

  /** The server's document is on screen, as one step that can be undone. */
  take(doc: Doc, version: string, label: string): void {
    if (doc !== this.doc.value) {
      this.#history.record({ doc: this.doc.value, selection: this.selection.value }, label);
      this.doc.value = doc;
      this.historyMoves.value++;
      this.expressions.learn(doc);
      this.#keepSelection();
    }
    this.draft.take(doc, version);
  }

  undo(): void {
    const step = this.#history.undo({ doc: this.doc.value, selection: this.selection.value });
    if (step) this.#restore(step.state, T("Undone: {what}", { what: step.label }));
  }

  redo(): void {
    const step = this.#history.redo({ doc: this.doc.value, selection: this.selection.value });
    if (step) this.#restore(step.state, T("Done again: {what}", { what: step.label }));
  }

  #restore(snapshot: Snapshot, said: string): void {
    this.#show(snapshot.doc);
    this.selection.value = snapshot.selection;
    this.#keepSelection();
    this.deleted.value = "";
    this.reveal.value = { key: this.selection.value.focus, focus: false };
    this.announce(said);
  }

  #keepSelection(): void {
    const { focus, lines } = this.selection.value;
    const known = new Set(this.rows.value.map((row) => row.key));
    const kept = new Set([...lines].filter((id) => known.has(id)));
    if (known.has(focus) && kept.size === lines.size) return;
    this.selection.value = known.has(focus)
      ? { focus, anchor: focus, lines: kept }
      : choose(this.rows.value, this.rows.value[0]?.key ?? END);
  }

  // Choosing

  choose(key: string, focus = false): void {
    this.openUp(key);
    this.selection.value = choose(this.rows.value, key);
    this.reveal.value = { key, focus };
    this.showForm();
  }

  /** Choose by mouse or key, with Shift a range, with Ctrl one more. */
  pick(key: string, how: { range?: boolean; toggle?: boolean; focus?: boolean } = {}): void {
    const rows = this.rows.value;
    this.selection.value = how.range
      ? extend(rows, this.selection.value, key)
      : how.toggle
      ? toggleLine(this.selection.value, key)
      : choose(rows, key);
    this.reveal.value = { key, focus: how.focus ?? true };
  }

  step(by: number, range: boolean): void {
    const key = stepFrom(this.rows.value, this.selection.value.focus, by);
    if (key) this.pick(key, { range });
  }

  /** Unfold whatever hides a line. */
  openUp(key: string): void {
    let owner = this.tree.entries.get(key)?.place.owner ?? null;
    const folds = new Set(this.folds.value);
    for (; owner !== null; owner = this.tree.entries.get(owner)?.place.owner ?? null) folds.delete(owner);
    if (folds.size !== this.folds.value.size) this.folds.value = folds;
  }

  fold(id: string, folded: boolean): void {
    const folds = new Set(this.folds.value);
    if (folded) folds.add(id);
    else folds.delete(id);
    this.folds.value = folds;
    this.#keepSelection();
  }

  foldAll(folded: boolean): void {
    const blocks = this.rows.value.flatMap((row) => (row.type === "line" && row.hasSlots ? [row.key] : []));
    this.folds.value = folded ? new Set(blocks) : new Set();
    this.#keepSelection();
    this.announce(folded ? T("All folded") : T("All unfolded"));
  }

  /** The form of what is chosen, unless another tab is being looked at. */
  showForm(): void {
    if (this.panel.value === "") this.panel.value = "step";
  }

  announce(text: string): void {
    // The same words twice are said twice.
    this.announcement.value = text === this.announcement.value ? `${text}\u00a0` : text;
  }
}
