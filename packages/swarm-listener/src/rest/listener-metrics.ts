import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The listener's `/metrics`. Counts that other modules keep are read on each scrape. */
export interface ListenerMetrics {
  readonly registry: Registry;
  published(services: number, sinceEventMs: number | undefined): void;
  /** From now on each scrape shows this state. Called once. */
  measure(state: () => MeasuredState): void;
}

export interface MeasuredState {
  readonly isReady: boolean;
  readonly isLeading: boolean;
  readonly isDockerAway: boolean;
  readonly selectedServices: number;
  readonly problems: Readonly<Record<'error' | 'warning', number>>;
  readonly counts: Readonly<Record<string, number>>;
}

export function createListenerMetrics(): ListenerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const publishedServices = new Counter({
    name: 'swarmgate_listener_published_services_total',
    help: 'Services compared by publications that wrote something.',
    registers,
  });
  const delay = new Histogram({
    name: 'swarmgate_listener_event_to_published_seconds',
    help: "Time from Docker's event to the end of the write that it led to, in seconds.",
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers,
  });
  return {
    registry,
    measure: (state) => measureState(registry, state),
    published(services, sinceEventMs) {
      publishedServices.inc(services);
      if (sinceEventMs !== undefined) delay.observe(sinceEventMs / 1_000);
    },
  };
}

function measureState(registry: Registry, measure: () => MeasuredState): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (state: MeasuredState) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(measure()));
      },
    });
  gauge('swarmgate_listener_ready', '1 once the whole desired state was registered.', ({ isReady }) => Number(isReady));
  gauge('swarmgate_listener_leading', '1 while this listener publishes.', ({ isLeading }) => Number(isLeading));
  gauge('swarmgate_listener_docker_away', '1 while Docker is unreachable.', ({ isDockerAway }) => Number(isDockerAway));
  gauge('swarmgate_listener_services', 'Services that request routes.', ({ selectedServices }) => selectedServices);
  new Gauge({
    name: 'swarmgate_listener_problems',
    help: 'Problems of labels, by severity.',
    labelNames: ['severity'],
    registers,
    collect() {
      for (const [severity, count] of Object.entries(measure().problems)) this.set({ severity }, count);
    },
  });
  new Counter({
    name: 'swarmgate_listener_work_total',
    help: 'Events, listings, inspects, publications and notifications since the start, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of Object.entries(measure().counts)) this.inc({ kind }, count);
    },
  });
}
