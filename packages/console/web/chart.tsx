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
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          { stroke: () => colourOf('muted'), grid: { stroke: () => colourOf('line') } },
          {
            stroke: () => colourOf('muted'),
            grid: { stroke: () => colourOf('line') },
            size: 64,
            values: (_plot, values) => values.map((value) => `${value} ${unit}`),
          },
        ],
        series: [
          { label: 'time' },
          ...lines.map(({ label, colour, dash }) => ({
            label,
            stroke: () => colourOf(colour),
            width: 2,
            ...(dash === undefined ? {} : { dash: [...dash] }),
            points: { show: false },
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
