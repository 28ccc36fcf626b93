import type { JournalPosition } from '@swarmgate/registry';
import { guard, type Running, type Tasks } from '@swarmgate/runtime';
import { Counter, Gauge, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import type { Server } from '../serving/server.ts';
import type { ClusterBus, LiveTraffic, ReceivedHint } from './cluster-bus.ts';
import { LiveReplicas } from './live-replicas.ts';
import type { SequenceHints } from './sequence-hints.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ClusterOptions {
  /** Absent without `REDIS_URL`: then only this replica is known. */
  readonly bus: ClusterBus | undefined;
  readonly server: Pick<Server, 'traffic' | 'onEjected' | 'peerEjected'>;
  readonly replica: string;
  /** Passes hints about the journal's sequence to the follower. */
  readonly hints: SequenceHints;
  /** The registry this replica follows; empty before it is known. */
  readonly registryId: () => string;
  readonly metrics: Metrics;
  readonly tasks: Pick<Tasks, 'owner'>;
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly now?: () => number;
}

const sendTrafficEveryMs = 1_000;
const mostPeerEjectionsPerSecond = 50;

/** Hints between this replica and its peers. They may be wrong, and without them changes only take longer. */
export class Cluster implements Running {
  readonly #options: ClusterOptions;
  readonly #now: () => number;
  readonly #live = new LiveReplicas();
  readonly #peerEjections = new TokenBucket(mostPeerEjectionsPerSecond);
  readonly #telling: NodeJS.Timeout;
  readonly #leave: readonly (() => void)[];
  #received: JournalPosition | undefined;
  #reported: JournalPosition | undefined;
  #before: { readonly requests: number; readonly atMs: number } | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { bus, server, metrics, tasks } = options;
    const owner = tasks.owner('cluster-bus');
    this.#leave = [
      bus?.subscribe(guard(owner, (received: ReceivedHint) => this.#take(received))),
      server.onEjected?.((endpointId) => bus?.publish({ kind: 'ejected', endpointId })),
    ].filter((leave) => leave !== undefined);
    this.#telling = setInterval(
      guard(owner, () => this.sendTraffic()),
      sendTrafficEveryMs,
    ).unref();
    if (bus !== undefined) measure(bus, metrics);
  }

  /** This replica wrote or serves that position. Published once, and not if a peer just published it. */
  reached({ registryId, sequence }: JournalPosition): void {
    const position = { registryId, sequence };
    if (registryId === '' || isSame(position, this.#received) || isSame(position, this.#reported)) return;
    this.#reported = position;
    this.#options.bus?.publish({ kind: 'sequence', ...position });
  }

  /** What passes through a replica just now, where that is known. */
  trafficOf(replica: string): LiveTraffic | undefined {
    return this.#live.of(replica, this.#now());
  }

  /** Measures this replica's own traffic since the last call and publishes it. Called every second. */
  sendTraffic(): void {
    const { server, bus, replica } = this.#options;
    const traffic = server.traffic?.();
    if (traffic === undefined) return;
    const atMs = this.#now();
    const { requests, inFlight } = traffic;
    const before = this.#before ?? { requests, atMs };
    this.#before = { requests, atMs };
    const passedMs = atMs - before.atMs;
    const perSecond = passedMs <= 0 ? 0 : (Math.max(0, requests - before.requests) * 1_000) / passedMs;
    const live = { requestsPerSecond: Math.round(perSecond * 10) / 10, inFlight };
    this.#live.receive(replica, live, atMs);
    bus?.publish({ kind: 'traffic', ...live });
  }

  stop(): Promise<void> {
    clearInterval(this.#telling);
    for (const leave of this.#leave) leave();
    return this.#options.bus?.stop() ?? Promise.resolve();
  }

  #take({ replica, hint }: ReceivedHint): void {
    const { server, registryId, hints } = this.#options;
    switch (hint.kind) {
      case 'sequence':
        if (hint.registryId !== registryId()) return;
        this.#received = hint;
        hints.publish(hint.sequence);
        return;
      case 'ejected':
        if (this.#peerEjections.take(this.#now())) server.peerEjected?.(hint.endpointId);
        return;
      case 'traffic':
        // A message under this replica's own name is ignored.
        if (replica !== this.#options.replica) this.#live.receive(replica, hint, this.#now());
        return;
    }
  }
}

function isSame(position: JournalPosition, other: JournalPosition | undefined): boolean {
  return position.registryId === other?.registryId && position.sequence === other.sequence;
}

function measure(bus: ClusterBus, metrics: Metrics): void {
  const registers = [metrics];
  new Gauge({
    name: 'swarmgate_bus_connected',
    help: '1 while hints pass among the replicas over Redis',
    registers,
    collect() {
      this.set(Number(bus.counts().connected));
    },
  });
  new Counter({
    name: 'swarmgate_bus_messages_total',
    help: 'Hints over Redis: sent, unsent (away or too many), heard, refused (not of a replica, or too many)',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      const { sent, unsent, received, refused } = bus.counts();
      for (const [what, times] of Object.entries({ sent, unsent, heard: received, refused })) this.inc({ what }, times);
    },
  });
}
