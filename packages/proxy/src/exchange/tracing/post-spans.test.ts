import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { postSpans } from './post-spans.ts';

const whole = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';

describe('a batch of spans over plain HTTP', () => {
  const cases = [
    ['a response in one piece', [whole], { kind: 'responded', status: 200, body: '{}' }],
    ['a response byte by byte', Array.from(whole), { kind: 'responded', status: 200, body: '{}' }],
    // The callback that reads it throws: that fails this call, and nothing else.
    ['what is no HTTP', ['SSH-2.0-x\r\n\r\n'], { kind: 'failed', mayRetry: true }],
    ['the end of the connection', [], { kind: 'failed', mayRetry: true }],
  ] as const;
  for (const [what, pieces, expected] of cases)
    it(`gets ${what}`, async () => {
      let received = '';
      const server = createServer((socket) => {
        socket.setNoDelay(true);
        socket.setEncoding('latin1');
        socket.on('data', (text: string) => {
          received += text;
          if (!received.endsWith('spans')) return;
          for (const piece of pieces) socket.write(piece, 'latin1');
          socket.end();
        });
        socket.on('error', () => {});
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces?a=1`);
      const outcome = await postSpans(url, { 'x-tenant': 'edge' }, Buffer.from('spans'), 5_000);
      server.close();
      expect(outcome).to.deep.include(expected);
      expect(received).to.equal(
        `POST /v1/traces?a=1 HTTP/1.1\r\nHost: ${url.host}\r\nx-tenant: edge\r\nContent-Length: 5\r\nConnection: close\r\n\r\nspans`,
      );
    });
});
