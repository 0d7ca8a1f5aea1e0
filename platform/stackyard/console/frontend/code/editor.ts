/**
 * The code editor (CodeMirror 6), a chunk of its own: `const { codeEditor } = await import("../code/editor.ts")`.
 * Its colours are the console's custom properties (`styles/code.css` is not needed: the theme refers to them).
 */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import type { CompletionSource } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { styleNonce } from "../island.ts";

export type Language = "typescript" | "json" | "yaml" | "text";
export type Mark = {
  /** 1-based, as the server counts. */
  line: number;
  column: number;
  endColumn?: number;
  level: "error" | "warning" | "info";
  message: string;
};

export type CodeEditorOptions = {
  parent: HTMLElement;
  text: string;
  language: Language;
  /** What a screen reader calls the field. */
  label: string;
  onChange?: (text: string) => void;
  readOnly?: boolean;
  placeholder?: string;
  complete?: CompletionSource;
  /** What a word means, shown where the mouse rests: the text and the part of the code it is about. */
  explain?: (code: string, at: number) => { from: number; to: number; text: string } | null;
  /** Keys such as `Ctrl-Enter`; a handler that returns true has dealt with it. */
  keys?: Record<string, () => boolean>;
};

export type CodeEditor = {
  view: EditorView;
  text(): string;
  replace(text: string): void;
  mark(marks: Mark[]): void;
  goTo(line: number, column?: number): void;
  setReadOnly(readOnly: boolean): void;
  destroy(): void;
};

// Chunks of their own: an editor of YAML does without the grammar of TypeScript.
const LANGUAGES: Record<Language, () => Promise<Extension>> = {
  typescript: () => import("./languages/typescript.ts").then((one) => one.typescript),
  json: () => import("./languages/json.ts").then((one) => one.json),
  yaml: () => import("./languages/yaml.ts").then((one) => one.yaml),
  text: () => Promise.resolve([]),
};

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  {
    tag: [tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)],
    color: "var(--code-name)",
  },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--paper)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--font-family-monospace)", lineHeight: "18px" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "none" },
  ".cm-activeLine": { backgroundColor: "var(--row-current)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--row-current)", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip, .cm-panels": {
    backgroundColor: "var(--paper)",
    color: "var(--text)",
    border: "1px solid var(--line)",
    borderRadius: "7px",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--text)",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--raised)",
    color: "var(--quiet)",
    border: "1px solid var(--line)",
  },
});

/** Makes an editor in `parent`. Tab indents; Escape, then Tab leaves it (CodeMirror's own way out for keyboards). */
export function codeEditor(options: CodeEditorOptions): CodeEditor {
  const readOnly = new Compartment();
  const language = new Compartment();
  const lock = (on: boolean) => readOnly.of([EditorState.readOnly.of(on), EditorView.editable.of(!on)]);
  const keys = Object.entries(options.keys ?? {}).map(([key, run]) => ({ key, run, preventDefault: true }));
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        EditorView.cspNonce.of(styleNonce()),
        EditorView.domEventHandlers({ beforeinput: replaceChosen }),
        keymap.of([...keys, { key: "Mod-f", run: find }]),
        lineNumbers(),
        foldGutter(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightSpecialChars(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentUnit.of("  "),
        EditorView.lineWrapping,
        autocompletion(options.complete ? { override: [options.complete] } : {}),
        options.explain ? hoverTooltip((hovered, at) => hint(options.explain!, hovered, at)) : [],
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
        keymap.of([...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        language.of([]),
        syntaxHighlighting(colours),
        theme,
        options.placeholder ? placeholder(options.placeholder) : [],
        EditorView.contentAttributes.of({ "aria-label": options.label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange?.(update.state.doc.toString());
        }),
        lock(options.readOnly ?? false),
      ],
    }),
  });
  void LANGUAGES[options.language]().then((found) => view.dispatch({ effects: language.reconfigure(found) }));
  return {
    view,
    text: () => view.state.doc.toString(),
    replace: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    mark: (marks) =>
      view.dispatch(setDiagnostics(view.state, marks.map((one) => diagnostic(view.state, one)))),
    goTo: (line, column = 1) => {
      view.dispatch({ selection: { anchor: offset(view.state, line, column) }, scrollIntoView: true });
      view.focus();
    },
    setReadOnly: (on) => {
      view.dispatch({
        effects: readOnly.reconfigure([EditorState.readOnly.of(on), EditorView.editable.of(!on)]),
      });
    },
    destroy: () => view.destroy(),
  };
}

/**
 * Puts what is typed over a selection into the document itself. Left to Chromium's own editing, the text would first
 * get a `style` attribute with the look of what it replaces, which the policy blocks and reports.
 */
function replaceChosen(event: InputEvent, view: EditorView): boolean {
  const { from, to, empty } = view.state.selection.main;
  const text = event.data;
  if (event.inputType !== "insertText" || !text || empty || view.composing || view.state.readOnly) {
    return false;
  }
  const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
  const isDealtWith = view.state.facet(EditorView.inputHandler).some((one) =>
    one(view, from, to, text, insert)
  );
  if (!isDealtWith) view.dispatch(insert());
  event.preventDefault();
  return true;
}

function find(view: EditorView): boolean {
  void import("./search.ts").then(({ openSearch }) => openSearch(view));
  return true;
}

function hint(explain: NonNullable<CodeEditorOptions["explain"]>, view: EditorView, at: number) {
  const found = explain(view.state.doc.toString(), at);
  if (!found) return null;
  return {
    pos: found.from,
    end: found.to,
    create: () => {
      const dom = document.createElement("code");
      dom.className = "code-hint";
      dom.textContent = found.text;
      return { dom };
    },
  };
}

function offset(state: EditorState, line: number, column: number): number {
  const found = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  return Math.min(found.from + Math.max(column - 1, 0), found.to);
}

function diagnostic(state: EditorState, mark: Mark): Diagnostic {
  const from = offset(state, mark.line, mark.column);
  const word = state.wordAt(from);
  const to = mark.endColumn
    ? offset(state, mark.line, mark.endColumn)
    : word?.to ?? Math.min(from + 1, state.doc.length);
  return { from, to: Math.max(from, to), severity: mark.level, message: mark.message };
}
