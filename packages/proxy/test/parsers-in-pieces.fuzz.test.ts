import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { readExplainQuery } from '../src/control/admin/explain.ts';
import { BadRequestError, queryOf, searchParametersOf } from '../src/control/admin/request-query.ts';
import { ChunkedReader } from '../src/http/chunked-reader.ts';
import { readProxyHeader } from '../src/server/proxy-protocol/proxy-header.ts';
import { ClientHelloReader, readClientHello } from '../src/server/relay/client-hello.ts';
import { ResponseReader } from '../src/transport/response-reader.ts';

/** What the parsers meet first; cases are these with bytes changed, removed, doubled and put together. */
const corpus = {
  chunked: [
    '5\r\nhello\r\n0\r\n\r\n',
    '1\r\nx\r\n1\r\ny\r\n0\r\n\r\n',
    'a;name="value"\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n',
    '0\r\n\r\n',
    '00000000000F\r\n012345678901234\r\n0;last\r\n\r\n',
    'ffffffffffff\r\n',
  ],
  response: [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\nuntil the end',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nbytes',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  ],
  proxyHeader: [
    'PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\nGET',
    'PROXY TCP6 2001:db8::1 ::1 1 2\r\n',
    'PROXY UNKNOWN\r\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x0a\0\0\x01\xd4\x31\x01\xbb',
    '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0',
    `\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24${'\0'.repeat(36)}`,
  ],
  clientHello: [
    // A record with a ClientHello of TLS 1.2 that names a.example.
    `\x16\x03\x01\0\x40\x01\0\0\x3c\x03\x03${'r'.repeat(32)}\0\0\x02\x13\x01\x01\0\0\x11\0\0\0\x0d\0\x0b\0\0\x08a.exampl`,
    '\x16\x03\x01\0\x01\x01\x16\x03\x01\0\x01\0\x16\x03\x01\0\x01\0',
    'GET / HTTP/1.1\r\n\r\n',
  ],
  query: [
    'url=http://shop.example/cart%3Fa&method=GET&header=X-A:b',
    'serviceName=shop&servicePath=/shop&port=8080',
    'url=//&port=0&limit=-1&header=:&header=__proto__:x',
    'a=%FF&a=%C3%BC&a=1&a=2',
  ],
} as const;

/** One of the corpus, mutated. Latin1 text: a character is a byte. */
function mutated(seeds: readonly string[]): fc.Arbitrary<string> {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const edit = fc.record({
    kind: fc.constantFrom('replace', 'remove', 'insert', 'double', 'append'),
    at: fc.nat(),
    length: fc.integer({ min: 0, max: 12 }),
    text: fc.oneof(byte, fc.constantFrom(...seeds), fc.string({ maxLength: 6 })),
  });
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 6 })).map(([seed, edits]) =>
    edits.reduce((text, { kind, at, length, text: other }) => {
      const place = text.length === 0 ? 0 : at % text.length;
      const [before, after] = [text.slice(0, place), text.slice(place)];
      if (kind === 'replace') return before + other + after.slice(1);
      if (kind === 'remove') return before + after.slice(length);
      if (kind === 'insert') return before + other + after;
      if (kind === 'double') return before + after.slice(0, length).repeat(3) + after;
      return text + other;
    }, seed),
  );
}

/** The same bytes in pieces of these sizes, in turn. */
function pieces(text: string, sizes: readonly number[]): readonly Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const found: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const to = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? 1));
    found.push(Buffer.from(bytes.subarray(at, to)));
    at = to;
  }
  return found;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const seed = 20_261_128;

describe('parsers, whatever comes and in whatever pieces', () => {
  it('begin from what they take', () => {
    const [hello = ''] = corpus.clientHello;
    expect(readClientHello(Buffer.from(hello, 'latin1'))).to.deep.equal({
      kind: 'hello',
      serverName: 'a.exampl',
      protocols: [],
    });
    for (const each of corpus.proxyHeader) expect(readProxyHeader(Buffer.from(each, 'latin1')).kind).to.equal('header');
  });

  it('a chunked body has one reading', () => {
    const read = (parts: readonly Buffer[]) => {
      const reader = new ChunkedReader();
      let payload = '';
      for (const part of parts) {
        const refusal = reader.read(part, 0, part.length, (from, to) => {
          payload += part.toString('latin1', from, to);
        });
        if (refusal !== undefined) return { refusal: refusal.cause };
        if (reader.done) break;
      }
      return { payload, done: reader.done, trailers: reader.done ? reader.trailers : '' };
    };
    fc.assert(
      fc.property(mutated(corpus.chunked), sizes, (text, inSizes) => {
        expect(read(pieces(text, inSizes))).to.deep.equal(read(pieces(text, [text.length + 1])));
      }),
      fuzzRuns(5_000, seed),
    );
  });

  it('a response has one reading, and none that goes on behind its end', () => {
    const read = (parts: readonly Buffer[]) => {
      const reader = new ResponseReader();
      let body = '';
      let status = 0;
      let before = '';
      reader.begin(
        'GET',
        {
          wantsPayload: true,
          onInterim: () => undefined,
          onHead: (head, bytes, _framing, from, to) => {
            status = head.status;
            body += bytes.toString('latin1', from, to);
            return false;
          },
          onBody: (bytes, from, to) => {
            body += bytes.toString('latin1', from, to);
            return false;
          },
          onUpgrade: (head) => {
            status = head.status;
          },
        },
        true,
      );
      for (const part of parts) {
        const outcome = reader.read(part, part.length);
        before = typeof outcome === 'string' ? outcome : 'refused';
        if (before !== 'more') break;
      }
      return before === 'refused' ? { before } : { before, status, body };
    };
    fc.assert(
      fc.property(mutated(corpus.response), sizes, (text, inSizes) => {
        const whole = read(pieces(text, [text.length + 1]));
        const inPieces = read(pieces(text, inSizes));
        // Bytes behind the end of a response are seen only where they come with it: one reading refuses, none gives more.
        if (whole.before === 'refused' || inPieces.before === 'refused') return;
        expect(inPieces).to.deep.equal(whole);
      }),
      fuzzRuns(5_000, seed),
    );
  });

  it('a PROXY header is decided by its own bytes, and its length lies within them', () => {
    fc.assert(
      fc.property(mutated(corpus.proxyHeader), fc.string({ maxLength: 20 }), (text, behind) => {
        const bytes = Buffer.from(text, 'latin1');
        const read = readProxyHeader(bytes);
        if (read.kind !== 'header') return;
        expect(read.lengthBytes).to.be.within(1, bytes.length);
        expect(readProxyHeader(Buffer.concat([bytes, Buffer.from(behind)]))).to.deep.equal(read);
        for (let end = 0; end < read.lengthBytes; end += 1)
          expect(readProxyHeader(bytes.subarray(0, end)).kind, `${end} bytes`).to.equal('incomplete');
      }),
      fuzzRuns(5_000, seed),
    );
  });

  it('a ClientHello has one reading', () => {
    fc.assert(
      fc.property(mutated(corpus.clientHello), sizes, (text, inSizes) => {
        const reader = new ClientHelloReader();
        let result = reader.read(Buffer.alloc(0));
        for (const piece of pieces(text, inSizes)) result = reader.read(piece);
        expect(result).to.deep.equal(readClientHello(Buffer.from(text, 'latin1')));
      }),
      fuzzRuns(5_000, seed),
    );
  });

  it('a query of an admin call is read or refused, and never anything else', () => {
    const server = { entrypoints: () => [] };
    fc.assert(
      fc.property(mutated(corpus.query), (text) => {
        const originalUrl = `/v1/explain?${text}`;
        try {
          queryOf({ originalUrl });
          const read = readExplainQuery(searchParametersOf({ originalUrl }), server, 'keep');
          if (!read.ok) expect(read.message).to.be.a('string').with.length.above(5);
        } catch (error) {
          expect(error).to.be.instanceOf(BadRequestError);
        }
      }),
      fuzzRuns(5_000, seed),
    );
  });
});
