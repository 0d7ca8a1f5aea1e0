/** The editor's state and every command on it. Views read signals and call commands; nothing else changes anything. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { T, TN } from "../words.ts";
import type { Catalogue, Fix, Opened, Palette, Saved, State } from "./answers.ts";
import { Expressions } from "./expressions.ts";
import {
  type Doc,
  isObject,
  type Json,
  type Kind,
  type Kinds,
  type Line,
  type Params,
  partAt,
} from "./model/document.ts";
import { History } from "./model/history.ts";
import { freshId, withFreshIds } from "./model/ids.ts";
import { newLine } from "./model/making.ts";
import { END, RESPONSE, type Row, rowsOf } from "./model/rows.ts";
import { type Scope, scopeFor, Scopes } from "./model/scope.ts";
import { choose, extend, NOTHING, type Selection, stepFrom, toggleLine } from "./model/selection.ts";
import { plainText, sentenceOf } from "./model/sentences.ts";
import * as tree from "./model/tree.ts";
import { type EditorDoor, lastRun } from "./panel.ts";
import { byLine, fixed, located, type Problem } from "./problems.ts";
import { type Draft, draftSaving } from "./draft.ts";

type Snapshot = { doc: Doc; selection: Selection };
export type Menu =
  | { type: "insert"; place: tree.Place; anchor: DOMRect; replaces?: string }
  | { type: "row"; anchor: DOMRect };
export type Tab = "stack" | "inputs" | "settings" | "versions" | "yaml";
export type Dialog = "publish" | "compare" | "keys" | "problems" | null;

const DELETED_MS = 8_000;

export class Editor implements EditorDoor {
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
  #deletedTimer: ReturnType<typeof setTimeout> | undefined;

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

  constructor(kind: string, opened: Opened, palette: Palette) {
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
    this.draft.resume(opened);
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

  // Lines

  /** Where a new line goes: after the line with the focus, or into the block whose row it is. */
  placeAfter(key: string): tree.Place {
    const entry = this.tree.entries.get(key);
    if (entry) return { ...entry.place, at: entry.place.at + 1 };
    const row = this.rows.value.find((one) => one.key === key);
    if (row?.type === "slot") return { ...row.block, at: 0 };
    const block = row?.type === "add" ? row.block : tree.ROOT;
    return { ...block, at: tree.linesOf(this.doc.value, block, this.kinds).length };
  }

  insertKind(kind: Kind, place: tree.Place): void {
    const id = this.freshId();
    const line = newLine(kind, id, this.doc.value, this.kinds);
    const doc = tree.insert(this.doc.value, place, [line], this.kinds);
    this.change(doc, T("Add {step}", { step: kind.label }));
    this.choose(id);
    this.panel.value = "step";
    this.isPanelOpen.value = true;
    this.editing.value++;
    this.announce(T("{step} added, step {number}", { step: kind.label, number: this.numberOf(id) }));
  }

  freshId(): string {
    return freshId((id) => this.tree.entries.has(id));
  }

  insertLines(lines: Line[], place: tree.Place): void {
    const fresh = withFreshIds(lines, this.kinds, (id) => this.tree.entries.has(id));
    const doc = tree.insert(this.doc.value, place, fresh, this.kinds);
    this.change(doc, T("Paste"));
    this.selection.value = {
      focus: fresh[0]!.id,
      anchor: fresh[0]!.id,
      lines: new Set(fresh.map((line) => line.id)),
    };
    this.reveal.value = { key: fresh[0]!.id, focus: true };
    this.announce(TN("{count} step pasted", "{count} steps pasted", fresh.length));
  }

  remove(ids: Iterable<string> = this.selection.value.lines): void {
    const chosen = tree.outermost(this.tree, ids);
    if (chosen.length === 0) return;
    const keys = this.rows.value.map((row) => row.key);
    const doc = tree.remove(this.doc.value, chosen, this.kinds);
    const left = new Set(rowsOf(doc, this.kinds, this.folds.value).map((row) => row.key));
    const from = keys.indexOf(chosen[0]!);
    const focus = keys.slice(from).find((key) => left.has(key)) ?? END;
    const words = TN("{count} step deleted", "{count} steps deleted", chosen.length);
    this.change(doc, TN("Delete {count} step", "Delete {count} steps", chosen.length));
    this.pick(focus);
    this.deleted.value = words;
    clearTimeout(this.#deletedTimer);
    this.#deletedTimer = setTimeout(() => (this.deleted.value = ""), DELETED_MS);
    this.announce(words);
  }

  duplicate(): void {
    const { doc, ids } = tree.duplicate(this.doc.value, this.selection.value.lines, this.kinds);
    if (ids.length === 0) return;
    this.change(doc, T("Duplicate"));
    this.selection.value = { focus: ids[0]!, anchor: ids[0]!, lines: new Set(ids) };
    this.reveal.value = { key: ids[0]!, focus: true };
    this.announce(TN("{count} step duplicated", "{count} steps duplicated", ids.length));
  }

  toggle(): void {
    const doc = tree.toggle(this.doc.value, this.selection.value.lines, this.kinds);
    const first = [...this.selection.value.lines][0];
    this.change(doc, T("Switch on or off"));
    if (first) {
      this.announce(this.tree.entries.get(first)?.line.disabled ? T("Switched off") : T("Switched on"));
    }
  }

  moveBy(down: boolean): void {
    const place = tree.nextPlace(this.doc.value, this.selection.value.lines, down, this.kinds);
    if (place) this.moveTo(place);
    else this.announce(down ? T("This is the last place") : T("This is the first place"));
  }

  moveTo(place: tree.Place): void {
    const { lines, focus } = this.selection.value;
    const doc = tree.move(this.doc.value, lines, place, this.kinds);
    if (doc === this.doc.value) return;
    if (place.owner) this.fold(place.owner, false);
    this.change(doc, T("Move"), "", this.selection.value);
    this.openUp(focus);
    this.reveal.value = { key: focus, focus: true };
    const owner = place.owner === null ? null : this.tree.entries.get(place.owner);
    const number = this.numberOf(focus);
    this.announce(
      owner
        ? T("Moved to {number}, inside {step}", { number, step: this.labelOf(owner.line) })
        : T("Moved to {number}", { number }),
    );
  }

  wrap(kind: Kind): void {
    const slot = kind.parameters.find((one) => one.widget === "lines");
    if (!slot || this.selection.value.lines.size === 0) return;
    const outer = newLine(kind, this.freshId(), this.doc.value, this.kinds);
    const doc = tree.wrap(this.doc.value, this.selection.value.lines, outer, slot.name, this.kinds);
    this.change(doc, T("Put into {step}", { step: kind.label }));
    this.choose(outer.id);
    this.panel.value = "step";
    this.editing.value++;
  }

  unwrap(id: string): void {
    this.change(tree.unwrap(this.doc.value, id, this.kinds), T("Take apart"));
    this.reveal.value = { key: this.selection.value.focus, focus: true };
  }

  setLine(id: string, change: (line: Line) => Line, label: string, tag = ""): void {
    this.change(tree.withLine(this.doc.value, id, this.kinds, change), label, tag);
  }

  setParam(id: string, path: (string | number)[], value: Json | undefined, label: string): void {
    const doc = tree.withParam(this.doc.value, id, path, value, this.kinds);
    this.change(doc, T("Change {what}", { what: label }), `${id}:${path.join(".")}`);
  }

  /** A branch more: "or else if", a case. */
  addBranch(id: string, name: string): void {
    const line = this.tree.entries.get(id)?.line;
    const parameter = line && this.kinds[line.step]?.parameters.find((one) => one.name === name);
    if (!parameter) return;
    const present = partAt(line.params, [name]);
    const branches = Array.isArray(present) ? present : [];
    const branch = { [parameter.test!]: "", [parameter.block!]: [] } as Json;
    this.setParam(id, [name], [...branches, branch] as Json, parameter.label);
    this.pick(`${id}/${name}.${branches.length}.${parameter.block}`, { focus: false });
    this.editing.value++;
  }

  setSetting(path: (string | number)[], value: unknown, label: string): void {
    const [key, ...rest] = path;
    const before = this.doc.value[key as string];
    const made = rest.length ? withInner(before, rest, value) : value;
    const { [key as string]: _, ...others } = this.doc.value;
    const doc = made === undefined ? others as Doc : { ...this.doc.value, [key as string]: made };
    this.change(doc, T("Change {what}", { what: label }), `setting:${path.join(".")}`);
  }

  fix(problem: Problem, fix: Fix): void {
    this.change(fixed(this.doc.value, problem, fix, this.kinds), T("Fix"));
    this.announce(T("Fixed"));
  }

  // Knowing

  numberOf(id: string): string {
    return this.tree.entries.get(id)?.number ?? "";
  }

  labelOf(line: Line): string {
    return this.kinds[line.step]?.label ?? line.step;
  }

  line(lineId: string): { line: Line; number: string } | null {
    const entry = this.tree.entries.get(lineId);
    return entry ? { line: entry.line, number: entry.number } : null;
  }

  sentence(lineId: string): string {
    const entry = this.tree.entries.get(lineId);
    if (!entry) return "";
    return plainText(sentenceOf(entry.line, this.kinds, this.expressions.known.value));
  }

  scopeAt(lineId: string | null): Scope {
    return scopeFor(this.scopes.value, this.doc.value, lineId, this.kinds);
  }

  fieldsOf(table: unknown) {
    return typeof table === "string" ? this.catalogue.value.tables[table]?.fields ?? [] : [];
  }

  paramsOf(id: string): Params {
    const params = this.tree.entries.get(id)?.line.params;
    return isObject(params) ? params : {};
  }

  // The frame

  /** The form of what is chosen, unless another tab is being looked at. */
  showForm(): void {
    if (this.panel.value === "") this.panel.value = "step";
  }

  open(tab: string): void {
    this.tab.value = "stack";
    this.panel.value = tab;
    this.isPanelOpen.value = true;
  }

  /** Go to where a problem is. */
  goTo(problem: Problem): void {
    this.dialog.value = null;
    const root = problem.path[0];
    if (problem.line_id !== null) {
      this.tab.value = "stack";
      this.choose(problem.line_id);
      this.open("step");
      this.editing.value++;
    } else if (root === "response") {
      this.tab.value = "stack";
      this.choose(RESPONSE);
      this.open("step");
      this.editing.value++;
    } else {
      this.tab.value = root === "inputs" ? "inputs" : root === "lines" ? "stack" : "settings";
    }
  }

  announce(text: string): void {
    // The same words twice are said twice.
    this.announcement.value = text === this.announcement.value ? `${text}\u00a0` : text;
  }

  save(): Promise<boolean> {
    return this.draft.flush();
  }
}

function withInner(value: unknown, path: (string | number)[], part: unknown): unknown {
  const [key, ...rest] = path;
  const copy: Record<string, unknown> = isObject(value) ? { ...value } : {};
  const made = rest.length ? withInner(copy[key as string], rest, part) : part;
  if (made === undefined) delete copy[key as string];
  else copy[key as string] = made;
  return copy;
}
