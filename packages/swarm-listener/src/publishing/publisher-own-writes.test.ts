import type { Registry } from '@swarmgate/registry';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { startPublisher } from '../../test/running-publisher.ts';
import { aService } from '../../test/swarm-fixtures.ts';

/** Follows each publication before its response is there, as from a Consul whose response is late. */
function withLateResponses(registry: Registry): Registry {
  let followed = 0;
  return {
    ...registry,
    async publish(changes, publication) {
      const position = await registry.publish(changes, publication);
      await until('it is followed', () => followed >= position.sequence);
      return position;
    },
    async *follow(options) {
      for await (const change of registry.follow(options)) {
        yield change;
        // The publisher has taken it: it requests the next.
        if (change.kind === 'snapshot') followed = change.snapshot.sequence;
        if (change.kind === 'delta') followed = change.sequence;
      }
    },
  };
}

describe('own writes of the publisher that are followed before the response to them', () => {
  const { desire, read, stop } = startPublisher(withLateResponses);
  after(stop);

  let version = 10;
  const service = (name: string, path: string) =>
    aService({ id: name, name, versionIndex: version++, labels: { ...aService().labels, 'com.df.servicePath': path } });
  const registered = async () =>
    [...(await read()).services].map(([key, stored]) => [
      key,
      stored.ok && stored.document.destinations[0]?.servicePath?.[0],
    ]);
  const untilRegistered = (expected: readonly (readonly [string, string])[]) =>
    until(`it has ${JSON.stringify(expected)}`, async () => {
      expect(Object.fromEntries(await registered())).to.deep.equal(Object.fromEntries(expected));
      return true;
    });

  it('are not lost: each service is changed, and goes, when the Swarm says so', async () => {
    desire([service('web', '/one')]);
    await untilRegistered([['swarm/web', '/one']]);
    desire([service('web', '/one'), service('other', '/other')]);
    await untilRegistered([
      ['swarm/web', '/one'],
      ['swarm/other', '/other'],
    ]);
    desire([service('web', '/two'), service('other', '/else')]);
    await untilRegistered([
      ['swarm/web', '/two'],
      ['swarm/other', '/else'],
    ]);
    desire([service('other', '/last')]);
    await untilRegistered([['swarm/other', '/last']]);
  });
});
