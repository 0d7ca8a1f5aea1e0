/**
 * How far runs are: takes over the places of `{% run_progress run %}` and asks until each has ended. Whatever the page
 * was showing before a reload is there again, since the run, not the page, remembers it.
 */
import { useSignal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "../icons/icon.tsx";
import { number, percent } from "../numbers.ts";
import { get, Refused, send } from "../requests.ts";
import { secondsLeft } from "../time_left.ts";
import { T } from "../words.ts";

type Far = {
  done: number;
  total: number | null;
  percent: number | null;
  phase: string;
  seconds_left: number | null;
};
export type Facts = {
  label: string;
  target: string;
  state: string;
  state_name: string;
  is_finished: boolean;
  is_being_cancelled: boolean;
  progress: Far | null;
  error: string;
  page: string;
};

const ASK_MS = 600;
const SLOWEST_MS = 10_000;

function RunProgress({ address, then }: { address: string; then: string }) {
  const facts = useSignal<Facts | null>(null);
  const trouble = useSignal("");
  const now = facts.value;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let pause = ASK_MS;
    const look = async () => {
      if (!document.hidden || !facts.value) {
        try {
          const before = facts.value;
          facts.value = await get<Facts>(address);
          trouble.value = "";
          pause = ASK_MS;
          if (facts.value.is_finished) {
            dispatchEvent(new CustomEvent("run-ended", { detail: facts.value }));
            if (then === "reload" && before) location.reload();
            return;
          }
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          trouble.value = error.message;
          pause = Math.min(pause * 2, SLOWEST_MS);
        }
      }
      timer = setTimeout(look, pause);
    };
    void look();
    return () => clearTimeout(timer);
  }, [address]);
  const cancel = async () => {
    try {
      facts.value = await send<Facts>("POST", address, {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      trouble.value = error.message;
    }
  };
  if (!now) return <p class="quiet">{T("Looking how far it is…")}</p>;
  const far = now.progress;
  return (
    <>
      <p class="what">
        {now.is_finished && (
          <Icon name={now.state === "succeeded" ? "check" : now.state === "cancelled" ? "stop" : "error"} />
        )}
        <strong>{now.label}</strong> <a href={now.page}>{now.target}</a>{" "}
        <span class={`quiet state-${now.state}`} role="status">
          {now.is_being_cancelled && !now.is_finished ? T("Being cancelled…") : now.state_name}
        </span>
      </p>
      {!now.is_finished && (
        <progress
          max={100}
          value={far?.percent ?? undefined}
          aria-label={T("How far {label} is", { label: now.label })}
        />
      )}
      {far && (
        <p class="far">
          <span>{far.phase}</span>
          <span>
            {far.total === null
              ? number(far.done)
              : T("{done} of {total}", { done: number(far.done), total: number(far.total) })}
          </span>
          {far.percent !== null && <span>{percent(far.percent / 100)}</span>}
          {far.seconds_left !== null && !now.is_finished && <span>{secondsLeft(far.seconds_left)}</span>}
        </p>
      )}
      {now.error && <p class="fault">{now.error}</p>}
      {trouble.value && <p class="fault" role="alert">{trouble.value}</p>}
      {!now.is_finished && (
        <button type="button" class="button" disabled={now.is_being_cancelled} onClick={cancel}>
          {T("Cancel")}
        </button>
      )}
    </>
  );
}

for (const place of document.querySelectorAll<HTMLElement>("[data-run-progress]")) {
  place.replaceChildren();
  render(<RunProgress address={place.dataset.runProgress!} then={place.dataset.then ?? ""} />, place);
}
for (const plain of document.querySelectorAll<HTMLElement>('[data-plain="progress"]')) plain.hidden = true;
document.documentElement.dataset.islandProgress = "ready";
