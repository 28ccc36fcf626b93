import { expect } from 'chai';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { get, type Suite } from './suite.ts';

/** The responses of the proxy itself, each with its reason. */
export function localResponses(suite: Suite): void {
  describe('responses of the proxy itself', () => {
    beforeEach(() => suite.start());

    it('503 no-route', async () => expectOwn(await suite.rig.exchange(get('/nothing')), 503, 'no-route'));

    it('503 no-endpoint with Retry-After', async () => {
      suite.rig.route('a');
      const reply = await suite.rig.exchange(get('/a'));
      expectOwn(reply, 503, 'no-endpoint');
      expect(reply).to.match(/Retry-After: \d/);
    });

    it('503 stale-endpoint', async () => {
      suite.rig.route('a', { ifNone: 'stale-endpoint' });
      expectOwn(await suite.rig.exchange(get('/a')), 503, 'stale-endpoint');
    });

    it('503 unsupported-feature, never the unprotected service', async () => {
      let requested = 0;
      const endpoint = await suite.rig.backend((_request, response) => {
        requested += 1;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint], blockedBy: 'users' });
      expectOwn(await suite.rig.exchange(get('/a')), 503, 'unsupported-feature');
      expect(requested).to.equal(0);
    });

    it('502 where every endpoint refuses', async () => {
      suite.rig.route('a', { endpoints: [await suite.rig.refusing()] });
      expectOwn(await suite.rig.exchange(get('/a')), 502, 'endpoint-unreachable');
    });

    it('502 where the endpoint closes without a response', async () => {
      const endpoint = await suite.rig.rawBackend((socket) => socket.once('data', () => socket.destroy()));
      suite.rig.route('a', { endpoints: [endpoint] });
      expectOwn(await suite.rig.exchange(get('/a')), 502, 'endpoint-unreachable');
    });

    it('502 where the response is not HTTP', async () => {
      const endpoint = await suite.rig.rawBackend((socket) =>
        socket.once('data', () => socket.end('SSH-2.0-nope\r\n\r\n')),
      );
      suite.rig.route('a', { endpoints: [endpoint] });
      expectOwn(await suite.rig.exchange(get('/a')), 502, 'endpoint-answer-invalid');
    });

    const refusals = [
      ['a missing Host', 'GET /a HTTP/1.1\r\n\r\n'],
      ['two Hosts', 'GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
      ['an invalid Host', 'GET /a HTTP/1.1\r\nHost: a b\r\n\r\n'],
      [
        'Content-Length and Transfer-Encoding',
        'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['two different lengths', 'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
      ['gzip, chunked', 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
      ['Transfer-Encoding in HTTP/1.0', 'POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['a space before a colon', 'GET /a HTTP/1.1\r\nHost: h\r\nX-A : 1\r\n\r\n'],
      ['a folded header', 'GET /a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n'],
      ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['an encoded NUL', 'GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['a dot segment with a parameter', 'GET /a/..;/b HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['a target without a slash', 'GET a HTTP/1.1\r\nHost: h\r\n\r\n'],
    ] as const;
    for (const [what, bytes] of refusals)
      it(`400 and an end for ${what}`, async () => {
        let requested = 0;
        const endpoint = await suite.rig.backend((_request, response) => {
          requested += 1;
          response.end();
        });
        let reached = 0;
        const count: Middleware = {
          name: 'count',
          onRequest: () => {
            reached += 1;
            return { kind: 'continue' };
          },
        };
        suite.rig.route('a', { endpoints: [endpoint], middleware: [count] });
        const client = suite.rig.connect();
        // Sent with the refused one: it must never be read as a request.
        client.send(bytes + get('/a'));
        const reply = await client.untilClosed();
        expect(reply).to.match(/^HTTP\/1\.1 400 /);
        expect(reply).to.match(/X-Swarmgate-Reason: [a-z-]+/);
        expect(reply.match(/HTTP\/1\.1/g)).to.have.length(1);
        expect({ reached, requested }).to.deep.equal({ reached: 0, requested: 0 });
      });

    it('400 for an encoded slash or a backslash where ENCODED_SLASH=refuse', async () => {
      await suite.start({ encodedSlash: 'refuse' });
      expectOwn(await suite.rig.exchange(get('/a%2fb')), 400, 'path-encoded-slash');
      expectOwn(await suite.rig.exchange(get('/a\\b')), 400, 'path-backslash');
    });

    it('431 for a head that is too large', async () => {
      const reply = await suite.rig.exchange(get('/a', `X-Big: ${'b'.repeat(100_000)}\r\n`));
      expectOwn(reply, 431, 'head-too-large');
    });

    it('takes the authority of an absolute-form target (RFC 9112, 3.2.2)', async () => {
      let host: string | undefined;
      const endpoint = await suite.rig.backend((request, response) => {
        host = request.headers.host;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange('GET http://real.example/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n');
      expect(host).to.equal('real.example');
    });
  });

  describe('responses of the proxy itself, where time is up', () => {
    // Short for the tests' sake; what is not about them must not depend on how busy the machine is.
    beforeEach(() => suite.start({ timeouts: { connectMs: 300, serverMs: 300, clientMs: 300 }, headMs: 300 }));

    it('504 where the endpoint does not respond in time', async () => {
      const endpoint = await suite.rig.rawBackend(() => undefined);
      suite.rig.route('a', { endpoints: [endpoint] });
      expectOwn(await suite.rig.exchange(get('/a')), 504, 'head-timeout');
    });

    for (const timeoutServerMs of [5_000, 0]) {
      it(`takes the route’s own timeout of ${timeoutServerMs === 0 ? 'no limit' : timeoutServerMs}`, async () => {
        const endpoint = await suite.rig.backend((_request, response) => {
          // Time itself is tested: later than the 300 ms of the server, within those of the route.
          setTimeout(() => response.end('late but fine'), 500);
        });
        suite.rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs } });
        expect(await suite.rig.exchange(get('/a'))).to.include('late but fine');
      });
    }

    it('closes a connection whose head does not arrive in time', async () => {
      const client = suite.rig.connect();
      client.send('GET /a HTTP/1.1\r\nHost: h\r\nX-Slow');
      const reply = await client.untilClosed();
      if (reply !== '') expectOwn(reply, 408, 'request-timeout');
    });

    it('closes a request whose body stops', async () => {
      const endpoint = await suite.rig.backend((request) => request.resume());
      suite.rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs: 60_000 } });
      const client = suite.rig.connect();
      client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
      const reply = await client.untilClosed();
      if (reply !== '') expectOwn(reply, 408, 'request-timeout');
    });
  });
}

function expectOwn(reply: string, status: number, reason: string): void {
  expect(reply).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(reply).to.include(`X-Swarmgate-Reason: ${reason}\r\n`);
}
