/** A component that is drawn again only when one of its properties is another one (React's `memo`, without its package). */
import { Component, type ComponentType, h } from "preact";

export function memo<Props extends object>(inner: ComponentType<Props>): ComponentType<Props> {
  return class Kept extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      const before = this.props as Record<string, unknown>;
      const after = next as Record<string, unknown>;
      return Object.keys(after).some((key) => key !== "children" && before[key] !== after[key]);
    }
    render(props: Props) {
      return h(inner, props);
    }
  };
}
