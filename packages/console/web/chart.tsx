import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly label: string;
  /** Name of a colour in style.css. */
  readonly colour: string;
  readonly dash?: readonly number[];
}

export interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Seconds since 1970, and the values of each line at them. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly unit: string;
}

const height = 150;

export function Chart({ title, lines, data, unit }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    // A canvas takes colours only, not the names of style.css: an element resolves them, in the theme of the moment.
    const probe = element.appendChild(document.createElement('i'));
    const colourOf = (name: string) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const made = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        // The time at the right end stands half beyond the line.
        padding: [10, 30, 0, 0],
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          {
            stroke: () => colourOf('muted'),
            grid: { stroke: () => colourOf('line'), width: 1 },
            space: 76,
            size: 30,
            incrs: [1, 2, 5, 10, 20, 30, 60, 120, 300],
            values: (_plot, ticks) => ticks.map(timeOf),
          },
          {
            stroke: () => colourOf('muted'),
            grid: { stroke: () => colourOf('line'), width: 1 },
            size: 64,
            values: (_plot, values) => values.map((value) => `${value} ${unit}`),
          },
        ],
        series: [
          { label: 'UTC', value: (plot, at) => timeOf(at ?? plot.data[0].at(-1)) },
          ...lines.map(({ label, colour, dash }) => ({
            label,
            stroke: () => colourOf(colour),
            width: 2,
            ...(dash === undefined ? {} : { dash: [...dash] }),
            points: { show: false },
            // Where nothing is pointed at: the last.
            value: (plot: uPlot, value: number | null, at: number) => {
              const shown = value ?? plot.data[at]?.at(-1);
              return shown === null || shown === undefined ? '–' : `${Number(shown.toPrecision(3))} ${unit}`;
            },
          })),
        ],
      },
      data as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} />
    </figure>
  );
}

/** Seconds since 1970 as a time of day. */
function timeOf(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? '–' : new Date(seconds * 1_000).toISOString().slice(11, 19);
}
