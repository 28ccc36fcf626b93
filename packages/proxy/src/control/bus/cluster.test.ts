import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { Cluster } from './cluster.ts';
import type { BusCounts, ClusterBus, Hint, ReceivedHint } from './cluster-bus.ts';
import { SequenceHints } from './sequence-hints.ts';

/** A bus whose other side is the test: only so can a peer lie at will and at a known time. */
class ScriptedBus implements ClusterBus {
  readonly published: Hint[] = [];
  #listener: ((received: ReceivedHint) => void) | undefined;

  publish(hint: Hint): void {
    this.published.push(hint);
  }

  subscribe(listener: (received: ReceivedHint) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  receive(hint: Hint, replica = 'other'): void {
    this.#listener?.({ replica, hint });
  }

  counts(): BusCounts {
    return { connected: true, sent: 1, unsent: 2, received: 3, refused: 4 };
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a replica among others', () => {
  let bus: ScriptedBus;
  let cluster: Cluster;
  let nowMs: number;
  let requests: number;
  let sequences: number[];
  let peerEjected: string[];
  let eject: (endpointId: string) => void;
  let metrics: Metrics;

  beforeEach(() => {
    bus = new ScriptedBus();
    nowMs = 1_000;
    requests = 100;
    sequences = [];
    peerEjected = [];
    metrics = new Metrics();
    const hints = new SequenceHints();
    hints.subscribe((sequence) => sequences.push(sequence));
    cluster = new Cluster({
      tasks: new Tasks({ logger: silentLogger }),
      bus,
      hints,
      metrics,
      replica: 'me',
      registryId: () => 'r1',
      now: () => nowMs,
      server: {
        traffic: () => ({ requests, inFlight: 2 }),
        peerEjected: (id) => peerEjected.push(id),
        onEjected: (listener) => {
          eject = listener;
          return () => undefined;
        },
      },
    });
  });

  afterEach(() => cluster.stop());

  const position = (number: number, registryId = 'r1') => ({ registryId, sequence: number });
  const sequence = (number: number, registryId = 'r1') =>
    ({ kind: 'sequence', ...position(number, registryId) }) as const;

  it('sends each sequence once, and not the one it just received', () => {
    cluster.reached(position(5));
    cluster.reached(position(5));
    bus.receive(sequence(6));
    cluster.reached(position(6));
    cluster.reached(position(7));
    expect(bus.published).to.deep.equal([sequence(5), sequence(7)]);
  });

  it('sends a sequence of another registry that it received or sent of a former one', () => {
    cluster.reached(position(5));
    bus.receive(sequence(6));
    cluster.reached(position(5, 'new'));
    cluster.reached(position(6, 'new'));
    expect(bus.published).to.deep.equal([sequence(5), sequence(5, 'new'), sequence(6, 'new')]);
  });

  it('still sends true hints after it received a sequence that does not exist', () => {
    bus.receive(sequence(1_000_000_000));
    cluster.reached(position(6));
    expect(bus.published).to.deep.equal([sequence(6)]);
  });

  it('passes sequences of its own registry on to its follower', () => {
    bus.receive(sequence(6));
    bus.receive(sequence(9, 'another'));
    expect(sequences).to.deep.equal([6]);
  });

  it('publishes which endpoints it ejected, and takes at most 50 peer-reported ejections a second', () => {
    eject('task-1');
    expect(bus.published).to.deep.equal([{ kind: 'ejected', endpointId: 'task-1' }]);
    for (let reported = 0; reported < 1_000; reported += 1)
      bus.receive({ kind: 'ejected', endpointId: `task-${reported}` });
    expect(peerEjected).to.have.length(50);
    nowMs += 1_000;
    bus.receive({ kind: 'ejected', endpointId: 'later' });
    expect(peerEjected).to.include('later');
  });

  it('counts its own traffic, and that of others until they send nothing', () => {
    cluster.sendTraffic();
    nowMs += 2_000;
    requests += 25;
    cluster.sendTraffic();
    expect(cluster.trafficOf('me')).to.deep.include({ requestsPerSecond: 12.5, inFlight: 2 });
    expect(bus.published.at(-1)).to.deep.equal({ kind: 'traffic', requestsPerSecond: 12.5, inFlight: 2 });

    bus.receive({ kind: 'traffic', requestsPerSecond: 7, inFlight: 1 });
    bus.receive({ kind: 'traffic', requestsPerSecond: 1e9, inFlight: 0 }, 'me');
    expect(cluster.trafficOf('other')).to.include({ requestsPerSecond: 7, inFlight: 1 });
    expect(cluster.trafficOf('me')).to.include({ requestsPerSecond: 12.5 });
    expect(cluster.trafficOf('unknown')).to.equal(undefined);
    nowMs += 5_001;
    expect(cluster.trafficOf('other')).to.equal(undefined);
  });

  it('keeps a bounded number of replicas', () => {
    for (let made = 0; made < 10_000; made += 1)
      bus.receive({ kind: 'traffic', requestsPerSecond: 1, inFlight: 1 }, `replica-${made}`);
    const known = Array.from({ length: 10_000 }, (_, at) => cluster.trafficOf(`replica-${at}`)).filter(Boolean);
    expect(known).to.have.length(256);
  });

  it('counts hints for Prometheus', async () => {
    const text = await metrics.metrics();
    expect(text).to.include('swarmgate_bus_connected 1');
    for (const line of ['sent"} 1', 'unsent"} 2', 'heard"} 3', 'refused"} 4']) expect(text).to.include(line);
  });
});
