/** A line chart with its numbers as a table: `{% island "charts" props %}`. */
import { useEffect, useRef } from "preact/hooks";
import { mount } from "../island.ts";
import { duration, moment, number, percent } from "../numbers.ts";

type Unit = "count" | "milliseconds" | "share";
type Props = {
  title: string;
  /** Unix seconds, ascending. */
  times: number[];
  lines: { label: string; colour: string; unit: Unit; values: (number | null)[] }[];
  /** Where a click on a point leads; `{at}` becomes its Unix second. */
  link?: string;
};

const UNITS: Record<Unit, (value: number) => string> = {
  count: number,
  milliseconds: duration,
  share: percent,
};

function Chart({ title, times, lines, link }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    let stop = () => {};
    import("../charts/lines.ts").then(({ lineChart }) => {
      if (gone || !place.current) return;
      const chart = lineChart(
        place.current,
        times,
        lines.map((line) => ({ ...line, unit: UNITS[line.unit] })),
        {
          onPoint: link ? (index) => location.assign(link.replace("{at}", String(times[index]))) : undefined,
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
      <figcaption>{title}</figcaption>
      <div ref={place} aria-hidden="true" />
      <table class="visually-hidden">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col" />
            {lines.map((line) => <th scope="col" key={line.label}>{line.label}</th>)}
          </tr>
        </thead>
        <tbody>
          {times.map((time, index) => (
            <tr key={time}>
              <th scope="row">{moment(time * 1000)}</th>
              {lines.map((line) => <td key={line.label}>{cell(line.values[index], UNITS[line.unit])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function cell(value: number | null | undefined, unit: (value: number) => string): string {
  return value == null ? "–" : unit(value);
}

mount("charts", Chart);
