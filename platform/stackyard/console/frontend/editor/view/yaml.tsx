/** The same document as YAML, both ways: a text that reads as a document is the draft as soon as it does. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { CodeEditor, Mark } from "../../code/editor.ts";
import { Icon } from "../../icons/icon.tsx";
import { send } from "../../requests.ts";
import { T } from "../../words.ts";
import type { Doc } from "../model/document.ts";
import type { Expression } from "../model/sentences.ts";
import type { Editor } from "../store.ts";

type Read = {
  document: Doc | null;
  marks: (Mark & { suggestion: string | null })[];
  expressions: { [source: string]: Expression };
};

const QUIET_MS = 350;

export function YamlTab({ editor }: { editor: Editor }) {
  const place = useRef<HTMLDivElement>(null);
  const code = useRef<CodeEditor | null>(null);
  const [marks, setMarks] = useState<Read["marks"]>([]);
  const [unread, setUnread] = useState(false);
  const [fault, setFault] = useState("");
  // The document that the text says; another one on screen means a change from elsewhere (undo, taking theirs).
  const said = useRef<Doc | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const typing = useRef(false);

  const read = async (text: string) => {
    try {
      const answer = await send<Read>("POST", `${editor.base}yaml/`, { text });
      if (code.current && code.current.text() !== text) return;
      typing.current = false;
      editor.unreadYaml = answer.document ? "" : text;
      if (!code.current) {
        if (answer.document) {
          editor.expressions.add(answer.expressions);
          editor.change(answer.document, T("Edit as YAML"), "yaml");
        }
        return;
      }
      setFault("");
      setMarks(answer.marks);
      setUnread(answer.document === null);
      code.current.mark(answer.marks);
      if (!answer.document) return;
      editor.expressions.add(answer.expressions);
      said.current = answer.document;
      editor.change(answer.document, T("Edit as YAML"), "yaml");
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  const show = async () => {
    const doc = editor.doc.value;
    try {
      const { text } = await send<{ text: string }>("POST", `${editor.base}yaml/`, { document: doc });
      said.current = doc;
      const kept = editor.unreadYaml;
      if (code.current) {
        if (code.current.text() !== text) code.current.replace(text);
        return;
      }
      const { codeEditor } = await import("../../code/editor.ts");
      if (!place.current) return;
      code.current = codeEditor({
        parent: place.current,
        text: kept || text,
        language: "yaml",
        readOnly: editor.isReadOnly,
        label: T("This stack as YAML"),
        onChange: (next) => {
          // A text that was put here because the document changed is not typed.
          if (said.current === editor.doc.peek() && !code.current?.view.hasFocus) return;
          typing.current = true;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => void read(next), QUIET_MS);
        },
      });
      if (kept) void read(kept);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  useEffect(() => {
    if (!typing.current && editor.doc.value !== said.current) void show();
  }, [editor.doc.value]);
  useEffect(() => () => {
    clearTimeout(timer.current);
    const left = code.current;
    code.current = null;
    left?.destroy();
    // What was typed a moment ago counts although the tab is left.
    if (typing.current && left) void read(left.text());
  }, []);
  return (
    <section class="tab-page yaml-page" aria-label={T("YAML")}>
      <p class="lead-text">
        {T("The same stack as files have it. What you type here is the draft as soon as it can be read.")}
      </p>
      {fault && (
        <p class="problem error" role="alert">
          <Icon name="error" size={14} />
          {fault}
        </p>
      )}
      {unread && (
        <p class="bar-line warn" role="status">
          <Icon name="warning" />
          <span>
            {T(
              "This text cannot be read yet, so the draft is still what it was before. Mend what is marked.",
            )}
          </span>
        </p>
      )}
      <div class="code-field tall" ref={place} />
      {marks.length > 0 && (
        <ul class="places">
          {marks.map((mark, at) => (
            <li key={at}>
              <button
                type="button"
                class={`place ${mark.level}`}
                onClick={() => code.current?.goTo(mark.line, mark.column)}
              >
                <Icon name={mark.level === "error" ? "error" : "warning"} size={14} />
                {T("Line {line}, column {column}: {message}", {
                  line: mark.line,
                  column: mark.column,
                  message: mark.message,
                })} {mark.suggestion}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
