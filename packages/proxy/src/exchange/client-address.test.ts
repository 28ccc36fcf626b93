import { expect } from 'chai';
import fc from 'fast-check';
import { exchangeOf, routeOf } from '../../test/middleware-fixture.ts';
import { allowedAddresses } from '../middleware/allowed-addresses.ts';
import { clientAddress } from './client-address.ts';
import { trustedProxies } from './client-connection.ts';

const peer = '10.0.0.1';
const trusted = trustedProxies(['10.0.0.0/8', '2001:db8:1::/48']);
const client = (forwardedFor: string | undefined) => clientAddress(peer, forwardedFor, trusted);

describe('the client that a trusted hop names in X-Forwarded-For', () => {
  const cases = [
    [undefined, peer],
    ['1.1.1.1', '1.1.1.1'],
    ['1.1.1.1:4711', '1.1.1.1'],
    ['\t1.1.1.1 ', '1.1.1.1'],
    ['2001:470::5', '2001:470::5'],
    ['2001:0470:0:0::0005', '2001:470::5'],
    ['[2001:470::5]', '2001:470::5'],
    ['[2001:470::5]:4711', '2001:470::5'],
    ['::ffff:9.9.9.9', '9.9.9.9'],
    ['::FFFF:909:909', '9.9.9.9'],
    ['[::ffff:9.9.9.9]:80', '9.9.9.9'],
    // Trusted hops are stepped over in every form.
    ['1.1.1.1, 10.9.9.9', '1.1.1.1'],
    ['1.1.1.1:80,10.9.9.9:80', '1.1.1.1'],
    ['1.1.1.1, [2001:db8:1::7]:443', '1.1.1.1'],
    ['1.1.1.1, ::ffff:10.2.3.4', '1.1.1.1'],
    ['1.1.1.1, ::ffff:a02:304', '1.1.1.1'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['8.8.8.8, 1.1.1.1', '1.1.1.1'],
    // What cannot be read is no reason to use what an unknown client may have sent further left.
    ['unknown', 'unknown'],
    ['8.8.8.8, unknown', 'unknown'],
    ['8.8.8.8, unknown:4711, 10.0.0.2', 'unknown'],
    ['10.0.0.9, _hidden', '_hidden'],
    ['_hidden:_port, 10.0.0.2', '_hidden'],
    [`_${'a'.repeat(63)}`, `_${'a'.repeat(63)}`],
    [`_${'a'.repeat(64)}`, 'unknown'],
    ['_bad"\\\x1b', 'unknown'],
    ['', 'unknown'],
    [' ', 'unknown'],
    ['8.8.8.8,', 'unknown'],
    ['8.8.8.8, , 10.0.0.2', 'unknown'],
    [',8.8.8.8', '8.8.8.8'],
    ['8.8.8.8, shop.example', 'unknown'],
    // Addresses to some readers, and different ones to different readers.
    ['8.8.8.8, 10.1', 'unknown'],
    ['8.8.8.8, 010.0.0.1', 'unknown'],
    ['8.8.8.8, 0x0a000001', 'unknown'],
    ['8.8.8.8, 167772161', 'unknown'],
    ['8.8.8.8, 10.0.0.256', 'unknown'],
    ['8.8.8.8, 10.0.0.1:', 'unknown'],
    ['8.8.8.8, 10.0.0.1:x', 'unknown'],
    ['8.8.8.8, 10.0.0.1/8', 'unknown'],
    ['8.8.8.8, fe80::1%eth0', 'unknown'],
    ['8.8.8.8, ::10.0.0.1', 'unknown'],
    ['8.8.8.8, [10.0.0.1]:80', 'unknown'],
    ['8.8.8.8, [2001:470::5', 'unknown'],
    ['8.8.8.8, "[2001:470::5]"', 'unknown'],
  ] as const;
  for (const [forwardedFor, address] of cases)
    it(`is ${address} in ${JSON.stringify(forwardedFor)}`, () => {
      expect(client(forwardedFor)).to.equal(address);
    });

  it('is in no allow list where it cannot be read, the hop’s own network included', async () => {
    const everywhere = allowedAddresses(['0.0.0.0/0', '::/0', '10.0.0.0/8']);
    const decide = (forwardedFor: string) =>
      everywhere.onRequest?.(exchangeOf(routeOf(), { client: { address: client(forwardedFor) } }));
    expect(await decide('1.1.1.1:80')).to.have.property('kind', 'continue');
    for (const sent of ['unknown', '_hidden', '', '10.0.0.9, 10.1', '10.0.0.9, 0x7f000001', '10.0.0.9,'])
      expect(await decide(sent), sent).to.have.nested.property('response.reason', 'address-denied');
  });

  it('is what an independent reader of the rules finds', () => {
    const v4 = fc.ipV4();
    const v6 = fc.ipV6();
    const inside = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((rest) => `10.${rest.join('.')}`);
    const port = fc.option(fc.nat(65_535), { nil: undefined });
    const withPort = fc
      .tuple(fc.oneof(v4, inside), port)
      .map(([address, each]) => (each === undefined ? address : `${address}:${each}`));
    const bracketed = fc
      .tuple(v6, port)
      .map(([address, each]) => (each === undefined ? `[${address}]` : `[${address}]:${each}`));
    const nothing = fc.constantFrom('', 'unknown', '_x', '_x:1', '10.1', 'a.example', '1.2.3', '[::1', '1.2.3.4:5:6');
    const mapped = inside.map((address) => `::ffff:${address}`);
    const entry = fc.oneof(withPort, bracketed, v6, mapped, nothing);
    let unreadable = 0;
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (entries) => {
        const expected = slowly(entries);
        if (!/^[0-9a-f]*[.:]/.test(expected)) unreadable += 1;
        expect(client(entries.join(', '))).to.equal(expected);
      }),
      { numRuns: 3_000, seed: 20261128 },
    );
    expect(unreadable).to.be.within(200, 2_800);
  });
});

/** From the left, by the platform's URL parser: the last entry behind which there are only trusted hops. */
function slowly(entries: readonly string[]): string {
  let client = '';
  entries.forEach((entry, at) => {
    const address = read(entry);
    const hopsBehind = entries.slice(at + 1).every((each) => isInside(read(each)));
    const isHop = at > 0 && isInside(address);
    if (hopsBehind && !isHop) client = address;
  });
  return client;
}

function read(entry: string): string {
  const isBare6 = entry.split(':').length > 2 && !entry.includes('[');
  const address = isBare6 ? `[${entry}]` : entry;
  const shaped = /^(\d+\.\d+\.\d+\.\d+|\[[^\]]+\])(:\d+)?$/.test(address);
  const isCompatible = /^\[::\d+\./.test(address);
  if (!shaped || isCompatible || !URL.canParse(`ftp://${address}`)) return entry.startsWith('_') ? '_x' : 'unknown';
  const { hostname } = new URL(`http://${shaped ? address.replace(/^([^[\]]*|\[.*\]):\d+$/, '$1') : address}`);
  const inner = hostname.replace(/^\[|\]$/g, '');
  const words = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(inner);
  if (words === null) return inner;
  const [high, low] = [Number.parseInt(words[1] as string, 16), Number.parseInt(words[2] as string, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function isInside(address: string): boolean {
  return address.startsWith('10.') || /^2001:db8:1:/.test(address);
}
