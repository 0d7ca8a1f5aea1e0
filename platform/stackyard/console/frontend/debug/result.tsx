/** What came of a run: status, body, headers, the curl line, the comparison with a past answer. */
import { useSignal } from "@preact/signals";
import { Icon } from "../icons/icon.tsx";
import { duration, number, size } from "../numbers.ts";
import { T, TN } from "../words.ts";
import { pretty } from "./rows.ts";
import type { Session } from "./session.ts";
import type { Comparison, Difference, ProblemSaid, Result } from "./shapes.ts";

export function Outcome({ session }: { session: Session }) {
  const { failure, refused, result } = session;
  if (failure.value) {
    const { message, suggestion } = failure.value;
    return (
      <div class="debug-outcome bad" role="alert">
        <Icon name="error" /> <span>{message} {suggestion}</span>
      </div>
    );
  }
  if (refused.value) {
    return <Refusal problem={refused.value.error} status={refused.value.status} session={session} />;
  }
  if (!result.value) return null;
  return <Answer session={session} result={result.value} />;
}

function Refusal({ problem, status, session }: { problem: ProblemSaid; status: number; session: Session }) {
  return (
    <div class="debug-outcome bad" role="alert">
      <p>
        <Icon name="error" /> <strong>{T("Not run ({status})", { status })}</strong>
      </p>
      <ProblemText problem={problem} session={session} />
    </div>
  );
}

function ProblemText({ problem, session }: { problem: ProblemSaid; session: Session }) {
  const details = problem.details ?? [];
  const place = problem.place;
  return (
    <>
      <p>{problem.message}</p>
      {problem.suggestion && <p class="quiet">{problem.suggestion}</p>}
      {details.length > 1 && (
        <ul>
          {details.slice(0, 50).map((one, index) => (
            <li key={index}>
              {one.field && <code>{one.field}</code>} {typeof one.message === "string" ? one.message : ""}
            </li>
          ))}
        </ul>
      )}
      {place?.line && session.target.choose && (
        <button
          type="button"
          class="link-button"
          onClick={() => session.target.choose!(place.line)}
        >
          {T("Show the step")}
        </button>
      )}
    </>
  );
}

function Answer({ session, result }: { session: Session; result: Result }) {
  const isFine = result.status < 400;
  return (
    <div>
      <p class={`debug-outcome line ${isFine ? "ok" : "bad"}`} role="status" data-status={result.status}>
        <Icon name={isFine ? "check" : "error"} />
        <strong>{result.status}</strong>
        <span>{duration(result.milliseconds)}</span>
        <span>{size(result.bytes)}</span>
        <span>{TN("{count} query", "{count} queries", result.queries)}</span>
        <span>{TN("{count} step ran", "{count} steps ran", result.steps)}</span>
        <span>{result.kept ? T("changes kept") : T("nothing kept")}</span>
      </p>
      {result.stopped && (
        <p class="notice">
          <Icon name="pause" />{" "}
          {result.stopped_at ? T("Stopped at the step you chose.") : T("Stopped by a Stop & debug step.")}
        </p>
      )}
      {result.lines.some((line) => line.goes_out) && !result.kept && (
        <p class="notice">
          <Icon name="globe" /> {T("Calls to other servers, e-mails, lambdas and the cache really happened.")}
        </p>
      )}
      {result.problem && (
        <div class="debug-problem">
          <ProblemText problem={result.problem} session={session} />
        </div>
      )}
      {result.comparison && <Compared comparison={result.comparison} result={result} />}
      <Body session={session} result={result} key={result.id} />
      {result.headers.length > 0 && (
        <details class="debug-headers">
          <summary>{TN("{count} header", "{count} headers", result.headers.length)}</summary>
          <dl>
            {result.headers.map((one, index) => (
              <div key={index}>
                <dt>{one.name}</dt>
                <dd>{one.value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {result.curl && <Curl line={result.curl} />}
    </div>
  );
}

function Body({ session, result }: { session: Session; result: Result }) {
  const whole = useSignal<string | null>(null);
  const text = whole.value ?? result.body;
  const load = async () => {
    const found = await session.whole("body/");
    if (found !== null) whole.value = found;
  };
  return (
    <div class="debug-body">
      <pre tabIndex={0} aria-label={T("Response body")}>{text}</pre>
      {result.body_cut && whole.value === null && (
        <p class="quiet">
          {T("The first {shown} characters of {size}.", {
            shown: number(result.body.length),
            size: size(result.bytes),
          })}
          <button type="button" class="link-button" onClick={load}>{T("Load all")}</button>
        </p>
      )}
      <CopyButton text={() => text} label={T("Copy the body")} />
    </div>
  );
}

function Curl({ line }: { line: string }) {
  return (
    <div class="debug-curl">
      <pre tabIndex={0} aria-label={T("The curl line")}>{line}</pre>
      <CopyButton text={() => line} label={T("Copy the curl line")} />
      <p class="quiet">{T("It calls what is live, which may differ from this draft.")}</p>
    </div>
  );
}

function CopyButton({ text, label }: { text: () => string; label: string }) {
  const isDone = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      isDone.value = true;
      setTimeout(() => isDone.value = false, 2000);
    } catch {
      isDone.value = false;
    }
  };
  return (
    <button type="button" class="icon-button copy" title={label} onClick={copy}>
      <Icon name={isDone.value ? "check" : "copy"} label={isDone.value ? T("Copied") : label} />
    </button>
  );
}

function Compared({ comparison, result }: { comparison: Comparison; result: Result }) {
  const { differences } = comparison;
  if (comparison.is_same) {
    return (
      <p class="notice ok">
        <Icon name="check" />{" "}
        {T("The same answer as the past request got ({status}).", { status: comparison.status })}
      </p>
    );
  }
  return (
    <section class="debug-compared" aria-label={T("Compared with the past answer")}>
      <p>
        <Icon name="compare" /> <strong>{T("Another answer than the past request got")}</strong>
      </p>
      <p>
        {T("Then {old}, now {now}", { old: comparison.status, now: result.status })} ·{" "}
        {duration(comparison.milliseconds)}
        {" → "}
        {duration(result.milliseconds)}
      </p>
      {comparison.is_cut && <p class="quiet">{T("The history kept only the beginning of that answer.")}</p>}
      {differences && differences.length > 0 && (
        <ul class="differences">
          {differences.map((one, index) => <Changed key={index} change={one} />)}
        </ul>
      )}
      {!differences && (
        <details>
          <summary>{T("The past answer")}</summary>
          <pre tabIndex={0}>{pretty(comparison.body)}</pre>
        </details>
      )}
    </section>
  );
}

function Changed({ change }: { change: Difference }) {
  const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 200) ?? "";
  return (
    <li>
      <code>{change.path.join(".") || T("(all)")}</code>{" "}
      {change.what !== "added" && <del>{shown(change.old)}</del>}{" "}
      {change.what !== "removed" && <ins>{shown(change.new)}</ins>}
    </li>
  );
}
