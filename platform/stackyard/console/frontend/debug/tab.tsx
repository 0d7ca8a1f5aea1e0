/**
 * Run & Debug in the stack editor: a tab of its panel, "Run to here" in the rows' menu, Ctrl Enter.
 * `islands/stack_editor.tsx` imports this file; the panel itself is fetched when it is first opened.
 */
import { computed, effect, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import {
  addPanelTab,
  addRowCommand,
  type EditorDoor,
  lastRun,
  runCommand,
  theEditor,
} from "../editor/panel.ts";
import { T } from "../words.ts";
import { wayWords } from "./words.ts";
import type { Doc, Json } from "../editor/model/document.ts";
import type { Session, Stop } from "./session.ts";
import type { InputForm, Inputs, Result } from "./shapes.ts";

type Loaded = { Panel: ComponentType<{ session: Session }>; session: Session };

const TAB = "debug";
const loaded = signal<Loaded | null>(null);
const mark = computed(() => {
  const result = loaded.value?.session.result.value;
  return result ? (result.status < 400 ? "ok" : "bad") : null;
});

function DebugTab({ editor }: { editor: EditorDoor }) {
  if (!loaded.value) void load(editor);
  const found = loaded.value;
  return found ? <found.Panel session={found.session} /> : <p class="quiet">{T("Loading…")}</p>;
}

async function load(editor: EditorDoor): Promise<Loaded> {
  if (loaded.value) return loaded.value;
  const [{ DebugPanel }, { Session }] = await Promise.all([import("./panel.tsx"), import("./session.ts")]);
  if (loaded.value) return loaded.value;
  const request = new URLSearchParams(location.search).get("request");
  const session = new Session(targetOf(editor), request && /^\d+$/.test(request) ? Number(request) : null);
  loaded.value = { Panel: DebugPanel, session };
  return loaded.value;
}

function targetOf(editor: EditorDoor) {
  return {
    address: editor.address,
    kind: editor.kind,
    onScreen: () => ({ document: editor.document.value }),
    inputs: () => formsOf(editor.document.value),
    onResult: (result: Result | null, inputs: Inputs) => {
      lastRun.value = result && lastRunOf(result, inputs, editor.document.value);
    },
    choose: (line: string) => editor.line(line) && editor.choose(line),
    sentence: (line: string) => editor.sentence(line),
    announce: (text: string) => editor.announce(text),
    chosen: editor.chosen,
  };
}

/** The inputs of the document on screen; where they stand in a call the server says. */
function formsOf(document: Doc): InputForm[] {
  const path = String(document.path ?? "");
  return Object.entries(document.inputs ?? {}).map(([name, given]) => {
    const spec = typeof given === "string" ? { type: given } : (given ?? {}) as Record<string, Json>;
    const place = path.includes(`{${name}}`) ? "path" : typeof spec.in === "string" ? spec.in : "body";
    return { ...spec, name, place } as InputForm;
  });
}

function lastRunOf(result: Result, inputs: Inputs, document: Doc) {
  const place = result.problem?.place?.line;
  const own = result.lines.filter((line) => line.within === "");
  return {
    document,
    inputs,
    milliseconds: result.milliseconds,
    status: result.status,
    lines: Object.fromEntries(own.map((line) => [line.line, {
      value: line.value,
      milliseconds: line.milliseconds,
      entered: line.entered,
      failed: line.failed,
      branch: line.turns > 0 ? T("{count} times", { count: line.turns }) : wayWords(line.way) || undefined,
      message: line.failed && line.line === place ? result.problem?.message : undefined,
    }])),
  };
}

async function run(stop: Stop | null = null): Promise<void> {
  const editor = theEditor.value;
  if (!editor) return;
  editor.open(TAB);
  const { session } = await load(editor);
  // The panel fills its fields from the server when it is first shown; a run before that would be one without inputs.
  await session.opened;
  await session.run(stop);
}

addPanelTab({ name: TAB, label: () => T("Run & debug"), order: 10, component: DebugTab, mark });
addRowCommand({
  name: "run-to",
  label: () => T("Run to here"),
  run: (line) => void run({ line, after: true }),
});
addRowCommand({
  name: "run-before",
  label: () => T("Run to before this"),
  run: (line) => void run({ line, after: false }),
});
runCommand.value = () => void run();

// Came from a request of the history: its panel is what was asked for.
effect(() => {
  if (theEditor.value && new URLSearchParams(location.search).has("request")) theEditor.value.open(TAB);
});
