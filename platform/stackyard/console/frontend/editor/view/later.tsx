/** A part of the editor that comes when it is first shown: what nobody opens is not sent. */
import { type ComponentType, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Editor } from "../store.ts";

type Part = ComponentType<{ editor: Editor }>;

export function later(load: () => Promise<Part>): Part {
  let found: Part | null = null;
  return function Later({ editor }: { editor: Editor }) {
    const [, draw] = useState(0);
    useEffect(() => {
      if (!found) {
        void load().then((part) => {
          found = part;
          draw(1);
        });
      }
    }, []);
    return found ? h(found, { editor }) : null;
  };
}
