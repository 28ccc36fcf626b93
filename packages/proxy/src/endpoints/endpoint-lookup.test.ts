import type { LookupAddress, LookupOptions } from 'node:dns';
import { expect } from 'chai';
import { endpointLookup } from './endpoint-lookup.ts';

describe('the lookup of an endpoint', () => {
  const addresses = ['2001:db8::1', '192.0.2.1'];
  const lookup = endpointLookup(async (name) => {
    if (name === 'gone.test') throw new Error('no DNS server responds');
    return { addresses, ttlMs: 1_000 };
  });
  const lookedUp = (name: string, options: LookupOptions) =>
    new Promise((resolve) => {
      lookup(name, options, (error: Error | null, found: string | LookupAddress[], family?: number) =>
        resolve(error?.message ?? (family === undefined ? found : [found, family])),
      );
    });
  for (const [name, options, expected] of [
    [
      'a.test',
      { all: true },
      [
        { address: '2001:db8::1', family: 6 },
        { address: '192.0.2.1', family: 4 },
      ],
    ],
    ['a.test', { family: 4 }, ['192.0.2.1', 4]],
    ['a.test', {}, ['2001:db8::1', 6]],
    ['gone.test', { all: true }, 'no DNS server responds'],
  ] as const)
    it(`responds to ${name} with ${JSON.stringify(options)} as node:dns does`, async () => {
      expect(await lookedUp(name, options)).to.deep.equal(expected);
    });
});
