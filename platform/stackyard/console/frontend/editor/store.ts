/** Every command on what is on screen. Views read signals and call commands; nothing else changes anything. */
import { T, TN } from "../words.ts";
import { send } from "../requests.ts";
import type { Catalogue, Fix, Opened } from "./answers.ts";
import {
  type Doc,
  isObject,
  type Json,
  type Kind,
  type Line,
  type Params,
  partAt,
} from "./model/document.ts";
import { freshId, withFreshIds } from "./model/ids.ts";
import { newLine } from "./model/making.ts";
import { END, RESPONSE, rowsOf } from "./model/rows.ts";
import { type Scope, scopeFor } from "./model/scope.ts";
import { plainText, sentenceOf } from "./model/sentences.ts";
import * as tree from "./model/tree.ts";
import type { EditorDoor } from "./panel.ts";
import { fixed, type Problem } from "./problems.ts";
import { Screen } from "./screen.ts";

export type { Dialog, Menu, Tab } from "./screen.ts";

const DELETED_MS = 8_000;

export class Editor extends Screen implements EditorDoor {
  #deletedTimer: ReturnType<typeof setTimeout> | undefined;

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
    if (this.isReadOnly) return;
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
    const chosen = this.isReadOnly ? [] : tree.outermost(this.tree, ids);
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
    if (this.isReadOnly) return;
    const { doc, ids } = tree.duplicate(this.doc.value, this.selection.value.lines, this.kinds);
    if (ids.length === 0) return;
    this.change(doc, T("Duplicate"));
    this.selection.value = { focus: ids[0]!, anchor: ids[0]!, lines: new Set(ids) };
    this.reveal.value = { key: ids[0]!, focus: true };
    this.announce(TN("{count} step duplicated", "{count} steps duplicated", ids.length));
  }

  toggle(): void {
    if (this.isReadOnly) return;
    const doc = tree.toggle(this.doc.value, this.selection.value.lines, this.kinds);
    const first = [...this.selection.value.lines][0];
    this.change(doc, T("Switch on or off"));
    if (first) {
      this.announce(this.tree.entries.get(first)?.line.disabled ? T("Switched off") : T("Switched on"));
    }
  }

  moveBy(down: boolean): void {
    if (this.isReadOnly) return;
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

  /** A function of the chosen lines, and a call in their place; undoing it leaves the function. */
  async extract(name: string): Promise<void> {
    const ids = tree.outermost(this.tree, this.selection.value.lines);
    const before = this.doc.value;
    const made = await send<Pick<Opened, "document" | "expressions"> & Pick<Catalogue, "functions">>(
      "POST",
      `${this.base}extract/`,
      { document: before, ids, name },
    );
    this.catalogue.value = { ...this.catalogue.value, functions: made.functions };
    this.expressions.add(made.expressions);
    this.change(made.document, T("Make the function {name}", { name }));
    const call = this.tree.order.find((id) => this.tree.entries.get(id)!.line.params?.function === name);
    if (call) this.choose(call, true);
    this.announce(T("The function {name} is made and called here", { name }));
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
