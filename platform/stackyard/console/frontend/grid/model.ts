/** The grid without a screen: what it holds, how a cell is shown, where keys lead, what a pasted sheet is. */

export type Column = {
  name: string;
  type: string;
  editor: string;
  isFixed: boolean;
  isRequired: boolean;
  isNumber: boolean;
  canSort: boolean;
  choices: string[];
  operators: string[];
  hint: string;
};
export type Cells = Record<string, string | null>;
export type Row = { id: number; cells: Cells; cut: string[] };
export type Filter = [field: string, word: string, text: string];
/** A place in the grid: the row counts from 0, the column from 0 (the marks before the columns do not count). */
export type Place = { row: number; column: number };

/** Where a key leads from a place; null for keys that lead nowhere. */
export function moved(at: Place, key: string, control: boolean, rows: number, columns: number): Place | null {
  const to = { ...at };
  if (key === "ArrowUp") to.row -= 1;
  else if (key === "ArrowDown") to.row += 1;
  else if (key === "ArrowLeft") to.column -= 1;
  else if (key === "ArrowRight") to.column += 1;
  else if (key === "PageUp") to.row -= 20;
  else if (key === "PageDown") to.row += 20;
  else if (key === "Home") {
    to.column = 0;
    if (control) to.row = 0;
  } else if (key === "End") {
    to.column = columns - 1;
    if (control) to.row = rows - 1;
  } else return null;
  return {
    row: Math.max(0, Math.min(rows - 1, to.row)),
    column: Math.max(0, Math.min(columns - 1, to.column)),
  };
}

/** The cell after or before, over the ends of rows; null past the first and the last one. */
export function beside(at: Place, step: 1 | -1, rows: number, columns: number): Place | null {
  const number = at.row * columns + at.column + step;
  if (number < 0 || number >= rows * columns) return null;
  return { row: Math.floor(number / columns), column: number % columns };
}

/** What a cell shows: one line, and where the whole text would say more than that, the part that people look for. */
export function shown(column: Column, text: string | null): string {
  if (text === null) return "";
  if (column.editor === "file") return fileName(text);
  if (column.editor === "place") return placeText(text);
  if (column.editor === "moment") return text.replace("T", " ").replace(/(\.000)?Z$/, "");
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function fileName(text: string): string {
  const file = parsed(text) as { name?: unknown } | null;
  return typeof file?.name === "string" ? file.name : text.slice(0, 80);
}

function placeText(text: string): string {
  const place = parsed(text) as { lat?: unknown; lng?: unknown } | null;
  return typeof place?.lat === "number" ? `${place.lat}, ${place.lng}` : text.slice(0, 80);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A cell's text as its editor begins with it. */
export function toEdit(column: Column, text: string | null): string {
  if (text === null) return "";
  if (column.editor === "moment") return text.replace(/Z$/, "");
  if (column.editor === "place") return placeText(text);
  if (column.editor === "code" || column.editor === "file") {
    const value = parsed(text);
    return value === null ? text : JSON.stringify(value, null, 2);
  }
  return text;
}

/** What an editor holds as the cell's text: nothing typed is null. */
export function fromEdit(column: Column, text: string): string | null {
  const bare = text.replace(/\r\n/g, "\n");
  if (bare === "") return null;
  if (column.editor === "moment") {
    return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(bare) ? `${bare}Z` : bare;
  }
  if (column.editor === "place") {
    const pair = /^\s*(-?[\d.]+)\s*[,;]\s*(-?[\d.]+)\s*$/.exec(bare);
    return pair ? JSON.stringify({ lat: Number(pair[1]), lng: Number(pair[2]) }) : bare;
  }
  if (column.editor === "code" || column.editor === "file") {
    const value = parsed(bare);
    return value === null ? bare : JSON.stringify(value);
  }
  return bare;
}

/** Whether two texts of a cell mean the same, however JSON is laid out. */
export function isSame(column: Column, one: string | null, other: string | null): boolean {
  return one === other ||
    (one !== null && other !== null && fromEdit(column, toEdit(column, one)) === fromEdit(column, other));
}

/** The cells of a copied sheet: tabs between cells, quotes around those that hold tabs, quotes or line breaks. */
export function sheetRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [], cell = "", quoted = false;
  const endCell = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === "\t") endCell();
    else if (letter === "\n") endRow();
    else if (letter !== "\r") cell += letter;
  }
  if (cell !== "" || row.length) endRow();
  return rows.filter((one) => one.some((text) => text !== ""));
}

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, "");

/** Whether a sheet's first row names columns: at least half of its cells that hold something. */
export function hasHead(first: string[], columns: Column[]): boolean {
  const names = new Set(columns.map((column) => plain(column.name)));
  const held = first.filter((cell) => cell.trim() !== "");
  return held.length > 0 && held.filter((cell) => names.has(plain(cell))).length * 2 >= held.length;
}

/** A sheet as tab-separated text with a head: its own, or the names of the columns from the one it is pasted at. */
export function withHead(rows: string[][], columns: Column[], from: number): string {
  const width = Math.max(...rows.map((row) => row.length));
  const even = rows.map((row) => [...row, ...Array<string>(width - row.length).fill("")]);
  if (!hasHead(rows[0] ?? [], columns)) {
    const names = columns.slice(from).filter((column) => !column.isFixed).map((column) => column.name);
    even.unshift(Array.from({ length: width }, (_, place) => names[place] ?? `column_${place + 1}`));
  }
  return even.map((row) => row.map(sheetCell).join("\t")).join("\n") + "\n";
}

function sheetCell(text: string): string {
  return /["\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
