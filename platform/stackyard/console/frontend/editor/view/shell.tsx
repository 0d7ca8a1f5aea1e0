/** The whole editor: head, tabs, the stack, and the panel beside it (a sheet where there is no room). */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../icons/icon.tsx";
import { T, TN } from "../../words.ts";
import { isObject } from "../model/document.ts";
import { findLines } from "../model/search.ts";
import { panelTabs } from "../panel.ts";
import type { Editor, Tab } from "../store.ts";
import { Bars, DeletedBar } from "./bars.tsx";
import { Header } from "./header.tsx";
import { IconButton } from "./icons.tsx";
import { placeOf, specOf } from "../model/inputs.ts";
import { InsertMenu } from "./insert_menu.tsx";
import { Inspector } from "./inspector.tsx";
import { editorKeys } from "./keys.ts";
import { RowMenu } from "./row_menu.tsx";
import { Rows } from "./rows.tsx";
import { later } from "./later.tsx";

const Dialogs = later(() => import("./dialogs.tsx").then((part) => part.Dialogs));
const InputsTab = later(() => import("./inputs.tsx").then((part) => part.InputsTab));
const SettingsTab = later(() => import("./settings.tsx").then((part) => part.SettingsTab));
const VersionsTab = later(() => import("./versions.tsx").then((part) => part.VersionsTab));
const YamlTab = later(() => import("./yaml.tsx").then((part) => part.YamlTab));

const NARROW = "(max-width: 999px)";
const WIDTH_KEY = "stackyard.panel-width";
const LEAST = 320;
const MOST = 720;

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const look = () => setNarrow(query.matches);
    query.addEventListener("change", look);
    return () => query.removeEventListener("change", look);
  }, []);
  return narrow;
}

/** The height from where the editor begins to the end of the window. */
function useRoom(place: { current: HTMLElement | null }): number {
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const look = () => {
      const top = (place.current?.getBoundingClientRect().top ?? 0) + scrollY;
      setHeight(Math.max(420, innerHeight - Math.round(top)));
    };
    look();
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  return height;
}

export function Shell({ editor }: { editor: Editor }) {
  const narrow = useNarrow();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => editorKeys(editor, event);
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const place = useRef<HTMLDivElement>(null);
  const height = useRoom(place);
  const tab = editor.tab.value;
  const menu = editor.menu.value;
  return (
    <div
      ref={place}
      class={`stack-editor ${narrow ? "narrow" : ""} ${editor.isReadOnly ? "looks-only" : ""}`}
      style={{ height: height ? `${height}px` : "" }}
    >
      <Header editor={editor} />
      <Bars editor={editor} />
      <Tabs editor={editor} />
      <div class="stack-body">
        <div class="stack-main">
          {tab === "stack" && <StackTab editor={editor} narrow={narrow} />}
          {tab === "inputs" && (
            <Fields editor={editor}>
              <InputsTab editor={editor} />
            </Fields>
          )}
          {tab === "settings" && (
            <Fields editor={editor}>
              <SettingsTab editor={editor} />
            </Fields>
          )}
          {tab === "versions" && <VersionsTab editor={editor} />}
          {tab === "yaml" && <YamlTab editor={editor} />}
        </div>
        {tab === "stack" && <Panel editor={editor} narrow={narrow} />}
      </div>
      <DeletedBar editor={editor} />
      {menu?.type === "insert" && <InsertMenu editor={editor} place={menu.place} anchor={menu.anchor} />}
      {menu?.type === "row" && <RowMenu editor={editor} anchor={menu.anchor} />}
      {editor.dialog.value && <Dialogs editor={editor} />}
      <div class="visually-hidden" aria-live="polite">{editor.announcement.value}</div>
    </div>
  );
}

/** Forms that who may not change the stack can read. */
function Fields({ editor, children }: { editor: Editor; children: ComponentChildren }) {
  return editor.isReadOnly ? <fieldset class="read-only" disabled>{children}</fieldset> : <>{children}</>;
}

function Tabs({ editor }: { editor: Editor }) {
  const problems = editor.problems.value.filter((one) => one.level === "error");
  const inputs = problems.some((one) => one.path[0] === "inputs");
  const settings = problems.some((one) =>
    one.line_id === null && !["inputs", "lines", "response"].includes(String(one.path[0]))
  );
  const count = Object.keys(isObject(editor.doc.value.inputs) ? editor.doc.value.inputs : {}).length;
  const tabs: [Tab, string, boolean, number?][] = [
    ["stack", T("Stack"), false],
    ["inputs", T("Inputs"), inputs, count],
    ["settings", T("Settings"), settings],
    ["versions", T("Versions"), false],
    ["yaml", T("YAML"), false],
  ];
  return (
    <div
      class="stack-tabs"
      role="tablist"
      aria-label={T("Parts")}
      onKeyDown={(event) => arrowTabs(event)}
    >
      {tabs.map(([name, label, isWrong, number]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={editor.tab.value === name}
          tabIndex={editor.tab.value === name ? 0 : -1}
          onClick={() => (editor.tab.value = name)}
        >
          {label}
          {number ? <span class="count">{number}</span> : null}
          {isWrong && <span class="dot bad" title={T("There is something to mend")} />}
        </button>
      ))}
    </div>
  );
}

/** Arrows go from tab to tab. */
export function arrowTabs(event: KeyboardEvent): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (!by) return;
  const list = event.currentTarget as HTMLElement;
  const tabs = [...list.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const at = tabs.indexOf(document.activeElement as HTMLButtonElement);
  const next = tabs[(at + by + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
  event.preventDefault();
}

function StackTab({ editor, narrow }: { editor: Editor; narrow: boolean }) {
  const isEmpty = editor.tree.order.length === 0;
  return (
    <>
      <div class="stack-strip">
        <InputStrip editor={editor} />
        <Find editor={editor} />
      </div>
      {isEmpty && !editor.isReadOnly && <Beginnings editor={editor} />}
      <Rows editor={editor} narrow={narrow} />
    </>
  );
}

function InputStrip({ editor }: { editor: Editor }) {
  const doc = editor.doc.value;
  const inputs = Object.entries(isObject(doc.inputs) ? doc.inputs : {});
  return (
    <button
      type="button"
      class="input-strip"
      title={T("Edit the inputs")}
      onClick={() => (editor.tab.value = "inputs")}
    >
      <span class="strip-label">{T("Inputs")}</span>
      {inputs.length === 0 && <span class="quiet">{T("none")}</span>}
      {inputs.slice(0, 6).map(([name, given]) => {
        const spec = specOf(given);
        return (
          <span key={name} class="strip-input">
            <span class="piece is-name">{name}</span>{" "}
            <span class="quiet">
              {[String(spec.type), placeOf(name, spec, doc)].filter(Boolean).join(" · ")}
            </span>
          </span>
        );
      })}
      {inputs.length > 6 && <span class="quiet">+{inputs.length - 6}</span>}
    </button>
  );
}

/** Find in the stack: goes from hit to hit, also to those that are scrolled or folded away. */
function Find({ editor }: { editor: Editor }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(-1);
  const found = query ? findLines(editor.doc.value, editor.kinds, editor.expressions.known.value, query) : [];
  const go = (by: number) => {
    if (found.length === 0) return;
    const next = (at + by + found.length) % found.length;
    setAt(next);
    editor.choose(found[next]!);
    editor.announce(T("{place} of {count}: {step}", {
      place: next + 1,
      count: found.length,
      step: editor.sentence(found[next]!),
    }));
  };
  return (
    <div class="stack-find" role="search">
      <Icon name="search" size={14} />
      <input
        id="find-in-stack"
        type="search"
        aria-label={T("Find in this stack")}
        placeholder={T("Find")}
        autocomplete="off"
        spellcheck={false}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          else if (event.key === "ArrowDown") go(1);
          else if (event.key === "ArrowUp") go(-1);
          else if (event.key === "Escape") {
            setQuery("");
            editor.reveal.value = { key: editor.selection.value.focus, focus: true };
          } else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      {query && (
        <span class="found" role="status">
          {at >= 0 ? `${at + 1}/${found.length}` : TN("{count} found", "{count} found", found.length)}
        </span>
      )}
    </div>
  );
}

/** An empty stack: four ways to begin instead of a blank. */
function Beginnings({ editor }: { editor: Editor }) {
  const names = ["query_all_records", "add_record", "external_api_request", "code"];
  const place = editor.placeAfter("end");
  return (
    <div class="beginnings">
      <p>{T("This stack does nothing yet. Begin with one of these, or press / for all steps.")}</p>
      <div class="beginning-cards">
        {names.filter((name) => editor.kinds[name]).map((name) => (
          <button
            type="button"
            key={name}
            onClick={() => editor.insertKind(editor.kinds[name]!, place)}
          >
            <Icon name={editor.kinds[name]!.icon} size={20} />
            <strong>{editor.kinds[name]!.label}</strong>
            <span>{editor.kinds[name]!.help.split(/[.:;]/)[0]}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Panel({ editor, narrow }: { editor: Editor; narrow: boolean }) {
  const [width, setWidth] = useState(() => Number(localStorage.getItem(WIDTH_KEY)) || 400);
  const panel = editor.panel.value;
  // What others put in runs the stack, which is for those who build it.
  const others = editor.isReadOnly ? [] : panelTabs.value;
  const tabs = [{ name: "step", label: () => T("Step"), mark: undefined }, ...others];
  const other = others.find((one) => one.name === panel);
  const isOpen = editor.isPanelOpen.value;
  if (narrow && !isOpen) {
    return (
      <button type="button" class="button sheet-button" onClick={() => (editor.isPanelOpen.value = true)}>
        <Icon name="edit" /> {T("Open the form")}
      </button>
    );
  }
  return (
    <aside
      class={`stack-panel ${narrow ? "sheet" : ""}`}
      aria-label={T("Panel")}
      style={narrow ? {} : { width: `${width}px` }}
    >
      {!narrow && <Resizer width={width} onWidth={setWidth} />}
      <h2 class="visually-hidden">{T("Panel")}</h2>
      <div class="panel-head">
        <div
          class="panel-tabs"
          role="tablist"
          aria-label={T("Panel")}
          onKeyDown={(event) => arrowTabs(event)}
        >
          {tabs.map((tab) => (
            <button
              key={tab.name}
              type="button"
              role="tab"
              aria-selected={panel === tab.name || (tab.name === "step" && !other)}
              tabIndex={panel === tab.name || (tab.name === "step" && !other) ? 0 : -1}
              onClick={() => (editor.panel.value = tab.name)}
            >
              {tab.label()}
              {tab.mark?.value && <span class={`dot ${tab.mark.value}`} />}
            </button>
          ))}
        </div>
        {narrow && (
          <IconButton
            icon="close"
            label={T("Close the panel")}
            onClick={() => (editor.isPanelOpen.value = false)}
          />
        )}
      </div>
      <div class="panel-body">
        {other ? <other.component editor={editor} /> : (
          <Fields editor={editor}>
            <Inspector editor={editor} />
          </Fields>
        )}
      </div>
    </aside>
  );
}

function Resizer({ width, onWidth }: { width: number; onWidth: (width: number) => void }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  const set = (next: number) => {
    const kept = Math.round(Math.min(MOST, Math.max(LEAST, next)));
    onWidth(kept);
    localStorage.setItem(WIDTH_KEY, String(kept));
  };
  return (
    <div
      class="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label={T("Width of the panel")}
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={(event) => {
        start.current = { x: event.clientX, width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => start.current && set(start.current.width + start.current.x - event.clientX)}
      onPointerUp={() => (start.current = null)}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") set(width + 20);
        else if (event.key === "ArrowRight") set(width - 20);
        else return;
        event.preventDefault();
      }}
    />
  );
}
