/** A part of the editor that comes when it is first shown: what nobody opens is not sent. */
import { type ComponentType, h } from "preact";
import { useEffect, useState } from "preact/hooks";

export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let found: ComponentType<Props> | null = null;
  return function Later(props: Props) {
    const [, draw] = useState(0);
    useEffect(() => {
      if (!found) {
        void load().then((part) => {
          found = part;
          draw(1);
        });
      }
    }, []);
    return found ? h(found, props) : null;
  };
}
