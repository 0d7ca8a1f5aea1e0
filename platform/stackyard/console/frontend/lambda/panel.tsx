/** Runs the code on screen: its input, its output as it comes, its result or its fault at the line. */
import { useSignal } from "@preact/signals";
import { Icon } from "../icons/icon.tsx";
import { duration, size } from "../numbers.ts";
import { T } from "../words.ts";
import type { Ended, Failure, LambdaSession } from "./session.ts";

type Props = {
  session: LambdaSession;
  sample: { value: string };
  goTo: (line: number, column?: number) => void;
};

/** The input of a run, or what is wrong with its text. */
export function inputOf(text: string): { value: unknown } | { fault: string } {
  if (text.trim() === "") return { value: null };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

export function RunPanel({ session, sample, goTo }: Props) {
  const read = inputOf(sample.value);
  const fault = "fault" in read ? read.fault : "";
  const isBusy = session.isBusy.value;
  const run = () => {
    if (!("fault" in read)) void session.run(read.value, sample.value);
  };
  const ended = session.ended.value;
  return (
    <div class="debug-panel" aria-busy={isBusy}>
      <div class="debug-field wide">
        <label for="lambda-input">{T("Input, as JSON")}</label>
        <textarea
          id="lambda-input"
          class="code"
          rows={6}
          spellcheck={false}
          value={sample.value}
          aria-invalid={fault !== ""}
          aria-describedby="lambda-input-fault"
          onInput={(event) => sample.value = event.currentTarget.value}
        />
        <p class="fault" id="lambda-input-fault" role={fault ? "alert" : undefined}>{fault}</p>
      </div>
      <p class="quiet">{T("Runs the code on this page as you, for real: what it changes stays.")}</p>
      <p class="debug-run">
        <button type="button" class="button default" disabled={isBusy || fault !== ""} onClick={run}>
          <Icon name="play" /> {isBusy ? T("Running…") : T("Run")} <kbd>Ctrl ↵</kbd>
        </button>
        {isBusy && (
          <button type="button" class="button" onClick={() => session.cancel()}>
            <Icon name="stop" /> {T("Cancel")}
          </button>
        )}
      </p>
      {session.failure.value && (
        <p class="debug-outcome bad" role="alert">
          {session.failure.value.message} {session.failure.value.suggestion}
        </p>
      )}
      {ended && ended.state !== "refused" && (
        <Outcome session={session} ended={ended as Ended} goTo={goTo} key={ended.id} />
      )}
      {ended && ended.state === "refused" && (
        <div class="debug-outcome bad" role="alert">
          {T("Not run: {message}", { message: ended.error?.message ?? "" })}
        </div>
      )}
      {session.logs.value && (
        <section class="lambda-logs" aria-labelledby="lambda-logs-title">
          <h3 id="lambda-logs-title">{T("Output")}</h3>
          <pre tabIndex={0} role="log" aria-label={T("Output")}>{session.logs.value}</pre>
        </section>
      )}
    </div>
  );
}

function Outcome({ session, ended, goTo }: { session: LambdaSession; ended: Ended; goTo: Props["goTo"] }) {
  const whole = useSignal<string | null>(null);
  const isFine = ended.state === "succeeded";
  const words: Record<string, string> = {
    succeeded: T("Succeeded"),
    failed: T("Failed"),
    timed_out: T("Timed out"),
    cancelled: T("Cancelled"),
  };
  return (
    <>
      <p class={`debug-outcome line ${isFine ? "ok" : "bad"}`} role="status" data-state={ended.state}>
        <Icon name={isFine ? "check" : "error"} />
        <strong>{words[ended.state] ?? ended.state}</strong>
        <span>{duration(ended.milliseconds)}</span>
        {isFine && <span>{size(ended.bytes)}</span>}
      </p>
      {ended.error && <Fault error={ended.error} goTo={goTo} />}
      {isFine && <pre tabIndex={0} aria-label={T("Result")}>{whole.value ?? shown(ended)}</pre>}
      {isFine && ended.value_cut && whole.value === null && (
        <button
          type="button"
          class="link-button"
          onClick={async () => whole.value = await session.wholeValue(ended.id)}
        >
          {T("Load all")}
        </button>
      )}
    </>
  );
}

function shown(ended: Ended): string {
  try {
    return ended.value_cut ? ended.value : JSON.stringify(JSON.parse(ended.value), null, 2);
  } catch {
    return ended.value;
  }
}

function Fault({ error, goTo }: { error: Failure; goTo: Props["goTo"] }) {
  return (
    <div class="debug-problem">
      <p>
        <strong>{error.name}</strong> {error.message}
      </p>
      {error.suggestion && <p class="quiet">{error.suggestion}</p>}
      {error.line && (
        <button
          type="button"
          class="link-button"
          onClick={() => goTo(error.line!, error.column)}
        >
          {T("Line {line}, column {column}", { line: error.line, column: error.column ?? 1 })}
        </button>
      )}
    </div>
  );
}
