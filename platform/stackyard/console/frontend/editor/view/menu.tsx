/** A menu of commands with the keyboard of menus: arrows, Home, End, letters, Escape. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../../icons/icon.tsx";
import { Popup } from "./popup.tsx";

export type Entry =
  | { label: string; icon?: string; keys?: string; run: () => void; danger?: boolean; disabled?: boolean }
  | "line";

export function Menu(
  { entries, anchor, label, onClose, head }: {
    entries: Entry[];
    anchor: DOMRect;
    label: string;
    onClose: () => void;
    head?: ComponentChildren;
  },
) {
  const list = useRef<HTMLDivElement>(null);
  const buttons =
    () => [...list.current?.querySelectorAll<HTMLButtonElement>("[role=menuitem]:not(:disabled)") ?? []];
  useLayoutEffect(() => buttons()[0]?.focus({ preventScroll: true }), [label]);
  const onKey = (event: KeyboardEvent) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    let next: HTMLButtonElement | undefined;
    if (event.key === "ArrowDown") next = all[(at + 1) % all.length];
    else if (event.key === "ArrowUp") next = all[(at - 1 + all.length) % all.length];
    else if (event.key === "Home") next = all[0];
    else if (event.key === "End") next = all[all.length - 1];
    else if (event.key === "Tab") onClose();
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLowerCase();
      next = [...all.slice(at + 1), ...all].find((one) =>
        one.textContent?.trim().toLowerCase().startsWith(letter)
      );
    } else return;
    event.preventDefault();
    event.stopPropagation();
    next?.focus();
  };
  return (
    <Popup anchor={anchor} onClose={onClose} class="menu">
      {head}
      <div role="menu" aria-label={label} ref={list} onKeyDown={onKey}>
        {entries.map((entry, at) =>
          entry === "line" ? <div role="separator" key={at} /> : (
            <button
              type="button"
              role="menuitem"
              key={at}
              tabIndex={-1}
              class={entry.danger ? "danger" : ""}
              disabled={entry.disabled}
              onClick={entry.run}
            >
              {entry.icon ? <Icon name={entry.icon} /> : <span class="icon" />}
              <span class="menu-label">{entry.label}</span>
              {entry.keys && <kbd>{entry.keys}</kbd>}
            </button>
          )
        )}
      </div>
    </Popup>
  );
}
