import { Counter, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import { DurationMetric } from '../../exchange/duration-metric.ts';

export interface PluginMetrics {
  readonly times: DurationMetric;
  readonly failed: Counter;
}

/** Registered by every proxy, so that dashboards find them. */
export function pluginMetrics(metrics: Metrics): PluginMetrics {
  const times = new DurationMetric(
    {
      name: 'swarmgate_plugin_seconds',
      help: 'Time that a request spends in each plug-in before the next one, waiting included; until the response ends where the plug-in responds by itself',
      labelNames: ['plugin'],
      bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    metrics,
  );
  return { times, failed: failureCounter(metrics) };
}

/** Also of the control process, which counts what a worker that is blocked cannot. */
export function failureCounter(metrics: Metrics): Counter {
  return new Counter({
    name: 'swarmgate_plugin_failures_total',
    help: 'Errors of plug-ins: those that cost a request, those of their timers and events, and each time that one blocked a process',
    labelNames: ['plugin'],
    registers: [metrics],
  });
}
