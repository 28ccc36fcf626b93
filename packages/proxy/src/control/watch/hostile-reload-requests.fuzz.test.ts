import { type KeyValueStore, keyLayout } from '@swarmgate/registry';
import { hostileRuns, hostileTexts, mutationsOf, textOf } from '@swarmgate/registry/test/hostile-documents';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { type ReloadRequest, ReloadRequests } from './reload-requests.ts';

const request = { id: '9f1a', force: true, owner: 'swarm', by: 'REST from 10.0.0.7', replica: 'two' };
const last: ReloadRequest = { ...request, id: 'last', force: false };
const runs = hostileRuns.served.reloads;
/** Values of the key in one following, each with an index of its own. */
const inOne = 20;

/** A store whose key has one value after the other; behind the last one it holds until the end. */
function changing(values: readonly string[]): KeyValueStore {
  let at = 0;
  const waitForKey = (key: string, _after: number, signal: AbortSignal) => {
    const value = values[at];
    if (value === undefined)
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    at += 1;
    return Promise.resolve({ index: at, data: { key, value, index: at } });
  };
  return { waitForKey } as unknown as KeyValueStore;
}

describe('requests for a reload in the registry, whatever stands in them', function () {
  this.timeout(120_000);

  it('are carried out or passed over, and the next one is followed', async () => {
    const texts = fc.oneof(
      { weight: 20, arbitrary: mutationsOf(request).map((mutated) => textOf(mutated) ?? '') },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
    );
    const carriedOut: ReloadRequest[] = [];
    const failures: unknown[] = [];
    const note = (fields: unknown) => void failures.push(fields);
    const logger = { ...silentLogger, debug: note, warn: note };
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: inOne, maxLength: inOne }), async (values) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const requests = new ReloadRequests({
          store: changing(['{}', ...values, JSON.stringify(last)]),
          layout: keyLayout('edge'),
          replica: 'one',
          logger,
          tasks: new Tasks({ logger: silentLogger }),
          onRequest: async (given) => {
            if (given.id === 'last') resolve();
            else carriedOut.push(given);
          },
        });
        await promise;
        await requests.stop();
      }),
      fuzzRuns(runs / inOne, 20_260_102),
    );
    expect(carriedOut).to.have.length.above(0);
    expect(failures).to.deep.equal([]);
    for (const { force, owner = 'none', id, by, replica } of carriedOut) {
      expect(force).to.be.a('boolean');
      expect(owner).to.match(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      for (const text of [id, by, replica]) expect(text.length).to.be.within(1, 300);
    }
  });
});
