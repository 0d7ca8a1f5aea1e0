/**
 * Islands: places of a server-made page that a script takes over.
 *
 * `{% island "grid" props %}` in a template gives the place, its properties as JSON and the script; the script calls
 * `mount("grid", Grid)`. What stands beside it with `data-plain="grid"` is the plain form for pages without the script:
 * it is hidden when the island is there.
 */
import { type ComponentType, h, render } from "preact";

export function mount<Props extends object>(name: string, component: ComponentType<Props>): void {
  for (const place of document.querySelectorAll<HTMLElement>(`[data-island="${name}"]`)) {
    const props = JSON.parse(
      document.getElementById(place.dataset.props ?? "")?.textContent ?? "{}",
    ) as Props;
    place.replaceChildren();
    render(h(component, props), place);
    place.hidden = false;
  }
  for (const plain of document.querySelectorAll<HTMLElement>(`[data-plain="${name}"]`)) plain.hidden = true;
  document.documentElement.dataset[camel(`island-${name}`)] = "ready";
}

function camel(name: string): string {
  return name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The nonce that lets a library (CodeMirror) put a style element into the page. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? "";
}
