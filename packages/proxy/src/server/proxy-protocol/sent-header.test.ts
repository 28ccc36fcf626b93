import { expect } from 'chai';
import fc from 'fast-check';
import { readProxyHeader } from './proxy-header.ts';
import { type ProxiedClient, sentProxyHeader } from './sent-header.ts';

const client = (remoteAddress: string | undefined, localAddress: string | undefined): ProxiedClient => ({
  remoteAddress,
  remotePort: 40_000,
  localAddress,
  localPort: 25,
});

describe('the PROXY header that an endpoint gets', () => {
  // [client, own address, line of version 1, bytes of version 2 behind the signature]
  const cases = [
    ['192.0.2.7', '10.0.0.1', 'PROXY TCP4 192.0.2.7 10.0.0.1 40000 25', '2111000cc00002070a0000019c400019'],
    [
      '::ffff:192.0.2.7',
      '::ffff:10.0.0.1',
      'PROXY TCP4 192.0.2.7 10.0.0.1 40000 25',
      '2111000cc00002070a0000019c400019',
    ],
    [
      '2001:db8::7',
      'fe80::1%eth0',
      'PROXY TCP6 2001:db8::7 fe80::1 40000 25',
      '2121002420010db8000000000000000000000007fe8000000000000000000000000000019c400019',
    ],
    [
      '192.0.2.7',
      '::1',
      'PROXY TCP6 ::ffff:192.0.2.7 ::1 40000 25',
      '2121002400000000000000000000ffffc0000207000000000000000000000000000000019c400019',
    ],
    [
      '1:2:3:4:5:6:7:8',
      '::',
      'PROXY TCP6 1:2:3:4:5:6:7:8 :: 40000 25',
      '2121002400010002000300040005000600070008000000000000000000000000000000009c400019',
    ],
    [undefined, '10.0.0.1', 'PROXY UNKNOWN', '21000000'],
    ['192.0.2.7', undefined, 'PROXY UNKNOWN', '21000000'],
    ['', '10.0.0.1', 'PROXY UNKNOWN', '21000000'],
  ] as const;
  for (const [from, to, line, bytes] of cases)
    it(`is ${line} for ${from} at ${to}, in both versions`, () => {
      expect(sentProxyHeader('v1', client(from, to)).toString('latin1')).to.equal(`${line}\r\n`);
      const binary = sentProxyHeader('v2', client(from, to)).toString('hex');
      expect(binary).to.equal(`0d0a0d0a000d0a515549540a${bytes}`);
    });

  it('is read as the client’s address by the reader of such headers', () => {
    const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
    const version = fc.constantFrom('v1' as const, 'v2' as const);
    const canonical = (address: string) =>
      new URL(`http://${address.includes(':') ? `[${address}]` : address}/`).hostname;
    fc.assert(
      fc.property(addresses, addresses, version, (from, to, each) => {
        const bytes = sentProxyHeader(each, client(from, to));
        const read = readProxyHeader(bytes);
        if (read.kind !== 'header') throw new Error(JSON.stringify(read));
        expect(read.lengthBytes).to.equal(bytes.length);
        const source = (read.source ?? '').replace(/^::ffff:(?=[\d.]+$)/, '');
        expect(canonical(source)).to.equal(canonical(from.replace(/^::ffff:(?=[\d.]+$)/i, '')));
      }),
    );
  });
});
