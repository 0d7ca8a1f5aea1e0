/**
 * The panel beside the stack: what other parts of the console put into it.
 *
 * A part registers a tab when its file is imported (`islands/stack.tsx` imports it), gets the editor's `EditorDoor`, and
 * may say what a run left at each line (`lastRun`): rows, the variable picker and the step's form show it.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { Doc, Line } from "./model/document.ts";

export type LineRun = {
  /** The value as JSON text, perhaps cut; absent when the line leaves none. */
  value?: string;
  milliseconds: number;
  /** How often it was entered. */
  entered: number;
  failed: boolean;
  /** What it says of itself beside the value: the branch taken, `5 times`. */
  branch?: string;
  /** What went wrong here, for people. */
  message?: string;
};

export type LastRun = {
  /** By line id. */
  lines: Record<string, LineRun>;
  /** The inputs it ran with, for the picker: `input.customer_id` → 7. */
  inputs: Record<string, unknown>;
  milliseconds: number;
  status: number;
  /** The document that ran; rows are greyed once the one on screen is another. */
  document: Doc;
};

/** The last run of this stack, or null. Run & Debug sets it. */
export const lastRun = signal<LastRun | null>(null);

export type EditorDoor = {
  /** The document on screen. */
  readonly document: ReadonlySignal<Doc>;
  /** `endpoint`, `function` …, and the address of its pages (`/admin/endpoints/endpoint/7/`). */
  readonly kind: string;
  readonly address: string;
  /** How many problems stand in the way of publishing. */
  readonly errors: ReadonlySignal<number>;
  /** The line chosen in the stack, or null. */
  readonly chosen: ReadonlySignal<string | null>;
  /** Whether the server has what is on screen. */
  readonly isSaved: ReadonlySignal<boolean>;
  /** Saves now; false when the server did not take it (the editor says why). */
  save(): Promise<boolean>;
  /** Choose a line and bring it into view. */
  choose(lineId: string): void;
  /** A line by id, and its number as rows show it (`3.1`); null for lines of called functions. */
  line(lineId: string): { line: Line; number: string } | null;
  /** The sentence of a line as plain text. */
  sentence(lineId: string): string;
  /** Open a tab of the panel by name. */
  open(tab: string): void;
  /** Say something to screen readers. */
  announce(text: string): void;
};

/** The editor of the page, once it stands: for commands that come from elsewhere than a tab. `islands/stack_editor.tsx` sets it. */
export const theEditor = signal<EditorDoor | null>(null);

export type PanelTab = {
  name: string;
  /** Already translated, by a function so that it is asked for when the page is there. */
  label: () => string;
  order: number;
  component: ComponentType<{ editor: EditorDoor }>;
  /** A dot beside the label: the state of what is inside. */
  mark?: ReadonlySignal<"ok" | "bad" | null>;
};

export const panelTabs = signal<PanelTab[]>([]);

export function addPanelTab(tab: PanelTab): void {
  panelTabs.value = [...panelTabs.value.filter((one) => one.name !== tab.name), tab].sort(
    (one, other) => one.order - other.order,
  );
}

/** "Run to here" in a row's menu: set by Run & Debug, called with the line's id. Absent entries are not shown. */
export type RowCommand = { name: string; label: () => string; run: (lineId: string) => void };
export const rowCommands = signal<RowCommand[]>([]);

export function addRowCommand(command: RowCommand): void {
  rowCommands.value = [...rowCommands.value.filter((one) => one.name !== command.name), command];
}

/** Ctrl Enter and the button of the header. Set by Run & Debug. */
export const runCommand = signal<(() => void) | null>(null);
