/** A line chart with its numbers as a table: `{% island "charts" props %}`. */
import { useEffect, useRef } from "preact/hooks";
import { mount } from "../island.ts";
import { duration, moment, number, percent } from "../numbers.ts";

import { T } from "../words.ts";

type Unit = "count" | "milliseconds" | "share";
type Props = {
  title: string;
  /** Unix seconds, ascending. */
  times: number[];
  lines: { label: string; colour: string; unit: Unit; values: (number | null)[] }[];
  /** A line that does not move, to compare with. */
  goal?: { label: string; value: number };
  /** Where a click on a point leads; `{at}` becomes its Unix second. */
  link?: string;
};

const UNITS: Record<Unit, (value: number) => string> = {
  count: number,
  milliseconds: duration,
  share: percent,
};

function Chart({ title, times, lines, goal, link }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    let stop = () => {};
    import("../charts/lines.ts").then(({ lineChart }) => {
      if (gone || !place.current) return;
      const chart = lineChart(
        place.current,
        times,
        [
          ...lines.map((line) => ({ ...line, unit: UNITS[line.unit] })),
          ...(goal
            ? [{ label: goal.label, colour: "--quiet", dashed: true, values: times.map(() => goal.value) }]
            : []),
        ],
        {
          onPoint: link ? (index) => location.assign(addressOf(link, times[index])) : undefined,
        },
      );
      const watch = new ResizeObserver(([entry]) => entry && chart.resize(entry.contentRect.width));
      watch.observe(place.current);
      stop = () => {
        watch.disconnect();
        chart.destroy();
      };
    });
    return () => {
      gone = true;
      stop();
    };
  }, []);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="legend">
          {lines.map((line) => (
            <span key={line.label}>
              <span class="swatch" style={{ background: `var(${line.colour})` }} aria-hidden="true" />
              {line.label}
            </span>
          ))}
          {goal && (
            <span>
              <span class="swatch dashed" aria-hidden="true" />
              {goal.label}
            </span>
          )}
        </span>
      </figcaption>
      <div ref={place} aria-hidden="true" />
      <details>
        <summary>{T("As a table")}</summary>
        <div class="scroll" tabIndex={0} role="group" aria-label={title}>
          <table>
            <caption class="visually-hidden">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{T("Time")}</th>
                {lines.map((line) => <th scope="col" key={line.label}>{line.label}</th>)}
              </tr>
            </thead>
            <tbody>
              {times.map((time, index) => (
                <tr key={time}>
                  <th scope="row">
                    {link ? <a href={addressOf(link, time)}>{moment(time * 1000)}</a> : moment(time * 1000)}
                  </th>
                  {lines.map((line) => <td key={line.label}>{cell(line.values[index], UNITS[line.unit])}
                  </td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function addressOf(link: string, time: number | undefined): string {
  return link.replace("{at}", String(time));
}

function cell(value: number | null | undefined, unit: (value: number) => string): string {
  return value == null ? "–" : unit(value);
}

mount("charts", Chart);
