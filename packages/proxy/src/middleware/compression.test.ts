import { once } from 'node:events';
import { brotliDecompressSync, createGunzip, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { expect } from 'chai';
import { exchangeOf, headOf, routeOf } from '../../test/middleware-fixture.ts';
import { availableAlgorithms, compress, negotiate, usualTypes } from './compression.ts';

const all = { algorithms: ['br', 'gzip', 'deflate', 'zstd'], types: usualTypes } as const;
const accepting = (value: string, method = 'GET') =>
  exchangeOf(routeOf(), { method, headers: ['Accept-Encoding', value] });
const html = ['Content-Type', 'text/html; charset=utf-8'];

describe('compress', () => {
  for (const [accept, decode] of [
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br', brotliDecompressSync],
    ['zstd', zstdDecompressSync],
  ] as const) {
    it(`makes ${accept} that is read back`, async () => {
      const head = headOf([...html, 'Content-Length', '9000', 'ETag', '"x"', 'Accept-Ranges', 'bytes']);
      const stream = compress(all, accepting(accept), head, true);
      if (stream === undefined) throw new Error('not compressed');
      const chunks: Buffer[] = [];
      stream.end('swarmgate '.repeat(900));
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      expect(decode(Buffer.concat(chunks)).toString()).to.equal('swarmgate '.repeat(900));
      expect(head.headers.flat).to.deep.equal([
        ...html,
        'ETag',
        'W/"x"',
        'Vary',
        'Accept-Encoding',
        'Content-Encoding',
        accept,
      ]);
    });
  }

  it('passes each piece at once, as events need it', async () => {
    const head = headOf(['Content-Type', 'text/event-stream']);
    const stream = compress(all, accepting('gzip'), head, true);
    if (stream === undefined) throw new Error('not compressed');
    stream.write('data: 1\n\n');
    const [first] = await once(stream.pipe(createGunzip()), 'data');
    expect(String(first)).to.equal('data: 1\n\n');
    stream.destroy();
  });

  // [what it shows, Accept-Encoding, method, status, headers of the response]
  const untouched: readonly [string, string, string, number, string[]][] = [
    ['a client that accepts identity only', 'identity', 'GET', 200, html],
    ['a client that forbids it', 'gzip;q=0, br;q=0, deflate;q=0', 'GET', 200, html],
    ['204', 'gzip', 'GET', 204, html],
    ['a range', 'gzip', 'GET', 206, [...html, 'Content-Range', 'bytes 0-9/9999']],
    ['a partial response, whatever it says of its range', 'gzip', 'GET', 206, html],
    ['a reset of the document', 'gzip', 'GET', 205, html],
    ['a piece that only its Content-Range tells', 'gzip', 'GET', 200, [...html, 'Content-Range', 'bytes 0-9/9999']],
    ['no-transform', 'gzip', 'GET', 200, [...html, 'Cache-Control', 'public, no-transform']],
    ['compressed already', 'gzip', 'GET', 200, [...html, 'Content-Encoding', 'br']],
    ['an image', 'gzip', 'GET', 200, ['Content-Type', 'image/png']],
    ['no type at all', 'gzip', 'GET', 200, []],
    ['too small', 'gzip', 'GET', 200, [...html, 'Content-Length', '20']],
  ];
  for (const [what, accept, method, status, headers] of untouched) {
    it(`leaves ${what} as it is`, () => {
      const head = headOf(headers, status);
      expect(compress(all, accepting(accept, method), head, method !== 'HEAD')).to.equal(undefined);
      expect(head.headers.has('content-encoding')).to.equal(headers.includes('Content-Encoding'));
    });
  }

  it('sends Vary, also where it does not compress', () => {
    const head = headOf([...html, 'Vary', 'Cookie']);
    compress(all, exchangeOf(routeOf()), head, true);
    expect(head.headers.all('vary')).to.deep.equal(['Cookie', 'Accept-Encoding']);
  });
});

describe('availableAlgorithms', () => {
  it('offers zstd where this Node has it', () => {
    expect(availableAlgorithms(['zstd', 'br'])).to.deep.equal(['zstd', 'br']);
  });

  it('leaves zstd out where this Node has none', () => {
    expect(availableAlgorithms(['zstd', 'br'], false)).to.deep.equal(['br']);
  });
});

describe('negotiate', () => {
  for (const [accept, offered, chosen] of [
    ['gzip, br', ['br', 'gzip'], 'br'],
    ['gzip, br', ['gzip', 'br'], 'gzip'],
    ['br;q=0.5, gzip;q=0.8', ['br', 'gzip'], 'gzip'],
    ['*', ['gzip'], 'gzip'],
    ['*;q=0, gzip', ['br', 'gzip'], 'gzip'],
    ['x-gzip', ['gzip'], 'gzip'],
    ['identity;q=1, gzip;q=0.5', ['gzip'], undefined],
    ['zstd', ['gzip'], undefined],
    ['gzip, br, zstd', ['zstd', 'br', 'gzip'], 'zstd'],
    ['gzip;q=nonsense', ['gzip'], undefined],
    ['', ['gzip'], undefined],
  ] as const) {
    it(`${JSON.stringify(accept)} of ${offered.join(', ')}: ${chosen}`, () => {
      expect(negotiate([accept], offered)).to.equal(chosen);
    });
  }
});
