import { type RefObject, useEffect, useRef, useSyncExternalStore } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clockTime } from "../../text/time";

export interface Series {
  /** The class of its colour in the style sheet. */
  name: string;
  label: string;
  shape: "bars" | "line";
}

interface Props {
  /** Times (epoch ms), then the values of each series. */
  columns: (number | null)[][];
  series: readonly Series[];
  /** Values of the vertical axis as text. */
  format(value: number): string;
  /** The vertical axis: linear from zero, or logarithmic. */
  range?: (maximum: number | null) => [number, number];
}

/** A line of the axis for this many pixels of the font's size. */
const EMS_PER_TICK = 5;
const HEIGHT_EMS = 16;
const DARK = "(prefers-color-scheme: dark), (forced-colors: active)";

/** A chart of the last hour. Its values are for screen readers in the table that belongs to it. */
export function Chart({ columns, series, format, range }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const chart = useRef<UPlot | null>(null);
  const scheme = useSyncExternalStore(subscribeToScheme, () => matchMedia(DARK).matches);
  const latest = useRef({ columns, series, format, range });
  useEffect(() => {
    latest.current = { columns, series, format, range };
    chart.current?.setData(columns as UPlot.AlignedData);
  }, [columns, series, format, range]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas has its colours when it is drawn
  useEffect(() => {
    const container = place.current;
    if (!container) return;
    const { columns: data, ...props } = latest.current;
    const options = optionsFor(container, coloursOf(legend), props);
    chart.current = new UPlot(options, data as UPlot.AlignedData, container);
    const observer = new ResizeObserver(() => {
      chart.current?.setSize({ width: container.clientWidth, height: options.height });
    });
    observer.observe(container);
    return () => {
      observer.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [scheme]);
  return (
    <div className="chart" aria-hidden="true">
      <ul ref={legend} className="legend">
        {series.map(({ name, label }) => (
          <li key={name}>
            <span className={`swatch ${name}`} />
            {label}
          </li>
        ))}
      </ul>
      <div ref={place} className="plot" />
    </div>
  );
}

function optionsFor(
  container: HTMLElement,
  colours: readonly string[],
  { series, format, range }: Omit<Props, "columns">,
): UPlot.Options {
  const { color, fontSize, fontFamily } = getComputedStyle(container);
  const em = Number.parseFloat(fontSize);
  const axis: UPlot.Axis = {
    stroke: color,
    font: `${fontSize} ${fontFamily}`,
    grid: { stroke: getComputedStyle(container).borderTopColor, width: 1 },
    ticks: { show: false },
  };
  return {
    width: container.clientWidth,
    height: HEIGHT_EMS * em,
    ms: 1,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: (_, from, to) => [from - 30_000, to + 30_000] },
      y: range ? { range: (_, __, maximum) => range(maximum) } : { distr: 3 },
    },
    axes: [
      {
        ...axis,
        size: 2.5 * em,
        space: EMS_PER_TICK * em,
        values: (_, times) => times.map((time) => clockTime(time, time)),
      },
      {
        ...axis,
        size: 4.5 * em,
        space: 2.5 * em,
        ...(range ? {} : { grid: { ...axis.grid, filter: powersOfTen }, filter: powersOfTen }),
        values: (_, values) => values.map((value) => (value === null ? "" : format(value))),
      },
    ],
    series: [
      {},
      ...series.map(({ shape }, index) => ({
        stroke: colours[index],
        width: shape === "line" ? 2 : 0,
        points: { show: shape === "line" && !range, size: 4, fill: colours[index] },
        ...(shape === "bars" && UPlot.paths.bars
          ? { fill: colours[index], paths: UPlot.paths.bars({ size: [0.7] }) }
          : {}),
      })),
    ],
  };
}

/** A logarithmic axis has more lines than that. */
function powersOfTen(_: UPlot, values: number[]): (number | null)[] {
  return values.map((value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null));
}

/** Return the colours of the series, which are those of the legend. */
function coloursOf(legend: RefObject<HTMLElement | null>): string[] {
  const swatches = legend.current?.querySelectorAll(".swatch") ?? [];
  return [...swatches].map((swatch) => getComputedStyle(swatch).backgroundColor);
}

function subscribeToScheme(listener: () => void): () => void {
  const query = matchMedia(DARK);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
