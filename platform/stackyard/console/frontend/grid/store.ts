/** What the grid holds and every deed on it. An edit is shown at once; what the server refuses stays as it was typed. */
import { computed, signal } from "@preact/signals";
import { type Detail, get, Refused, send } from "../requests.ts";
import { T, TN } from "../words.ts";
import {
  type Cells,
  type Column,
  type Filter,
  isSame,
  type Place,
  type Row,
  sheetRows,
  withHead,
} from "./model.ts";

export type Props = {
  table: string;
  columns: Column[];
  operators: Record<string, string>;
  urls: Record<"rows" | "cell" | "change" | "add" | "remove" | "targets" | "paste", string>;
  record: string;
  targets: Record<string, string>;
  canWrite: boolean;
};
type Labels = Record<string, Record<string, string>>;
type Page = { rows: Row[]; labels: Labels; next: string | null; total: number | null; isCapped: boolean };
type Changed = { row: Row; labels: Labels };
/** A cell that is not saved: what was typed, and why (nothing while it is on its way). */
export type Unsaved = { text: string | null; problem: string; isConflict: boolean };
/** The row being added is row 0 while it is there, and has no id yet. */
export const NEW = 0;

export class GridStore {
  readonly rows = signal<Row[]>([]);
  readonly labels = signal<Labels>({});
  readonly next = signal<string | null>(null);
  readonly total = signal<{ count: number; isCapped: boolean } | null>(null);
  readonly filters = signal<Filter[]>([]);
  readonly sort = signal("-id");
  readonly isLoading = signal(false);
  readonly problem = signal("");
  readonly said = signal("");
  readonly active = signal<Place>({ row: 0, column: 0 });
  readonly editing = signal<{ text: string | null; isWhole: boolean } | null>(null);
  readonly chosen = signal<ReadonlySet<number>>(new Set());
  readonly unsaved = signal<ReadonlyMap<string, Unsaved>>(new Map());
  readonly draft = signal<Cells | null>(null);
  readonly lines = computed<Row[]>(() => {
    const draft = this.draft.value;
    return draft ? [{ id: NEW, cells: draft, cut: [] }, ...this.rows.value] : this.rows.value;
  });
  #asked = 0;
  #saving = new Set<number>();

  constructor(readonly props: Props) {
    const asked = new URLSearchParams(location.search);
    this.sort.value = asked.get("sort") || "-id";
    this.filters.value = this.#filtersOf(asked);
  }

  #filtersOf(asked: URLSearchParams): Filter[] {
    try {
      const given = JSON.parse(asked.get("filters") ?? "[]") as Filter[];
      if (given.length) return given.filter((one) => this.column(one[0]));
    } catch {
      // An address that somebody has typed: without filters.
    }
    const field = asked.get("field"), word = asked.get("op");
    return field && word && this.column(field) ? [[field, word, asked.get("value") ?? ""]] : [];
  }

  column(name: string): Column | undefined {
    return this.props.columns.find((column) => column.name === name);
  }

  /** The question as part of an address: of this page, of the rows, of the export. */
  question(): URLSearchParams {
    const asked = new URLSearchParams();
    if (this.filters.value.length) asked.set("filters", JSON.stringify(this.filters.value));
    if (this.sort.value !== "-id") asked.set("sort", this.sort.value);
    return asked;
  }

  /** The first page anew. What is not saved stays, and is seen again when its record is. */
  async load(): Promise<void> {
    const asked = this.question();
    history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
    // What is exported is what is shown.
    const link = document.querySelector<HTMLAnchorElement>("a[data-export]");
    if (link) link.search = String(asked);
    await this.#page(asked, false);
  }

  async more(): Promise<void> {
    if (this.next.value === null || this.isLoading.value) return;
    const asked = this.question();
    asked.set("cursor", this.next.value);
    await this.#page(asked, true);
  }

  async #page(asked: URLSearchParams, isMore: boolean): Promise<void> {
    const number = ++this.#asked;
    this.isLoading.value = true;
    try {
      const page = await get<Page>(`${this.props.urls.rows}?${asked}`);
      if (number !== this.#asked) return;
      const known = new Set(this.rows.value.map((row) => row.id));
      this.rows.value = isMore
        ? [...this.rows.value, ...page.rows.filter((row) => !known.has(row.id))]
        : page.rows;
      this.#learn(page.labels);
      this.next.value = page.next;
      this.problem.value = "";
      if (page.total !== null) this.total.value = { count: page.total, isCapped: page.isCapped };
      if (!isMore) {
        this.chosen.value = new Set();
        this.active.value = { ...this.active.value, row: 0 };
      }
    } catch (error) {
      if (number === this.#asked) this.problem.value = inWords(error);
    } finally {
      if (number === this.#asked) this.isLoading.value = false;
    }
  }

  #learn(labels: Labels): void {
    const known = { ...this.labels.value };
    for (const [field, found] of Object.entries(labels)) known[field] = { ...known[field], ...found };
    this.labels.value = known;
  }

  learn(field: string, id: string, label: string): void {
    this.#learn({ [field]: { [id]: label } });
  }

  /** What a cell shows: what was typed and is not saved, else what the server has. */
  textOf(row: Row, column: Column): string | null {
    const typed = this.unsaved.value.get(keyOf(row.id, column.name));
    return typed ? typed.text : row.cells[column.name] ?? null;
  }

  unsavedAt(row: Row, column: Column): Unsaved | undefined {
    return this.unsaved.value.get(keyOf(row.id, column.name));
  }

  /** A cell's whole text: a long one comes when it is opened. */
  async whole(row: Row, column: Column): Promise<string | null> {
    if (!row.cut.includes(column.name) || this.unsavedAt(row, column)) return this.textOf(row, column);
    const asked = new URLSearchParams({ record: String(row.id), field: column.name });
    const { text } = await get<{ text: string | null }>(`${this.props.urls.cell}?${asked}`);
    row.cells[column.name] = text;
    row.cut = row.cut.filter((name) => name !== column.name);
    return text;
  }

  #mark(key: string, state: Unsaved | null): void {
    const all = new Map(this.unsaved.value);
    if (state) all.set(key, state);
    else all.delete(key);
    this.unsaved.value = all;
  }

  /** A typed text into a cell: kept in the row being added, sent for a record that is there. */
  write(row: Row, column: Column, text: string | null): void {
    if (row.id === NEW) {
      this.draft.value = { ...this.draft.value, [column.name]: text };
      this.#mark(keyOf(NEW, column.name), null);
      return;
    }
    const held = this.unsavedAt(row, column);
    if (!held && column.editor !== "password" && isSame(column, row.cells[column.name] ?? null, text)) return;
    this.#mark(keyOf(row.id, column.name), { text, problem: "", isConflict: held?.isConflict ?? false });
    void this.#save(row.id);
  }

  /** Sends what is not saved of a record, one request a record at a time, until nothing new was typed meanwhile. */
  async #save(id: number): Promise<void> {
    if (this.#saving.has(id)) return;
    this.#saving.add(id);
    try {
      for (let after = this.#waiting(id); Object.keys(after).length; after = this.#waiting(id)) {
        await this.#send(id, after);
      }
    } finally {
      this.#saving.delete(id);
    }
  }

  #waiting(id: number): Cells {
    const after: Cells = {};
    for (const column of this.props.columns) {
      const state = this.unsaved.value.get(keyOf(id, column.name));
      if (state && !state.problem) after[column.name] = state.text;
    }
    return after;
  }

  async #send(id: number, after: Cells): Promise<void> {
    const row = this.rows.value.find((one) => one.id === id);
    const before = Object.fromEntries(
      Object.keys(after).filter((name) => row && !row.cut.includes(name) && name in row.cells)
        .map((name) => [name, row!.cells[name] ?? null]),
    );
    try {
      const done = await send<Changed>("POST", this.props.urls.change, { record: id, before, after });
      this.#put(done);
      for (const [name, text] of Object.entries(after)) {
        if (this.unsaved.value.get(keyOf(id, name))?.text === text) this.#mark(keyOf(id, name), null);
      }
      this.said.value = T("Saved");
    } catch (error) {
      await this.#refused(id, after, error);
    }
  }

  async #refused(id: number, after: Cells, error: unknown): Promise<void> {
    const isConflict = error instanceof Refused && error.code === "CONFLICT" &&
      error.details.some((one) => one.code === "changed");
    const faults = faultsOf(error, Object.keys(after));
    if (isConflict) await this.#lookAgain(id);
    const isNamed = Object.keys(after).some((name) => faults.has(name));
    for (const [name, text] of Object.entries(after)) {
      // Typed anew while it was on its way: that is sent next, and so is what only came along with a wrong one.
      if (this.unsaved.value.get(keyOf(id, name))?.text !== text || (isNamed && !faults.has(name))) continue;
      const theirs = this.rows.value.find((row) => row.id === id)?.cells[name] ?? T("nothing");
      const problem = isConflict
        ? T("Somebody else wrote “{theirs}”. Enter keeps yours, Escape takes theirs.", {
          theirs: theirs.slice(0, 80),
        })
        : faults.get(name) ?? inWords(error);
      this.#mark(keyOf(id, name), { text, problem, isConflict });
    }
    this.said.value = inWords(error);
  }

  async #lookAgain(id: number): Promise<void> {
    try {
      const page = await get<Page>(`${this.props.urls.rows}?record=${id}`);
      if (page.rows[0]) this.#put({ row: page.rows[0], labels: page.labels });
    } catch {
      // What the person typed stays; the next try says more.
    }
  }

  #put({ row, labels }: Changed): void {
    this.#learn(labels);
    this.rows.value = this.rows.value.map((one) => one.id === row.id ? row : one);
  }

  /** Gives up what was typed into a cell. */
  giveUp(row: Row, column: Column): void {
    this.#mark(keyOf(row.id, column.name), null);
    if (row.id === NEW) this.draft.value = { ...this.draft.value, [column.name]: null };
  }

  /** Everything that is not saved once more: after the network or the login came back. */
  tryAgain(): void {
    const all = new Map(this.unsaved.value);
    for (const [key, state] of all) {
      if (idOf(key) !== NEW && !state.isConflict) all.set(key, { ...state, problem: "" });
    }
    this.unsaved.value = all;
    for (const id of new Set([...all.keys()].map(idOf))) if (id !== NEW) void this.#save(id);
  }

  begin(): void {
    if (!this.draft.value) this.draft.value = {};
    const first = this.props.columns.findIndex((column) => !column.isFixed);
    this.active.value = { row: 0, column: Math.max(0, first) };
  }

  discard(): void {
    this.draft.value = null;
    for (const column of this.props.columns) this.#mark(keyOf(NEW, column.name), null);
  }

  /** Adds the record that was typed; every fault of it is shown at its cell. */
  async add(): Promise<boolean> {
    const values = this.draft.value;
    if (!values) return false;
    try {
      const done = await send<Changed>("POST", this.props.urls.add, { values });
      this.discard();
      this.rows.value = [done.row, ...this.rows.value];
      this.#learn(done.labels);
      if (this.total.value) this.total.value = { ...this.total.value, count: this.total.value.count + 1 };
      this.said.value = T("Record {id} is added.", { id: done.row.id });
      return true;
    } catch (error) {
      const names = this.props.columns.map((column) => column.name);
      const faults = faultsOf(error, []);
      for (const name of names) {
        const problem = faults.get(name);
        this.#mark(
          keyOf(NEW, name),
          problem ? { text: values[name] ?? null, problem, isConflict: false } : null,
        );
      }
      this.said.value = inWords(error);
      return false;
    }
  }

  choose(id: number, isChosen: boolean): void {
    const chosen = new Set(this.chosen.value);
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
    this.chosen.value = chosen;
  }

  chooseAll(isChosen: boolean): void {
    this.chosen.value = new Set(isChosen ? this.rows.value.map((row) => row.id) : []);
  }

  async remove(): Promise<void> {
    const records = [...this.chosen.value];
    try {
      const { deleted } = await send<{ deleted: number }>("POST", this.props.urls.remove, { records });
      const gone = new Set(records);
      this.rows.value = this.rows.value.filter((row) => !gone.has(row.id));
      this.unsaved.value = new Map([...this.unsaved.value].filter(([key]) => !gone.has(idOf(key))));
      this.chosen.value = new Set();
      if (this.total.value) {
        this.total.value = { ...this.total.value, count: this.total.value.count - deleted };
      }
      this.said.value = TN("{count} record is deleted.", "{count} records are deleted.", deleted);
      const at = this.active.value;
      this.active.value = { ...at, row: Math.max(0, Math.min(at.row, this.lines.value.length - 1)) };
      if (!this.rows.value.length && this.next.value !== null) await this.load();
    } catch (error) {
      this.problem.value = inWords(error);
    }
  }

  /** A sheet goes to the import page, which shows what would become of it before anything is written. */
  async paste(text: string): Promise<void> {
    const sheet = withHead(sheetRows(text), this.props.columns, this.active.value.column);
    this.said.value = T("Looking at what was pasted …");
    try {
      const { url } = await send<{ url: string }>("POST", this.props.urls.paste, { text: sheet });
      location.assign(url);
    } catch (error) {
      this.problem.value = inWords(error);
    }
  }
}

export function keyOf(id: number, name: string): string {
  return `${id}/${name}`;
}

function idOf(key: string): number {
  return Number(key.slice(0, key.indexOf("/")));
}

export function inWords(error: unknown): string {
  if (!(error instanceof Refused)) throw error;
  const details = error.details.map((one) => (one.field ? `${one.field}: ${one.message}` : one.message));
  return [error.message, ...details.slice(0, 3), error.suggestion].filter(Boolean).join(" ");
}

/** What is wrong with each cell; what names no cell belongs to all of those that were sent. */
function faultsOf(error: unknown, sent: string[]): Map<string, string> {
  if (!(error instanceof Refused)) throw error;
  const found = new Map<string, string>();
  for (const one of error.details as Detail[]) {
    const [name = "", ...rest] = (one.field ?? "").split(".");
    const message = rest.length ? `${rest.join(".")}: ${one.message}` : one.message;
    found.set(name, found.has(name) ? `${found.get(name)}; ${message}` : message);
  }
  if (!error.details.length) {
    for (const name of sent) found.set(name, [error.message, error.suggestion].filter(Boolean).join(" "));
  }
  return found;
}
