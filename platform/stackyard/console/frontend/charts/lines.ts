/**
 * Line charts over time (uPlot), a chunk of their own: `const { lineChart } = await import("../charts/lines.ts")`.
 * A chart is for eyes only: give the same numbers as a table beside it.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export type Line = {
  label: string;
  colour: string;
  values: (number | null)[];
  unit?: (value: number) => string;
  /** Drawn with dashes: a line that does not move, such as a goal. */
  dashed?: boolean;
};

export type LineChart = { resize(width: number): void; destroy(): void };

/** `times` in Unix seconds, ascending. `colour` names a custom property, such as `--data`. */
export function lineChart(
  parent: HTMLElement,
  times: number[],
  lines: Line[],
  options: { height?: number; onPoint?: (index: number) => void } = {},
): LineChart {
  // Asked at every drawing: the theme may have changed since the one before.
  const colour = (name: string) => () => resolved(parent, name);
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const chart = new uPlot(
    {
      width: parent.clientWidth || 600,
      height: options.height ?? 220,
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: line.dashed ? 1 : 2,
          dash: line.dashed ? [6, 4] : undefined,
          points: line.dashed ? { show: false } : { filter: lonely },
        })),
      ],
      scales: { y: { range: (_: uPlot, _low: number, high: number) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [axis, {
        ...axis,
        size: 64,
        values: (_: uPlot, ticks: number[]) => ticks.map((value) => lines[0]?.unit?.(value) ?? String(value)),
      }],
      legend: { show: false },
      cursor: { y: false },
    },
    [times, ...lines.map((line) => line.values)] as uPlot.AlignedData,
    parent,
  );
  if (options.onPoint) {
    const chosen = options.onPoint;
    chart.over.addEventListener("click", () => {
      if (chart.cursor.idx != null) chosen(chart.cursor.idx);
    });
  }
  const stop = onTheme(() => chart.redraw(false));
  return {
    resize: (width) => chart.setSize({ width, height: options.height ?? 220 }),
    destroy: () => {
      stop();
      chart.destroy();
    },
  };
}

/** Call `changed` when the page's or the machine's theme is another one; the answer ends that. */
function onTheme(changed: () => void): () => void {
  const machine = matchMedia("(prefers-color-scheme: dark)");
  const page = new MutationObserver(changed);
  machine.addEventListener("change", changed);
  page.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    machine.removeEventListener("change", changed);
    page.disconnect();
  };
}

/** The points without a neighbour: no line leads to them, so a dot shows them. */
function lonely(chart: uPlot, series: number, shown: boolean): number[] | null {
  if (shown) return null;
  const values = chart.data[series] ?? [];
  const found: number[] = [];
  for (let at = 0; at < values.length; at++) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at);
  }
  return found;
}

/** A custom property as a plain colour: the canvas knows nothing of `light-dark()`. */
function resolved(parent: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  parent.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
