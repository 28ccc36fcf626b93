import { once } from 'node:events';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import type { Observation } from './observation.ts';
import { createObserver, type Observer } from './observer.ts';
import type { SwarmClient } from './swarm-client.ts';
import { SwarmError } from './swarm-error.ts';
import type { SwarmEvent, SwarmService } from './swarm-objects.ts';

/**
 * A manager whose lists we choose. A real one neither forgets its newest service on demand nor hands a connection to
 * one that lags behind; what the real ones do is tested in test/integration/swarm-listener and test/faults.
 */
class ChosenManager implements SwarmClient {
  readonly description = 'a manager of the test';
  listed: readonly SwarmService[] = [];
  listings = 0;
  #breakOff: (() => void) | undefined;

  swarmId = () => Promise.resolve('swarm-1');
  services = () => {
    this.listings += 1;
    return Promise.resolve(this.listed);
  };
  service = (id: string) => Promise.resolve(this.listed.find((service) => service.id === id));
  tasks = () => Promise.resolve([aTask()]);
  nodes = () => Promise.resolve([aNode()]);
  networks = () => Promise.resolve([]);
  events = (signal: AbortSignal): Promise<AsyncIterable<SwarmEvent>> => {
    const next = () => this.#untilBroken(signal);
    return Promise.resolve({ [Symbol.asyncIterator]: () => ({ next }) });
  };

  /** The event stream breaks: the next connection may lead elsewhere. */
  breakOff(): void {
    this.#breakOff?.();
  }

  async #untilBroken(signal: AbortSignal): Promise<never> {
    const broken = Promise.withResolvers<void>();
    this.#breakOff = broken.resolve;
    await Promise.race([broken.promise, once(signal, 'abort')]);
    throw new SwarmError('docker-unreachable', 'the stream broke');
  }
}

describe('the observer', () => {
  const older = aService({ id: 'older', name: 'older', versionIndex: 20 });
  const newest = aService({ id: 'newest', name: 'newest', versionIndex: 90 });
  let manager: ChosenManager;
  let observer: Observer;
  let seen: Observation[];

  beforeEach(async () => {
    manager = new ChosenManager();
    manager.listed = [older, newest];
    seen = [];
    observer = createObserver({
      client: manager,
      isSelected: () => true,
      logger: silentLogger,
      signal: new AbortController().signal,
      resyncIntervalMs: 3_600_000,
      tasks: new Tasks({ logger: silentLogger }),
    });
    observer.start((observation) => seen.push(observation));
    await nextListing();
  });

  afterEach(() => observer.stop());

  /** What was seen of the listing that is still to come. */
  async function nextListing(): Promise<Observation> {
    const isListing = ({ cause }: Observation) => cause === 'listing';
    await until('a listing', () => seen.some(isListing));
    const found = seen.find(isListing);
    seen = [];
    if (found === undefined) throw new Error('no listing');
    return found;
  }

  it('passes on what was listed', async () => {
    observer.requestListing();
    const { view } = await nextListing();
    expect([...view.services.keys()]).to.deep.equal(['older', 'newest']);
    expect(view.highestVersionIndex).to.equal(90);
  });

  it('does not take a listing without its newest service for older, from the manager that had it', async () => {
    manager.listed = [older];
    observer.requestListing();
    const { view } = await nextListing();
    expect([...view.services.keys()]).to.deep.equal(['older']);
    expect(view.highestVersionIndex).to.equal(90);
  });

  it('takes it for as old as its index after the connection broke: another manager may have returned it', async () => {
    manager.listed = [older];
    manager.breakOff();
    const { view } = await nextListing();
    expect(view.highestVersionIndex).to.equal(20);
  });

  it('lists at once on request, and only once', async () => {
    const before = manager.listings;
    observer.requestListing();
    observer.requestListing();
    await nextListing();
    expect(manager.listings).to.equal(before + 1);
  });
});
