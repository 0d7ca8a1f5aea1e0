/** Run & Debug: inputs, who calls, run, what came of it, step by step. */
import { Icon } from "../icons/icon.tsx";
import { T } from "../words.ts";
import { Choices, InputsForm } from "./inputs.tsx";
import { Outcome } from "./result.tsx";
import { Timeline } from "./timeline.tsx";
import type { Session } from "./session.ts";

export function DebugPanel({ session }: { session: Session }) {
  const result = session.result.value;
  const isBusy = session.isBusy.value;
  const enter = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      void session.run();
    }
  };
  return (
    <div class="debug-panel" onKeyDown={enter} aria-busy={isBusy}>
      <InputsForm session={session} />
      <Choices session={session} />
      <p class="debug-run">
        <button type="button" class="button default" disabled={isBusy} onClick={() => session.run()}>
          <Icon name="play" /> {isBusy ? T("Running…") : T("Run")} <kbd>Ctrl ↵</kbd>
        </button>
        {isBusy && (
          <button type="button" class="button" onClick={() => session.cancel()}>
            <Icon name="stop" /> {T("Cancel")}
          </button>
        )}
      </p>
      <div class={isBusy ? "debug-answer stale" : "debug-answer"}>
        <Outcome session={session} />
        {result && <Timeline session={session} result={result} key={result.id} />}
      </div>
    </div>
  );
}
