import { createRequire } from 'node:module';
import type * as PromClient from 'prom-client';

// By file: the package's index also loads its push gateway, with node:http and node:https, and its default metrics, with
// `@opentelemetry/api`, 4 MB of each process that use none of them. `import` has no types for the files.
const load = createRequire(import.meta.url);

export const Counter: typeof PromClient.Counter = load('prom-client/lib/counter.js');
export type Counter<T extends string = string> = PromClient.Counter<T>;

export const Gauge: typeof PromClient.Gauge = load('prom-client/lib/gauge.js');
export type Gauge<T extends string = string> = PromClient.Gauge<T>;

export const Histogram: typeof PromClient.Histogram = load('prom-client/lib/histogram.js');
export type Histogram<T extends string = string> = PromClient.Histogram<T>;

/** Metrics that are collected together. */
export const MetricsRegistry: typeof PromClient.Registry = load('prom-client/lib/registry.js');
export type MetricsRegistry = PromClient.Registry;

/** Sums up the metrics of several processes. */
export const AggregatorRegistry: typeof PromClient.AggregatorRegistry = load('prom-client/lib/cluster.js');
