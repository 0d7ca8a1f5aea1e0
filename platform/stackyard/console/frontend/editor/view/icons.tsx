/** The icon of a step in a tile of its group's colour. */
import { Icon } from "../../icons/icon.tsx";
import type { Kind } from "../model/document.ts";

const COLOURS: Record<string, string> = {
  database: "data",
  cache: "data",
  files: "data",
  variables: "logic",
  flow: "logic",
  code: "connect",
  security: "connect",
  utilities: "finish",
};
const FINISHING = new Set(["return", "throw", "precondition"]);

export function KindTile({ kind }: { kind: Kind | undefined }) {
  const colour = !kind
    ? "none"
    : FINISHING.has(kind.name) && kind.name === "return"
    ? "finish"
    : COLOURS[kind.group];
  return (
    <span class={`tile ${colour ?? "logic"}`}>
      <Icon name={kind?.icon || "info"} />
    </span>
  );
}

export function Tile({ icon, colour }: { icon: string; colour: string }) {
  return (
    <span class={`tile ${colour}`}>
      <Icon name={icon} />
    </span>
  );
}

export function IconButton(
  { icon, label, onClick, disabled, keys, class: extra = "", expanded, size }: {
    icon: string;
    label: string;
    onClick: (event: MouseEvent) => void;
    disabled?: boolean;
    /** The shortcut, for the tooltip. */
    keys?: string;
    class?: string;
    expanded?: boolean;
    size?: number;
  },
) {
  return (
    <button
      type="button"
      class={`icon-button ${extra}`}
      aria-label={label}
      title={keys ? `${label} (${keys})` : label}
      onClick={onClick}
      disabled={disabled}
      aria-expanded={expanded}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
