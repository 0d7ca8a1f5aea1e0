/** Ctrl K: every object and action of the console by a few letters. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { actions } from "../actions.ts";
import { flat, type Group, moved, says } from "../found.ts";
import { Icon } from "../icons/icon.tsx";
import { mount } from "../island.ts";
import { get, Refused } from "../requests.ts";
import { T } from "../words.ts";

const isOpen = signal(false);
const asked = signal("");
const groups = signal<Group[]>([]);
const chosen = signal(0);
const fault = signal("");

let latest: AbortController | undefined;

async function find(url: string): Promise<void> {
  latest?.abort();
  const mine = latest = new AbortController();
  try {
    const query = encodeURIComponent(asked.value);
    const answer = await get<{ groups: Group[] }>(`${url}?q=${query}`, mine.signal);
    if (mine.signal.aborted) return;
    const here = actions.value.filter((one) => says(asked.value, one.text, one.words ?? ""));
    groups.value = [
      ...(here.length
        ? [{ heading: T("On this page"), found: here.map((one) => ({ detail: "", ...one })) }]
        : []),
      ...answer.groups,
    ];
    chosen.value = 0;
    fault.value = "";
  } catch (error) {
    if (error instanceof Refused) fault.value = `${error.message} ${error.suggestion}`;
  }
}

function open(): void {
  isOpen.value = true;
  asked.value = "";
}

function follow(place: number): void {
  const entry = flat(groups.value)[place];
  if (!entry) return;
  isOpen.value = false;
  if (entry.run) entry.run();
  else if (entry.url) location.assign(entry.url);
}

function onKey(event: KeyboardEvent): void {
  const count = flat(groups.value).length;
  if (event.key === "ArrowDown") chosen.value = moved(chosen.value, 1, count);
  else if (event.key === "ArrowUp") chosen.value = moved(chosen.value, -1, count);
  else if (event.key === "Enter") follow(chosen.value);
  else return;
  event.preventDefault();
}

function Palette({ url }: { url: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onShortcut = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (isOpen.value) isOpen.value = false;
        else open();
      }
    };
    const button = document.querySelector<HTMLElement>("[data-palette]");
    const onAsk = (event: Event) => {
      event.preventDefault();
      (event.target as HTMLElement).blur?.();
      open();
    };
    document.addEventListener("keydown", onShortcut);
    button?.addEventListener("pointerdown", onAsk);
    button?.querySelector("input")?.addEventListener("input", (event) => {
      const typed = event.target as HTMLInputElement;
      open();
      asked.value = typed.value;
      typed.value = "";
    });
    return () => document.removeEventListener("keydown", onShortcut);
  }, []);
  useEffect(() => {
    if (isOpen.value) {
      if (!dialog.current?.open) dialog.current?.showModal();
      field.current?.focus();
    } else if (dialog.current?.open) dialog.current.close();
  }, [isOpen.value]);
  useEffect(() => {
    if (isOpen.value) find(url);
  }, [isOpen.value, asked.value]);
  useEffect(() => {
    document.getElementById(`found-option-${chosen.value}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen.value]);
  if (!isOpen.value) return <dialog ref={dialog} class="palette" aria-label={T("Search or jump to…")} />;
  let place = 0;
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label={T("Search or jump to…")}
      onClose={() => isOpen.value = false}
      onClick={(event) => event.target === dialog.current && (isOpen.value = false)}
    >
      <div class="palette-body">
        <div class="palette-ask">
          <Icon name="search" />
          <input
            ref={field}
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={`found-option-${chosen.value}`}
            aria-label={T("Search or jump to…")}
            placeholder={T("Search or jump to…")}
            autocomplete="off"
            spellcheck={false}
            value={asked.value}
            onInput={(event) => asked.value = event.currentTarget.value}
            onKeyDown={onKey}
          />
          <kbd>Esc</kbd>
        </div>
        {fault.value && <p class="errornote" role="alert">{fault.value}</p>}
        <div id="palette-list" role="listbox" aria-label={T("Found")} class="palette-list" tabIndex={-1}>
          {groups.value.map((group, number) => (
            <div role="group" aria-labelledby={`palette-group-${number}`} key={group.heading}>
              <div class="palette-heading" id={`palette-group-${number}`} role="presentation">
                {group.heading}
              </div>
              {group.found.map((entry) => {
                const mine = place++;
                return (
                  <div
                    role="option"
                    id={`found-option-${mine}`}
                    key={`${entry.url}${entry.text}`}
                    aria-selected={mine === chosen.value}
                    class="palette-option"
                    onPointerMove={() => chosen.value = mine}
                    onClick={() =>
                      follow(mine)}
                  >
                    <Icon name={entry.icon} />
                    <span class="palette-text">{entry.text}</span>
                    <span class="quiet">{entry.detail}</span>
                  </div>
                );
              })}
            </div>
          ))}
        </div>
        {!groups.value.length && !fault.value && (
          <p class="quiet palette-none" role="status">{T("Nothing matches.")}</p>
        )}
      </div>
    </dialog>
  );
}

mount("palette", Palette);
