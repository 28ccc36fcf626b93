import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { DurationValue } from '../../exchange/duration-metric.ts';

/** A metric with its values, as prom-client's registry gives it and as workers send it. */
export type MetricWithValues = Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>;

/** `text`: Prometheus' own; `openmetrics`: with exemplars (https://prometheus.io/docs/specs/om/open_metrics_spec/). */
export type MetricsFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Metrics as text. prom-client's own writer renames counters for good when it writes OpenMetrics, so that it could not respond to
 both kinds of scrapers.
 */
export function metricsText(metrics: readonly MetricWithValues[], format: MetricsFormat): string {
  return [...metricsPieces(metrics, format)].join('');
}

/** As `metricsText`, in lines. */
export function* metricsPieces(metrics: readonly MetricWithValues[], format: MetricsFormat): Generator<string> {
  for (const metric of metrics) {
    const type = String(metric.type);
    // OpenMetrics names a counter without the suffix of its samples.
    const isCounter = type === 'counter';
    const name = format === 'openmetrics' && isCounter ? metric.name.replace(/_total$/, '') : metric.name;
    yield `# HELP ${name} ${escaped(metric.help)}\n# TYPE ${name} ${type}\n`;
    for (const value of metric.values as readonly DurationValue[]) {
      const sample = value.metricName ?? (format === 'openmetrics' && isCounter ? `${name}_total` : metric.name);
      const line = `${sample}${labelsText(value.labels)} ${numberText(value.value)}`;
      const { exemplar } = value;
      yield format === 'openmetrics' && exemplar
        ? `${line} # ${labelsText(exemplar.labelSet)} ${numberText(exemplar.value)} ${exemplar.timestamp}\n`
        : `${line}\n`;
    }
  }
  if (format === 'openmetrics') yield '# EOF\n';
}

/** Sums lose exemplars, which are one request's: each bucket takes the newest that a worker has for it. */
export function withExemplars(
  sums: readonly MetricWithValues[],
  parts: readonly (readonly MetricWithValues[])[],
): readonly MetricWithValues[] {
  const newest = new Map<string, DurationValue['exemplar']>();
  for (const value of parts.flat().flatMap(({ values }) => values as readonly DurationValue[])) {
    const { exemplar } = value;
    // prom-client's own histograms have null.
    if (!exemplar) continue;
    const known = newest.get(keyOf(value));
    if (known === undefined || known.timestamp <= exemplar.timestamp) newest.set(keyOf(value), exemplar);
  }
  if (newest.size === 0) return sums;
  return sums.map((metric) => ({
    ...metric,
    values: (metric.values as readonly DurationValue[]).map((value) => {
      const exemplar = newest.get(keyOf(value));
      return exemplar === undefined ? value : { ...value, exemplar };
    }),
  }));
}

function keyOf({ metricName, labels }: DurationValue): string {
  return `${metricName}${labelsText(labels)}`;
}

function labelsText(labels: DurationValue['labels'] | Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(String(value)).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
