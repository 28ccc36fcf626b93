import { expect } from 'chai';
import { http1RequestHead, http2RequestHead } from './http1-heads.ts';

describe('heads between HTTP/1.1 and HTTP/2 (RFC 9113, section 8.3)', () => {
  const requests = [
    ['GET /a?b=c HTTP/1.1\r\nHost: x.test\r\n\r\n', ['GET', 'x.test', '/a?b=c'], []],
    ['OPTIONS * HTTP/1.1\r\nHost: x.test:81\r\n\r\n', ['OPTIONS', 'x.test:81', '*'], []],
    // HTTP/1.0 may come without Host.
    ['GET / HTTP/1.1\r\nA: b\r\n\r\n', ['GET', '', '/'], ['a', 'b']],
    // A second Host is refused before; the first alone is one.
    ['GET / HTTP/1.1\r\nX-A:  1 \r\nhost: x\r\nX-A: 2\r\n\r\n', ['GET', 'x', '/'], ['x-a', '1', 'x-a', '2']],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nCookie: a=b\r\n\r\n',
      ['POST', 'x', '/'],
      ['cookie', 'a=b'],
    ],
    ['GET / HTTP/1.1\r\nHost: x\r\nEmpty:\r\nColons: a:b\r\n\r\n', ['GET', 'x', '/'], ['empty', '', 'colons', 'a:b']],
  ] as const;
  for (const [head, line, flat] of requests)
    it(`makes a request of ${JSON.stringify(head.slice(0, 40))}`, () => {
      const made = http2RequestHead(head, 'http', false);
      expect([made.line.method, made.line.authority, made.line.path]).to.deep.equal(line);
      expect(made.line.scheme).to.equal('http');
      expect(made.flat).to.deep.equal(flat);
    });

  it('sends TE: trailers to the endpoint where they are required, and not to an endpoint of HTTP/1.1', () => {
    const head = 'GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\r\n';
    const made = http2RequestHead(head, 'https', true);
    expect(made.flat).to.deep.equal(['x-a', 'b', 'te', 'trailers']);
    expect(http1RequestHead(made, false)).to.equal(head.replace('X-A', 'x-a'));
    expect(http1RequestHead(made, true)).to.include('\r\nTransfer-Encoding: chunked\r\n\r\n');
  });
});
