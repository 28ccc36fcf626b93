import { expect } from 'chai';
import { allowedTrailers, ChunkedReader, lastChunk } from './chunked-reader.ts';

/** Reads a body cut into pieces of one size, as payload and as framed bytes passed on. */
function readInPieces(text: string, pieceBytes: number) {
  const reader = new ChunkedReader();
  const framing = new ChunkedReader();
  let payload = '';
  let framed = '';
  for (let at = 0; at < text.length && !reader.done; at += pieceBytes) {
    const bytes = Buffer.from(text.slice(at, at + pieceBytes), 'latin1');
    const error = reader.read(bytes, 0, bytes.length, (from, to) => {
      payload += bytes.toString('latin1', from, to);
    });
    if (error !== undefined) return { error: error.cause };
    framing.read(bytes, 0, bytes.length);
    framed += framing.carried + bytes.toString('latin1', 0, framing.framedEnd);
  }
  return { payload, framed, done: reader.done, trailers: reader.trailers };
}

describe('a chunked body', () => {
  const chunks = '4\r\nwiki\r\n5;name="v"\r\npedia\r\n10\r\n0123456789abcdef\r\n';
  for (const pieceBytes of [1, 2, 3, 5, 7, 11, 1_000]) {
    it(`is read and passed on in pieces of ${pieceBytes}`, () => {
      const read = readInPieces(`${chunks}0\r\nX-A: b\r\n\r\n`, pieceBytes);
      expect(read).to.deep.equal({
        payload: 'wikipedia0123456789abcdef',
        framed: chunks,
        done: true,
        trailers: 'X-A: b\r\n',
      });
    });
  }

  for (const extension of ['a', 'a=b', 'a="b c"', 'a="b\\"c"', 'a="\\\\";b="\\ \\a";c', 'a=""'])
    it(`takes the extension ${extension}`, () => {
      const text = `4;${extension}\r\nwiki\r\n`;
      for (const pieceBytes of [1, 1_000]) {
        const { payload, framed } = readInPieces(`${text}0\r\n\r\n`, pieceBytes) as { payload: string; framed: string };
        expect([payload, framed]).to.deep.equal(['wiki', text]);
      }
    });

  it('takes extensions in proportion to what they come with, and refuses a body that is mostly extensions', () => {
    const signed = `1000;chunk-signature=${'a'.repeat(64)}\r\n${'x'.repeat(4_096)}\r\n`.repeat(1_000);
    expect(readInPieces(`${signed}0\r\n\r\n`, 65_536)).to.include({ done: true });
    const short = '1;a=b\r\nx\r\n'.repeat(10_000);
    expect(readInPieces(`${short}0\r\n\r\n`, 65_536)).to.include({ done: true });
    const mostly = `1;a=${'b'.repeat(100)}\r\nx\r\n`.repeat(200);
    expect(readInPieces(`${mostly}0\r\n\r\n`, 1_000)).to.deep.equal({ error: 'bad-chunk' });
  });

  it('ends where it ends, whatever follows', () => {
    const reader = new ChunkedReader();
    const bytes = Buffer.from('1\r\na\r\n0\r\n\r\nGET / HTTP/1.1');
    expect(reader.read(bytes, 0, bytes.length)).to.equal(undefined);
    expect(reader.done).to.equal(true);
    expect(bytes.toString('latin1', reader.consumed)).to.equal('GET / HTTP/1.1');
  });

  for (const [text, cause] of [
    ['4\nwiki', 'bad-chunk'],
    ['\r\n', 'bad-chunk'],
    ['4\r\nwikix\r\n', 'bad-chunk'],
    ['4 \r\nwiki', 'bad-chunk'],
    ['1000000000000\r\n', 'bad-chunk'],
    [`4;${'x'.repeat(5_000)}\r\n`, 'bad-chunk'],
    ['4;\x00\r\n', 'bad-chunk'],
    ['4;a="\\"\r\n', 'bad-chunk'],
    ['4;a="b"c"\r\n', 'bad-chunk'],
    ['4;a=\\"\r\n', 'bad-chunk'],
    ['4;a="\\\r\n"\r\n', 'bad-chunk'],
    ['0\r\nX\r\n\r\n', 'bad-trailer'],
    ['0\r\nX : y\r\n\r\n', 'bad-trailer'],
    ['0\r\n X: y\r\n\r\n', 'bad-trailer'],
    ['0\r\nX: y\n\r\n', 'bad-trailer'],
    [`0\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`, 'bad-trailer'],
  ] as const)
    it(`is refused: ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(readInPieces(text, 1_000)).to.deep.equal({ error: cause });
      expect(readInPieces(text, 1)).to.deep.equal({ error: cause });
    });

  it('passes trailers on but for those that would change what was already decided', () => {
    const trailers =
      'X-Sum: 1\r\nContent-Length: 5\r\nX_Forwarded_For: 6.6.6.6\r\nAuthorization: x\r\nGrpc-Status: 0\r\n';
    expect(allowedTrailers(trailers)).to.deep.equal(['X-Sum', '1', 'Grpc-Status', '0']);
    expect(lastChunk(trailers)).to.equal('0\r\nX-Sum: 1\r\nGrpc-Status: 0\r\n\r\n');
    expect(lastChunk('')).to.equal('0\r\n\r\n');
  });
});
