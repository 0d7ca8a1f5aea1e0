/** Run & Debug on the page where a stack is edited as text: `{% island "debug" props %}`. It runs the text on the page. */
import { mount } from "../island.ts";
import { DebugPanel } from "../debug/panel.tsx";
import { Session } from "../debug/session.ts";

type Props = { address: string; kind: string };

function text(): string {
  return document.querySelector<HTMLTextAreaElement>("textarea[name=text]")?.value ?? "";
}

let session: Session | null = null;

function Debug({ address, kind }: Props) {
  session ??= begun(address, kind);
  return <DebugPanel session={session} />;
}

function begun(address: string, kind: string): Session {
  const request = new URLSearchParams(location.search).get("request");
  const session = new Session(
    { address, kind, onScreen: () => ({ text: text() }) },
    request && /^\d+$/.test(request) ? Number(request) : null,
  );
  // Ahead of the plain page's own keys, which send its form.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      void session.run();
    }
  }, { capture: true });
  return session;
}

mount("debug", Debug);
