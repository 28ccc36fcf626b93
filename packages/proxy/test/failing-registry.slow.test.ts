import { createRegistry, type KeyValueStore, RegistryError } from '@swarmgate/registry';

import { expect } from 'chai';
import { startProxyUnderTest } from './running-proxy.ts';

const watchedMs = 4_000;
/**
 * Calls of all control tasks of a proxy together: each pauses for 50 to 100 ms at first, then twice as long each time, and
 * they make 19 to 81. One loop without a pause makes as many as fit.
 */
const mostCalls = 200;

/** What a store does wrong, whatever it is called for. */
const kinds: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['fails each call at once', () => Promise.reject(RegistryError.of('registry-unreachable', 'the disk is full'))],
  ['refuses each call', () => Promise.reject(RegistryError.of('registry-denied', 'no permission'))],
  ['fails with what is no error of a registry', () => Promise.reject(new TypeError('broken'))],
  ['responds to each call with nothing', async () => undefined],
];

describe('the control tasks of a whole proxy', function () {
  this.timeout(120_000);

  const seen = new Map<string, Promise<Seen>>();

  before(() => {
    // All at the same time: each has a registry of its own.
    for (const [kind, response] of kinds) seen.set(kind, watch(response));
    for (const each of seen.values()) each.catch(() => undefined);
  });

  for (const [kind] of kinds)
    it(`pause between their calls of a registry that ${kind}, and the proxy serves and stops`, async () => {
      const { calls, status } = (await seen.get(kind)) as Seen;
      const all = [...calls.values()].reduce((sum, each) => sum + each, 0);
      expect(all, JSON.stringify([...calls])).to.be.within(1, mostCalls);
      expect(status).to.equal(502);
    });
});

interface Seen {
  readonly calls: ReadonlyMap<string, number>;
  /** Of a request to a service of the environment, whose endpoint refuses. */
  readonly status: number;
}

async function watch(response: () => Promise<unknown>): Promise<Seen> {
  const calls = new Map<string, number>();
  const store = new Proxy({ kind: 'consul', description: 'a test' } as unknown as KeyValueStore, {
    get: (target, name: keyof KeyValueStore) => {
      if (name in target) return target[name];
      return () => {
        const times = (calls.get(name) ?? 0) + 1;
        calls.set(name, times);
        // A loop in microtasks would never let a timer fire: it is stopped here, and counted.
        return times > 10 * mostCalls ? new Promise(() => {}) : response();
      };
    },
  });
  const under = await startProxyUnderTest({
    registry: createRegistry({ store, instance: 'swarmgate' }),
    replica: 'one',
    firstWordWaitMs: 100,
    env: {
      // The tasks of certificates, and what talks to other replicas.
      SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
      ACME_DIRECTORY: 'https://127.0.0.1:9/directory',
      ACME_EMAIL: 'ops@shop.example',
      REDIS_URL: 'redis://127.0.0.1:9',
      DFP_SERVICE_1_SERVICE_NAME: 'own',
      DFP_SERVICE_1_SERVICE_PATH: '/',
      DFP_SERVICE_1_PORT: '1',
      DFP_SERVICE_1_OUTBOUND_HOSTNAME: '127.0.0.1',
    },
  });
  try {
    calls.clear();
    // Time itself is tested: the calls within a span are counted, and no event marks its end.
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const counted = new Map(calls);
    const { status } = await fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}/`);
    return { calls: counted, status };
  } finally {
    await under.stop();
  }
}
