import { expect } from 'chai';
import fc from 'fast-check';
import { mostProxyHeaderBytes, readProxyHeader } from './proxy-header.ts';

const binary = (command: number, family: number, content: readonly number[]) =>
  Buffer.from([
    ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
    command,
    family,
    content.length >> 8,
    content.length & 0xff,
    ...content,
  ]);
const ports = [0xd4, 0x31, 0x01, 0xbb];
const fourAddresses = [203, 0, 113, 7, 10, 0, 0, 1, ...ports];
const mapped = (...four: readonly number[]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...four];
const six = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

const whole = [
  ['version 1, IPv4', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n'), '203.0.113.7'],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 54321 443\r\n'), '2001:db8::7'],
  ['version 1, UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['version 1, UNKNOWN with more', Buffer.from('PROXY UNKNOWN ff ff 1 2\r\n'), undefined],
  ['version 2, IPv4', binary(0x21, 0x11, fourAddresses), '203.0.113.7'],
  ['version 2, IPv4 with more', binary(0x21, 0x11, [...fourAddresses, 0x04, 0, 1, 0]), '203.0.113.7'],
  ['version 2, IPv6', binary(0x21, 0x21, [...six, ...six, ...ports]), '2001:db8::7'],
  [
    'version 2, IPv4 as IPv6',
    binary(0x21, 0x21, [...mapped(203, 0, 113, 7), ...mapped(10, 0, 0, 1), ...ports]),
    '203.0.113.7',
  ],
  ['version 2, LOCAL', binary(0x20, 0x00, []), undefined],
  ['version 2, LOCAL with addresses', binary(0x20, 0x11, fourAddresses), undefined],
  ['version 2, without a family', binary(0x21, 0x00, []), undefined],
  [
    'version 2, Unix',
    binary(
      0x21,
      0x31,
      Array.from({ length: 216 }, () => 0),
    ),
    undefined,
  ],
] as const;

const wrong = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x00])],
  ['lower case', Buffer.from('proxy TCP4 203.0.113.7 10.0.0.1 54321 443\r\n')],
  ['another protocol', Buffer.from('PROXY UDP4 203.0.113.7 10.0.0.1 54321 443\r\n')],
  ['addresses of the other family', Buffer.from('PROXY TCP4 2001:db8::7 2001:db8::1 54321 443\r\n')],
  ['no ports', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1\r\n')],
  ['a port that is none', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 65536 443\r\n')],
  ['a port with a zero before it', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 054 443\r\n')],
  ['two spaces', Buffer.from('PROXY TCP4  203.0.113.7 10.0.0.1 54321 443\r\n')],
  ['a word too many', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 54321 443 x\r\n')],
  ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(110)}`)],
  ['another version', binary(0x11, 0x11, fourAddresses)],
  ['another command', binary(0x22, 0x11, fourAddresses)],
  ['datagrams', binary(0x21, 0x12, fourAddresses)],
  ['half the addresses', binary(0x21, 0x11, fourAddresses.slice(0, 8))],
  [
    'more than any proxy sends',
    binary(
      0x21,
      0x11,
      Array.from({ length: mostProxyHeaderBytes }, () => 0),
    ),
  ],
] as const;

describe('a PROXY header', () => {
  for (const [what, bytes, source] of whole)
    it(`is read, however it is cut: ${what}`, () => {
      const header = { kind: 'header', lengthBytes: bytes.length, source };
      expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).to.deep.equal(header);
      expect(readProxyHeader(bytes)).to.deep.equal(header);
      for (let length = 0; length < bytes.length; length++)
        expect(readProxyHeader(bytes.subarray(0, length))).to.deep.equal({ kind: 'incomplete' });
    });

  for (const [what, bytes] of wrong)
    it(`is never guessed: ${what}`, () => expect(readProxyHeader(bytes).kind).to.equal('invalid'));

  it('never throws, whatever it is', () => {
    const beginnings = whole.map(([, bytes]) => bytes);
    fc.assert(
      fc.property(fc.constantFrom(...beginnings), fc.nat(60), fc.uint8Array({ maxLength: 80 }), (bytes, cut, more) => {
        const read = readProxyHeader(Buffer.concat([bytes.subarray(0, cut), more]));
        expect(read.kind).to.be.oneOf(['incomplete', 'invalid', 'header']);
      }),
      { numRuns: 1_000, seed: 20260102 },
    );
  });
});
