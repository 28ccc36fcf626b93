import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { pathRewrite } from '../../src/middleware/path-rewrite.ts';
import { until } from '../behaviour-rig.ts';
import { untilStill } from '../until.ts';
import { get, type Suite } from './suite.ts';

/** Requests and responds pass whole: methods, bodies, framing, interim responses. */
export function forwarding(suite: Suite): void {
  describe('forwarding', () => {
    beforeEach(() => suite.start());

    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
      it(`forwards ${method} with its body, query and status`, async () => {
        let seen = '';
        const endpoint = await suite.rig.backend((request, response) => {
          request.on('data', (chunk: Buffer) => {
            seen += chunk.toString();
          });
          request.on('end', () => {
            seen = `${request.method} ${request.url} ${seen}`;
            response.writeHead(207, 'Many Things', { 'X-Reply': 'yes' }).end('response');
          });
        });
        suite.rig.route('a', { endpoints: [endpoint] });
        const reply = await suite.rig.exchange(
          `${method} /a/b?c=d&e=%2F HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
        );
        expect(seen).to.equal(`${method} /a/b?c=d&e=%2F hello`);
        expect(reply).to.match(/^HTTP\/1\.1 207 Many Things\r\n/);
        expect(reply).to.include('X-Reply: yes');
        expect(reply).to.include('response');
      });

    const targets = [
      ['/a%2Fb/@scope%2fname?x=%2f', undefined],
      ['//a//b', undefined],
      ['/a/[1]/{2}/|/"<>^`', undefined],
      ['/a/%7Bx%7d/caf%c3%a9/%61%7E', undefined],
      ['/a;x/b;y=%2F', undefined],
      ['/a\\b', undefined],
      ['/a/./b/../{c}%2f?d', '/a/{c}%2f?d'],
      ['/a?', undefined],
    ] as const;
    for (const [target, forwarded = target] of targets)
      for (const steps of [[], [{ name: 'nothing', onRequest: () => ({ kind: 'continue' }) as const }]])
        it(`forwards ${target} as ${forwarded}, with ${steps.length} steps`, async () => {
          let seen: string | undefined;
          const endpoint = await suite.rig.backend((request, response) => {
            seen = request.url;
            response.end();
          });
          const names = ['a', 'a%2Fb', 'a;x', 'a%5Cb'];
          for (const name of names) suite.rig.route(name, { endpoints: [endpoint], middleware: steps });
          const head = `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
          expect(await suite.rig.exchange(head)).to.match(/^HTTP\/1\.1 200 /);
          expect(seen).to.equal(forwarded);
        });

    it('forwards what a step makes of the path', async () => {
      let seen: string | undefined;
      const endpoint = await suite.rig.backend((request, response) => {
        seen = request.url;
        response.end();
      });
      const rewrite = pathRewrite([{ search: '^/a/', replace: '/v1/' }]);
      suite.rig.route('a', { endpoints: [endpoint], middleware: [rewrite] });
      await suite.rig.exchange(get('/a//b%2fc/{d}?e=%2f'));
      expect(seen).to.equal('/v1/b%2Fc/%7Bd%7D?e=%2f');
    });

    it('keeps the order, spelling and repetition of headers, in both directions', async () => {
      let received: string[] = [];
      const endpoint = await suite.rig.backend((request, response) => {
        received = request.rawHeaders;
        response.writeHead(200, ['X-B', '1', 'x-A', '2', 'X-B', '3']);
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange(get('/a', 'X-Second: 2\r\nx-first: 1\r\nX-Second: 3\r\n'));
      const names = received.filter((_value, at) => at % 2 === 0);
      expect(names).to.include.members(['X-Second', 'x-first']);
      expect(names.indexOf('X-Second')).to.be.lessThan(names.indexOf('x-first'));
      const values = received.filter((_value, at) => received[at - 1] === 'X-Second');
      expect(values).to.deep.equal(['2', '3']);
      expect(reply).to.match(/X-B: 1\r\nx-A: 2\r\nX-B: 3\r\n/);
    });

    it('keeps the Host that the client sent', async () => {
      let host: string | undefined;
      const endpoint = await suite.rig.backend((request, response) => {
        host = request.headers.host;
        response.end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      await suite.rig.exchange('GET /a HTTP/1.1\r\nHost: Shop.Example:8080\r\nConnection: close\r\n\r\n');
      expect(host).to.equal('Shop.Example:8080');
    });

    it('streams a large body up and down unchanged', async () => {
      const endpoint = await suite.rig.backend((request, response) => {
        response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
        request.pipe(response);
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const body = Buffer.alloc(4 * 1024 * 1024, 'swarmgate ');
      const { status, digest } = await upload(suite.rig.port, '/a', body);
      expect(status).to.equal(200);
      expect(digest).to.equal(createHash('sha256').update(body).digest('hex'));
    });

    it('does not read a body faster than the endpoint takes it', async () => {
      let paused = 0;
      const endpoint = await suite.rig.rawBackend((socket) => {
        // Nothing is read before the test says so.
        socket.pause();
        paused += 1;
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n');
      await until(() => paused === 1);
      // More than all buffers on the way hold: the rest stays with the client once proxy and endpoint have stopped reading.
      client.socket.write(Buffer.alloc(50_000_000));
      await untilStill(() => client.socket.writableLength, 'the proxy to stop the client');
      expect(client.socket.writableLength).to.be.greaterThan(1024 * 1024);
      client.socket.destroy();
    });

    it('passes pieces of a response on as they come (SSE)', async () => {
      let push: ((text: string) => void) | undefined;
      const endpoint = await suite.rig.backend((_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.flushHeaders();
        push = (text) => response.write(text);
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(get('/a'));
      await client.until('text/event-stream');
      push?.('data: one\n\n');
      await client.until('data: one');
      push?.('data: two\n\n');
      await client.until('data: two');
    });

    it('responds to HEAD with the headers of GET and no body (RFC 9110, 9.3.2)', async () => {
      const endpoint = await suite.rig.backend((_request, response) => {
        response.writeHead(200, { 'Content-Length': 1234 }).end();
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send('HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      const reply = await client.untilClosed();
      expect(reply.match(/HTTP\/1\.1 200 /g)).to.have.length(2);
      expect(reply.match(/content-length: 1234/gi)).to.have.length(2);
    });

    for (const status of [204, 304])
      it(`sends ${status} without a body and goes on with the connection (RFC 9112, 6.3)`, async () => {
        const endpoint = await suite.rig.backend((_request, response) => response.writeHead(status).end());
        suite.rig.route('a', { endpoints: [endpoint] });
        const client = suite.rig.connect();
        client.send(`GET /a HTTP/1.1\r\nHost: h\r\n\r\n${get('/a')}`);
        const reply = await client.untilClosed();
        expect(reply.match(new RegExp(`HTTP/1\\.1 ${status} `, 'g'))).to.have.length(2);
        expect(reply).not.to.match(/transfer-encoding/i);
      });

    it('passes trailers in both directions (RFC 9112, 7.1.2)', async () => {
      let received: string[] = [];
      const endpoint = await suite.rig.backend((request, response) => {
        request.resume();
        request.on('end', () => {
          received = request.rawTrailers;
          response.writeHead(200, { Trailer: 'X-Sum' });
          response.write('body');
          response.addTrailers({ 'X-Sum': '42' });
          response.end();
        });
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange(
        'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n3\r\nabc\r\n0\r\nX-Up: 7\r\n\r\n',
      );
      expect(received).to.deep.equal(['X-Up', '7']);
      expect(reply).to.match(/0\r\nX-Sum: 42\r\n\r\n$/);
    });

    for (const [what, method, head, body] of [
      ['a body of a known length', 'GET', 'Content-Length: 4', 'body'],
      ['no body', 'GET', 'Content-Length: 0', ''],
      ['a response to HEAD', 'HEAD', 'Content-Length: 4', ''],
      ['a body that lasts until the end', 'GET', 'Connection: close', 'body'],
      ['chunks without trailers', 'GET', 'Transfer-Encoding: chunked', '4\r\nbody\r\n0\r\n\r\n'],
    ] as const)
      it(`serves a response that announces trailers: ${what}`, async () => {
        const endpoint = await suite.rig.rawBackend((socket) =>
          socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${head}\r\n\r\n${body}`)),
        );
        suite.rig.route('a', { endpoints: [endpoint] });
        const reply = await suite.rig.exchange(`${method} /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
        expect(reply).to.match(/^HTTP\/1\.1 200 /);
        expect(reply.includes('body')).to.equal(body !== '');
      });

    it('gives HTTP/1.0 clients a body that is not chunked (RFC 9112, 7.1)', async () => {
      const endpoint = await suite.rig.backend((_request, response) => {
        response.write('one ');
        response.end('two');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange('GET /a HTTP/1.0\r\nHost: h\r\n\r\n');
      expect(reply).not.to.match(/transfer-encoding/i);
      expect(reply).to.match(/\r\n\r\none two$/);
    });

    it('waits for the endpoint’s 100 before the client sends its body (RFC 9110, 10.1.1)', async () => {
      let bodySeenBefore100 = true;
      const endpoint = await suite.rig.backend(() => undefined);
      endpoint.server.on('checkContinue', (request, response) => {
        bodySeenBefore100 = request.readableLength > 0;
        response.writeContinue();
        request.resume();
        request.on('end', () => response.end('thanks'));
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(
        'PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
      );
      await client.until('HTTP/1.1 100');
      client.send('abc');
      expect(await client.untilClosed()).to.include('thanks');
      expect(bodySeenBefore100).to.equal(false);
    });

    it('relays a refused expectation without a 100 (RFC 9110, 10.1.1)', async () => {
      const endpoint = await suite.rig.backend(() => undefined);
      endpoint.server.on('checkContinue', (_request, response) => {
        response.writeHead(413, { Connection: 'close' }).end('too much');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(
        'PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
      );
      const reply = await client.until('too much');
      expect(reply).to.match(/^HTTP\/1\.1 413 /);
    });

    it('passes 103 Early Hints on (RFC 8297)', async () => {
      const endpoint = await suite.rig.backend((_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => response.end('page'));
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const reply = await suite.rig.exchange(get('/a'));
      expect(reply).to.match(/^HTTP\/1\.1 103 /);
      expect(reply).to.match(/<\/style.css>/);
      expect(reply).to.match(/HTTP\/1\.1 200 /);
    });

    it('responds to pipelined requests in their order', async () => {
      const endpoint = await suite.rig.backend((request, response) => {
        // The first takes longest, so that the order does not come from speed. It cannot wait for the others to arrive: the
        // proxy may send them one after the other.
        const slow = request.url === '/a/1';
        setTimeout(() => response.end(`response to ${request.url}`), slow ? 20 : 0);
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send(`GET /a/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /a/2 HTTP/1.1\r\nHost: h\r\n\r\n${get('/a/3')}`);
      const reply = await client.untilClosed();
      expect(reply.match(/response to \/a\/\d/g)).to.deep.equal([
        'response to /a/1',
        'response to /a/2',
        'response to /a/3',
      ]);
    });

    it('relays an early response, and the next request starts clean', async () => {
      const endpoint = await suite.rig.backend((request, response) => {
        if (request.method === 'POST') response.writeHead(413).end('no');
        else response.end('clean');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const client = suite.rig.connect();
      client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n');
      await client.until('HTTP/1.1 413');
      const rest = 'GET /evil HTTP/1.1\r\n';
      client.send(rest.padEnd(20, 'x').slice(0, 20));
      client.send(get('/a'));
      const reply = await client.untilClosed();
      // Either the connection was closed after the early response, or the rest of the body was read as a body.
      expect(reply).not.to.match(/HTTP\/1\.1 400|no-route/);
    });
  });
}

function upload(port: number, path: string, body: Buffer): Promise<{ status: number | undefined; digest: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method: 'POST', host: '127.0.0.1', agent: false }, (response) => {
      const hash = createHash('sha256');
      response.on('data', (chunk: Buffer) => hash.update(chunk));
      response.on('end', () => resolve({ status: response.statusCode, digest: hash.digest('hex') }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
