/** What floats: placed at an anchor, inside the window, closed by Escape or a press outside. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

type Props = {
  anchor: DOMRect;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
  width?: number;
  /** For presses that belong to the popup although they are outside of it. */
  within?: (target: EventTarget | null) => boolean;
};

const GAP = 4;

export function Popup({ anchor, onClose, children, class: extra = "", width, within }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number; maxHeight: number } | null>(null);
  useLayoutEffect(() => {
    const box = place.current;
    if (!box) return;
    const below = innerHeight - anchor.bottom - GAP - 8;
    const above = anchor.top - GAP - 8;
    const height = Math.min(box.scrollHeight, 420);
    const goesUp = below < height && above > below;
    const maxHeight = Math.min(420, goesUp ? above : below);
    setAt({
      left: Math.max(8, Math.min(anchor.left, innerWidth - box.offsetWidth - 8)),
      top: goesUp ? anchor.top - GAP - Math.min(height, maxHeight) : anchor.bottom + GAP,
      maxHeight: Math.max(120, maxHeight),
    });
  }, [anchor.left, anchor.top, anchor.bottom]);
  useEffect(() => {
    const onPress = (event: PointerEvent) => {
      if (place.current?.contains(event.target as Node) || within?.(event.target)) return;
      onClose();
    };
    document.addEventListener("pointerdown", onPress, true);
    return () => document.removeEventListener("pointerdown", onPress, true);
  });
  return (
    <div
      ref={place}
      class={`popup ${extra}`}
      style={at
        ? {
          left: `${at.left}px`,
          top: `${at.top}px`,
          maxHeight: `${at.maxHeight}px`,
          width: width ? `${width}px` : "",
        }
        // Not hidden: what is hidden cannot take the focus, and the next key is typed into it.
        : { opacity: "0", width: width ? `${width}px` : "" }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          event.preventDefault();
          onClose();
        }
      }}
    >
      {children}
    </div>
  );
}
