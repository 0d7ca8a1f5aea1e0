/** The timeline of a run: one row a line, with its bar, its value, its queries; loops are looked through by rounds. */
import { useSignal } from "@preact/signals";
import { Icon } from "../icons/icon.tsx";
import { duration, number } from "../numbers.ts";
import { T, TN } from "../words.ts";
import { barOf, brief, isSlow, pretty, type Row, rowsOf } from "./rows.ts";
import { wayWords } from "./words.ts";
import type { Session } from "./session.ts";
import type { Query, Result } from "./shapes.ts";

export function Timeline({ session, result }: { session: Session; result: Result }) {
  const rows = rowsOf(result.lines, session.rounds.value);
  if (rows.length === 0) return null;
  return (
    <section class="debug-timeline" aria-labelledby="debug-timeline-title">
      <h3 id="debug-timeline-title">{T("Timeline")}</h3>
      <ol>
        {rows.map((row) => <Step key={row.line.key} session={session} result={result} row={row} />)}
      </ol>
    </section>
  );
}

function Step({ session, result, row }: { session: Session; result: Result; row: Row }) {
  const { line, entry, times } = row;
  const isOpen = useSignal(false);
  const began = entry?.began ?? line.began;
  const milliseconds = entry?.milliseconds ?? line.milliseconds;
  const failed = entry?.failed ?? line.failed;
  const value = entry ? entry.value : line.value ?? "";
  const bar = barOf(began, milliseconds, result.milliseconds);
  const isOwn = line.within === "";
  const isChosen = isOwn && session.target.chosen?.value === line.line;
  const toggle = () => {
    isOpen.value = !isOpen.value;
    if (isOwn) session.target.choose?.(line.line);
  };
  return (
    <li class={`${failed ? "failed" : ""} ${isChosen ? "chosen" : ""}`} data-line={line.key}>
      <button
        type="button"
        class="row"
        aria-expanded={isOpen.value}
        style={{ paddingInlineStart: `${6 + Math.min(row.depth, 8) * 12}px` }}
        onClick={toggle}
      >
        <span class="number">{line.number}</span>
        <span class="name">
          {line.label || line.step}
          {line.function && <span class="meta">{line.function}</span>}
          {times > 1 && <span class="meta">×{number(times)}</span>}
          <WayTaken way={entry?.way ?? line.way} />
          {line.goes_out && <Icon name="globe" label={T("Really sent")} />}
          {failed && <span class="tag bad">{T("stopped here")}</span>}
        </span>
        <span class="lane" aria-hidden="true">
          <span
            class={isSlow(milliseconds, result.milliseconds) ? "slow" : ""}
            style={{ insetInlineStart: `${bar.left * 100}%`, inlineSize: `${bar.width * 100}%` }}
          />
        </span>
        <span class="time">{duration(milliseconds)}</span>
        {value && !isOpen.value && <code class="brief">{brief(value)}</code>}
      </button>
      {line.repeats && line.turns > 1 && <Pager session={session} row={row} />}
      {isOpen.value && <Details session={session} row={row} value={value} />}
    </li>
  );
}

function WayTaken({ way }: { way: string }) {
  const words = wayWords(way);
  return words ? <span class="tag">{words}</span> : null;
}

/** Round by round through a loop; a loop inside a loop begins in the chosen round of the outer one. */
function Pager({ session, row }: { session: Session; row: Row }) {
  const { line } = row;
  const chosen = session.rounds.value[line.key]?.round ?? 0;
  const most = Math.min(row.entry?.turns ?? line.turns, 500);
  const before = row.entry?.rounds ?? [];
  const go = (round: number) => session.chooseRound(line.key, [...before, round]);
  return (
    <p class="pager">
      <button type="button" class="icon-button" disabled={chosen < 1} onClick={() => go(chosen - 1)}>
        <Icon name="chevron-left" label={T("Round before")} />
      </button>
      <span role="status">
        {chosen
          ? T("Round {number} of {all}", { number: chosen, all: number(line.turns) })
          : TN("All {count} round", "All {count} rounds", row.entry?.turns ?? line.turns)}
      </span>
      <button type="button" class="icon-button" disabled={chosen >= most} onClick={() => go(chosen + 1)}>
        <Icon name="chevron-right" label={T("Next round")} />
      </button>
      {line.turns > 500 && <span class="quiet">{T("The first 500 are kept.")}</span>}
    </p>
  );
}

function Details({ session, row, value }: { session: Session; row: Row; value: string }) {
  const { line, entry } = row;
  const isCut = entry ? entry.cut : line.cut === true;
  const whole = useSignal<string | null>(null);
  const load = async () => {
    const number = entry ? `&entry=${entry.number}` : "";
    const found = await session.whole(`value/?key=${encodeURIComponent(line.key)}${number}`);
    if (found !== null) whole.value = found;
  };
  return (
    <div class="details">
      {value && <pre tabIndex={0} aria-label={T("Value")}>{whole.value ?? pretty(value)}</pre>}
      {isCut && whole.value === null && (
        <p class="quiet">
          {value ? T("Cut at 32 KB.") : T("Too large to keep with the others.")}
          {value && <button type="button" class="link-button" onClick={load}>{T("Load all")}</button>}
        </p>
      )}
      {!value && !line.queries?.length && !line.debug?.length && (
        <p class="quiet">{T("It leaves no value.")}</p>
      )}
      {line.debug?.map((text, index) => (
        <pre key={index} tabIndex={0} class="log" aria-label={T("Log")}>{logText(text)}</pre>
      ))}
      {line.queries?.map((query, index) => <Statement key={index} query={query} />)}
    </div>
  );
}

/** What was logged: a text as it is, anything else as JSON. */
function logText(text: string): string {
  try {
    const value = JSON.parse(text);
    return typeof value === "string" ? value : pretty(text);
  } catch {
    return text;
  }
}

function Statement({ query }: { query: Query }) {
  return (
    <div class="query">
      <p class="quiet">
        {duration(query.milliseconds)} · {TN("{count} row", "{count} rows", query.rows)}
      </p>
      <pre tabIndex={0} aria-label={T("SQL")}>{query.sql}</pre>
    </div>
  );
}
