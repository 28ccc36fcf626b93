import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import { LaneRig, type MakeLane, type RigOptions, until } from './behaviour-rig.ts';

const get = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${more}\r\n`;

/** What every lane must do, through real sockets. Run once per lane. */
export function laneBehaviour(name: string, makeLane: MakeLane): void {
  describe(`the ${name} lane`, () => {
    let rig: LaneRig;
    const start = async (options: RigOptions = {}) => {
      rig = await LaneRig.start(makeLane, options);
    };
    afterEach(() => rig.stop());

    describe('forwarding', () => {
      beforeEach(() => start());

      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
        it(`forwards ${method} with its body, query and status`, async () => {
          let seen = '';
          const endpoint = await rig.backend((request, response) => {
            request.on('data', (chunk: Buffer) => {
              seen += chunk.toString();
            });
            request.on('end', () => {
              seen = `${request.method} ${request.url} ${seen}`;
              response.writeHead(207, 'Many Things', { 'X-Reply': 'yes' }).end('answer');
            });
          });
          rig.route('a', { endpoints: [endpoint] });
          const answer = await rig.exchange(
            `${method} /a/b?c=d&e=%2F HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
          );
          expect(seen).to.equal(`${method} /a/b?c=d&e=%2F hello`);
          expect(answer).to.match(/^HTTP\/1\.1 207 Many Things\r\n/);
          expect(answer).to.include('X-Reply: yes');
          expect(answer).to.include('answer');
        });

      it('keeps the order, spelling and repetition of headers, in both directions', async () => {
        let received: string[] = [];
        const endpoint = await rig.backend((request, response) => {
          received = request.rawHeaders;
          response.writeHead(200, ['X-B', '1', 'x-A', '2', 'X-B', '3']);
          response.end();
        });
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange(get('/a', 'X-Second: 2\r\nx-first: 1\r\nX-Second: 3\r\n'));
        const names = received.filter((_value, at) => at % 2 === 0);
        expect(names).to.include.members(['X-Second', 'x-first']);
        expect(names.indexOf('X-Second')).to.be.lessThan(names.indexOf('x-first'));
        const values = received.filter((_value, at) => received[at - 1] === 'X-Second');
        expect(values).to.deep.equal(['2', '3']);
        expect(answer).to.match(/X-B: 1\r\nx-A: 2\r\nX-B: 3\r\n/);
      });

      it('keeps the Host that the client sent', async () => {
        let host: string | undefined;
        const endpoint = await rig.backend((request, response) => {
          host = request.headers.host;
          response.end();
        });
        rig.route('a', { endpoints: [endpoint] });
        await rig.exchange('GET /a HTTP/1.1\r\nHost: Shop.Example:8080\r\nConnection: close\r\n\r\n');
        expect(host).to.equal('Shop.Example:8080');
      });

      it('streams a large body up and down unchanged', async () => {
        const endpoint = await rig.backend((request, response) => {
          response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
          request.pipe(response);
        });
        rig.route('a', { endpoints: [endpoint] });
        const body = Buffer.alloc(4 * 1024 * 1024, 'swarmgate ');
        const { status, digest } = await upload(rig.port, '/a', body);
        expect(status).to.equal(200);
        expect(digest).to.equal(createHash('sha256').update(body).digest('hex'));
      });

      it('does not read a body faster than the endpoint takes it', async () => {
        let paused = 0;
        const endpoint = await rig.rawBackend((socket) => {
          // Nothing is read before the test says so.
          socket.pause();
          paused += 1;
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n');
        await until(() => paused === 1);
        const piece = Buffer.alloc(256 * 1024);
        let blocked = 0;
        // The client's own buffer fills up once everybody behind it has stopped reading.
        while (blocked < 40) {
          client.socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 1));
          blocked = client.socket.writableLength > 1024 * 1024 ? blocked + 1 : 0;
        }
        expect(client.socket.writableLength).to.be.greaterThan(1024 * 1024);
        client.socket.destroy();
      });

      it('passes pieces of an answer on as they come (SSE)', async () => {
        let push: ((text: string) => void) | undefined;
        const endpoint = await rig.backend((_request, response) => {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' });
          response.flushHeaders();
          push = (text) => response.write(text);
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send(get('/a'));
        await client.until('text/event-stream');
        push?.('data: one\n\n');
        await client.until('data: one');
        push?.('data: two\n\n');
        await client.until('data: two');
      });

      it('answers HEAD with the headers of GET and no body (RFC 9110, 9.3.2)', async () => {
        const endpoint = await rig.backend((_request, response) => {
          response.writeHead(200, { 'Content-Length': 1234 }).end();
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send('HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
        const answer = await client.untilClosed();
        expect(answer.match(/HTTP\/1\.1 200 /g)).to.have.length(2);
        expect(answer.match(/content-length: 1234/gi)).to.have.length(2);
      });

      for (const status of [204, 304])
        it(`sends ${status} without a body and goes on with the connection (RFC 9112, 6.3)`, async () => {
          const endpoint = await rig.backend((_request, response) => response.writeHead(status).end());
          rig.route('a', { endpoints: [endpoint] });
          const client = rig.connect();
          client.send(`GET /a HTTP/1.1\r\nHost: h\r\n\r\n${get('/a')}`);
          const answer = await client.untilClosed();
          expect(answer.match(new RegExp(`HTTP/1\\.1 ${status} `, 'g'))).to.have.length(2);
          expect(answer).not.to.match(/transfer-encoding/i);
        });

      it('passes trailers in both directions (RFC 9112, 7.1.2)', async () => {
        let received: string[] = [];
        const endpoint = await rig.backend((request, response) => {
          request.resume();
          request.on('end', () => {
            received = request.rawTrailers;
            response.writeHead(200, { Trailer: 'X-Sum' });
            response.write('body');
            response.addTrailers({ 'X-Sum': '42' });
            response.end();
          });
        });
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange(
          'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n3\r\nabc\r\n0\r\nX-Up: 7\r\n\r\n',
        );
        expect(received).to.deep.equal(['X-Up', '7']);
        expect(answer).to.match(/0\r\nX-Sum: 42\r\n\r\n$/);
      });

      it('gives HTTP/1.0 clients a body that is not chunked (RFC 9112, 7.1)', async () => {
        const endpoint = await rig.backend((_request, response) => {
          response.write('one ');
          response.end('two');
        });
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange('GET /a HTTP/1.0\r\nHost: h\r\n\r\n');
        expect(answer).not.to.match(/transfer-encoding/i);
        expect(answer).to.match(/\r\n\r\none two$/);
      });

      it('waits for the endpoint’s 100 before the client sends its body (RFC 9110, 10.1.1)', async () => {
        let bodySeenBefore100 = true;
        const endpoint = await rig.backend(() => undefined);
        endpoint.server.on('checkContinue', (request, response) => {
          bodySeenBefore100 = request.readableLength > 0;
          response.writeContinue();
          request.resume();
          request.on('end', () => response.end('thanks'));
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send(
          'PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
        );
        await client.until('HTTP/1.1 100');
        client.send('abc');
        expect(await client.untilClosed()).to.include('thanks');
        expect(bodySeenBefore100).to.equal(false);
      });

      it('relays a refused expectation without a 100 (RFC 9110, 10.1.1)', async () => {
        const endpoint = await rig.backend(() => undefined);
        endpoint.server.on('checkContinue', (_request, response) => {
          response.writeHead(413, { Connection: 'close' }).end('too much');
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send(
          'PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
        );
        const answer = await client.until('too much');
        expect(answer).to.match(/^HTTP\/1\.1 413 /);
      });

      it('passes 103 Early Hints on (RFC 8297)', async () => {
        const endpoint = await rig.backend((_request, response) => {
          response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => response.end('page'));
        });
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange(get('/a'));
        expect(answer).to.match(/^HTTP\/1\.1 103 /);
        expect(answer).to.match(/<\/style.css>/);
        expect(answer).to.match(/HTTP\/1\.1 200 /);
      });

      it('answers pipelined requests in their order', async () => {
        const endpoint = await rig.backend((request, response) => {
          const slow = request.url === '/a/1';
          setTimeout(() => response.end(`answer to ${request.url}`), slow ? 20 : 0);
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send(`GET /a/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /a/2 HTTP/1.1\r\nHost: h\r\n\r\n${get('/a/3')}`);
        const answer = await client.untilClosed();
        expect(answer.match(/answer to \/a\/\d/g)).to.deep.equal([
          'answer to /a/1',
          'answer to /a/2',
          'answer to /a/3',
        ]);
      });

      it('relays an early answer, and the next request starts clean', async () => {
        const endpoint = await rig.backend((request, response) => {
          if (request.method === 'POST') response.writeHead(413).end('no');
          else response.end('clean');
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n');
        await client.until('HTTP/1.1 413');
        const rest = 'GET /evil HTTP/1.1\r\n';
        client.send(rest.padEnd(20, 'x').slice(0, 20));
        client.send(get('/a'));
        const answer = await client.untilClosed();
        // Either the connection was closed after the early answer, or the rest of the body was read as a body.
        expect(answer).not.to.match(/HTTP\/1\.1 400|no-route/);
      });
    });

    describe('headers between hops', () => {
      it('removes hop-by-hop headers and those that Connection names, in both directions (RFC 9110, 7.6.1)', async () => {
        await start();
        let received: Record<string, unknown> = {};
        const endpoint = await rig.rawBackend((socket) => {
          socket.once('data', (bytes: Buffer) => {
            received = { text: bytes.toString() };
            socket.end(
              'HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nX-Public: 2\r\nContent-Length: 2\r\n\r\nok',
            );
          });
        });
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange(
          'GET /a HTTP/1.1\r\nHost: h\r\nConnection: close, X-Secret, X-Forwarded-For\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nX-Open: 2\r\n\r\n',
        );
        expect(received.text).not.to.match(/x-secret|^keep-alive: 5|^te:|proxy-/im);
        expect(received.text).to.match(/x-open: 2/i);
        expect(received.text).to.match(/x-forwarded-for: 127\.0\.0\.1/i);
        expect(answer).not.to.match(/x-private|timeout=9|proxy-authenticate/i);
        expect(answer).to.match(/x-public: 2/i);
      });

      it('appends to X-Forwarded-For and sets the others from an untrusted client', async () => {
        await start();
        let headers: NodeJS.Dict<string | string[]> = {};
        const endpoint = await rig.backend((request, response) => {
          headers = request.headers;
          response.end();
        });
        rig.route('a', { endpoints: [endpoint] });
        await rig.exchange(
          get(
            '/a',
            'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Request-Id: mine\r\nForwarded: for=1.2.3.4\r\nX_Forwarded_For: 1.1.1.1\r\n',
          ),
        );
        expect(headers['x-forwarded-for']).to.equal('9.9.9.9, 127.0.0.1');
        expect(headers['x-forwarded-proto']).to.equal('http');
        expect(headers['x-forwarded-host']).to.equal('shop.example');
        expect(headers['x-forwarded-port']).to.equal(String(rig.port));
        expect(headers['x-request-id']).to.match(/\S{8}/);
        expect(headers.forwarded).to.equal(undefined);
        expect(headers.x_forwarded_for).to.equal(undefined);
        expect(headers.via).to.equal(`1.1 ${rig.viaName}`);
        expect((await rig.report()).clientAddress).to.equal('127.0.0.1');
      });

      it('believes what a trusted proxy says', async () => {
        await start({ trustedProxies: ['127.0.0.0/8'] });
        let headers: NodeJS.Dict<string | string[]> = {};
        const endpoint = await rig.backend((request, response) => {
          headers = request.headers;
          response.end();
        });
        rig.route('a', { endpoints: [endpoint] });
        await rig.exchange(
          get(
            '/a',
            'X-Forwarded-For: 6.6.6.6, 9.9.9.9, 127.0.0.5\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\nX-Forwarded-Port: 443\r\nX-Request-Id: mine\r\n',
          ),
        );
        expect(headers['x-forwarded-for']).to.equal('6.6.6.6, 9.9.9.9, 127.0.0.5, 127.0.0.1');
        expect(headers['x-forwarded-proto']).to.equal('https');
        expect(headers['x-forwarded-host']).to.equal('shop');
        expect(headers['x-forwarded-port']).to.equal('443');
        expect(headers['x-request-id']).to.equal('mine');
        expect((await rig.report()).clientAddress).to.equal('9.9.9.9');
      });

      it('answers 508 to a request that has passed here before', async () => {
        await start();
        const endpoint = await rig.backend((_request, response) => response.end());
        rig.route('a', { endpoints: [endpoint] });
        const answer = await rig.exchange(get('/a', `Via: 1.1 other, 1.1 ${rig.viaName}\r\n`));
        expect(answer).to.match(/^HTTP\/1\.1 508 /);
        expect(answer).to.include('X-Swarmgate-Reason: loop');
      });
    });

    describe('middleware', () => {
      beforeEach(() => start());

      it('lets steps change path and headers, and answer instead of the endpoint', async () => {
        let seen = '';
        const endpoint = await rig.backend((request, response) => {
          seen = `${request.url} ${request.headers['x-added']}`;
          response.end('endpoint');
        });
        rig.route('a', {
          endpoints: [endpoint],
          middleware: [
            {
              name: 'rewrite',
              needs: 'any',
              onRequest: async (exchange) => {
                exchange.path = '/rewritten';
                exchange.request.set('X-Added', 'yes');
                return { kind: 'continue' };
              },
              onResponse: (_exchange, response) => response.headers.set('X-Seen', String(response.status)),
            },
          ],
        });
        rig.route('denied', {
          middleware: [
            {
              name: 'deny',
              needs: 'any',
              onRequest: () => ({ kind: 'answer', answer: { status: 403, reason: 'method-denied', body: 'no\n' } }),
            },
          ],
        });
        expect(await rig.exchange(get('/a/b?q=1'))).to.match(/X-Seen: 200[\s\S]*endpoint/);
        expect(seen).to.equal('/rewritten?q=1 yes');
        const denied = await rig.exchange(get('/denied'));
        expect(denied).to.match(/^HTTP\/1\.1 403 [\s\S]*X-Swarmgate-Reason: method-denied/);
      });

      it('redirects by name and keeps scheme, port, path and query', async () => {
        rig.route('old', { redirectToHost: 'new.example' });
        const answer = await rig.exchange(
          'GET /old/x?y=1 HTTP/1.1\r\nHost: old.example:8000\r\nConnection: close\r\n\r\n',
        );
        expect(answer).to.match(/^HTTP\/1\.1 301 /);
        expect(answer).to.include('Location: http://new.example:8000/old/x?y=1');
      });
    });

    describe('answers of the proxy itself', () => {
      beforeEach(() => start({ timeouts: { connectMs: 300, serverMs: 300, clientMs: 300 }, headMs: 300 }));

      const expectOwn = (answer: string, status: number, reason: string) => {
        expect(answer).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
        expect(answer).to.include(`X-Swarmgate-Reason: ${reason}\r\n`);
      };

      it('503 no-route', async () => expectOwn(await rig.exchange(get('/nothing')), 503, 'no-route'));

      it('503 no-endpoint with Retry-After', async () => {
        rig.route('a');
        const answer = await rig.exchange(get('/a'));
        expectOwn(answer, 503, 'no-endpoint');
        expect(answer).to.match(/Retry-After: \d/);
      });

      it('503 stale-endpoint', async () => {
        rig.route('a', { ifNone: 'stale-endpoint' });
        expectOwn(await rig.exchange(get('/a')), 503, 'stale-endpoint');
      });

      it('503 label-unsupported, never the unprotected service', async () => {
        let asked = 0;
        const endpoint = await rig.backend((_request, response) => {
          asked += 1;
          response.end();
        });
        rig.route('a', { endpoints: [endpoint], blockedBy: 'users' });
        expectOwn(await rig.exchange(get('/a')), 503, 'label-unsupported');
        expect(asked).to.equal(0);
      });

      it('502 where every endpoint refuses', async () => {
        rig.route('a', { endpoints: [await rig.refusing()] });
        expectOwn(await rig.exchange(get('/a')), 502, 'endpoint-unreachable');
      });

      it('502 where the endpoint closes without an answer', async () => {
        const endpoint = await rig.rawBackend((socket) => socket.once('data', () => socket.destroy()));
        rig.route('a', { endpoints: [endpoint] });
        expectOwn(await rig.exchange(get('/a')), 502, 'endpoint-unreachable');
      });

      it('502 where the answer is not HTTP', async () => {
        const endpoint = await rig.rawBackend((socket) =>
          socket.once('data', () => socket.end('SSH-2.0-nope\r\n\r\n')),
        );
        rig.route('a', { endpoints: [endpoint] });
        expectOwn(await rig.exchange(get('/a')), 502, 'endpoint-answer-invalid');
      });

      it('504 where the endpoint does not answer in time', async () => {
        const endpoint = await rig.rawBackend(() => undefined);
        rig.route('a', { endpoints: [endpoint] });
        expectOwn(await rig.exchange(get('/a')), 504, 'head-timeout');
      });

      it('takes the route’s own timeout', async () => {
        const endpoint = await rig.backend((_request, response) => {
          setTimeout(() => response.end('late but fine'), 500);
        });
        rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs: 5_000 } });
        expect(await rig.exchange(get('/a'))).to.include('late but fine');
      });

      it('closes a connection whose head does not arrive in time', async () => {
        const client = rig.connect();
        client.send('GET /a HTTP/1.1\r\nHost: h\r\nX-Slow');
        const answer = await client.untilClosed();
        if (answer !== '') expectOwn(answer, 408, 'request-timeout');
      });

      it('closes a request whose body stops', async () => {
        const endpoint = await rig.backend((request) => request.resume());
        rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs: 60_000 } });
        const client = rig.connect();
        client.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
        const answer = await client.untilClosed();
        if (answer !== '') expectOwn(answer, 408, 'request-timeout');
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
        ['an encoded slash', 'GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n'],
        ['a target without a slash', 'GET a HTTP/1.1\r\nHost: h\r\n\r\n'],
      ] as const;
      for (const [what, bytes] of refusals)
        it(`400 and an end for ${what}`, async () => {
          let asked = 0;
          const endpoint = await rig.backend((_request, response) => {
            asked += 1;
            response.end();
          });
          rig.route('a', { endpoints: [endpoint] });
          const client = rig.connect();
          client.send(bytes);
          // Sent after the refused one: it must never be read as a request.
          client.send(get('/a'));
          const answer = await client.untilClosed();
          expect(answer).to.match(/^HTTP\/1\.1 400 /);
          expect(answer).to.match(/X-Swarmgate-Reason: [a-z-]+/);
          expect(answer.match(/HTTP\/1\.1/g)).to.have.length(1);
          expect(asked).to.equal(0);
        });

      it('431 for a head that is too large', async () => {
        const answer = await rig.exchange(get('/a', `X-Big: ${'b'.repeat(100_000)}\r\n`));
        expectOwn(answer, 431, 'head-too-large');
      });

      it('takes the authority of an absolute-form target (RFC 9112, 3.2.2)', async () => {
        let host: string | undefined;
        const endpoint = await rig.backend((request, response) => {
          host = request.headers.host;
          response.end();
        });
        rig.route('a', { endpoints: [endpoint] });
        await rig.exchange('GET http://real.example/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n');
        expect(host).to.equal('real.example');
      });
    });

    describe('endpoints behind TLS', () => {
      beforeEach(() => start());

      it('get requests of any kind, and keep their connections', async () => {
        const connections = new Set<unknown>();
        const endpoint = await rig.secureBackend((request, response) => {
          connections.add(request.socket);
          request.pipe(response);
        });
        rig.route('a', { endpoints: [endpoint] });
        for (let turn = 0; turn < 3; turn += 1)
          expect(
            await rig.exchange('PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecret'),
          ).to.match(/^HTTP\/1\.1 200 [\s\S]*secret/);
        expect(connections.size).to.equal(1);
      });

      it('get WebSocket tunnels', async () => {
        const endpoint = await rig.secureBackend(() => undefined);
        const sockets = new WebSocketServer({ server: endpoint.server });
        sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
        rig.route('ws', { endpoints: [endpoint] });
        const client = new WebSocket(`ws://127.0.0.1:${rig.port}/ws`);
        const echoed = new Promise<string>((resolve) => client.once('message', (data) => resolve(data.toString())));
        await new Promise((resolve) => client.once('open', resolve));
        client.send('hello');
        expect(await echoed).to.equal('echo hello');
        client.terminate();
        sockets.close();
      });
    });

    describe('endpoints that fail', () => {
      beforeEach(() => start({ timeouts: { connectMs: 500, serverMs: 500 } }));

      it('tries another endpoint when one refuses, whatever the method', async () => {
        const good = await rig.backend((request, response) => {
          request.pipe(response);
        });
        rig.route('a', { endpoints: [await rig.refusing(), good] });
        const answer = await rig.exchange(
          'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
        );
        expect(answer).to.match(/^HTTP\/1\.1 200 [\s\S]*body/);
        expect((await rig.report()).retries).to.equal(1);
      });

      it('tries another endpoint when a GET got no byte of an answer', async () => {
        const bad = await rig.rawBackend((socket) => socket.once('data', () => socket.resetAndDestroy()));
        const good = await rig.backend((_request, response) => response.end('second'));
        rig.route('a', { endpoints: [bad, good] });
        expect(await rig.exchange(get('/a'))).to.include('second');
      });

      it('never sends a POST twice that may have been received', async () => {
        let posts = 0;
        const bad = await rig.rawBackend((socket) => socket.once('data', () => socket.resetAndDestroy()));
        const good = await rig.backend((_request, response) => {
          posts += 1;
          response.end();
        });
        rig.route('a', { endpoints: [bad, good] });
        const answer = await rig.exchange(
          'POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody',
        );
        expect(answer).to.match(/^HTTP\/1\.1 502 /);
        expect(posts).to.equal(0);
      });

      for (const [what, head] of [
        ['a length', 'Content-Length: 100\r\n\r\npart'],
        ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
      ] as const)
        it(`never makes an answer with ${what} look complete when it broke off`, async () => {
          const bad = await rig.rawBackend((socket) =>
            socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}`)),
          );
          rig.route('a', { endpoints: [bad] });
          const answer = await rig.exchange('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
          expect(answer).to.match(/^HTTP\/1\.1 200 /);
          expect(answer).not.to.match(/0\r\n\r\n$/);
          expect((await rig.report()).reason).to.equal('answer-truncated');
        });

      it('stops asking the endpoint when the client is gone', async () => {
        let closed = false;
        let asked = false;
        const endpoint = await rig.backend((_request, response) => {
          asked = true;
          response.once('close', () => {
            closed = true;
          });
        });
        rig.route('a', { endpoints: [endpoint], destination: { timeoutServerMs: 60_000 } });
        const client = rig.connect();
        client.send(get('/a'));
        await until(() => asked);
        client.socket.resetAndDestroy();
        await until(() => closed);
        const report = await rig.report();
        expect(report.status).to.equal(499);
        expect(report.reason).to.equal('client-gone');
        expect(rig.balancer.outstandingOf(endpoint.id)).to.equal(0);
      });

      it('reuses a connection for the next request', async () => {
        const ports = new Set<number | undefined>();
        const endpoint = await rig.backend((request, response) => {
          ports.add(request.socket.remotePort);
          response.end('ok');
        });
        rig.route('a', { endpoints: [endpoint] });
        for (let turn = 0; turn < 3; turn += 1) await rig.exchange(get('/a'));
        expect(ports.size).to.equal(1);
      });
    });

    describe('upgrades', () => {
      beforeEach(() => start({ timeouts: { connectMs: 500, serverMs: 500, tunnelMs: 400 } }));

      it('tunnels WebSocket messages both ways and closes with the closing code', async () => {
        const endpoint = await rig.backend(() => undefined);
        const sockets = new WebSocketServer({ server: endpoint.server });
        sockets.on('connection', (socket) => {
          socket.on('message', (data, binary) => socket.send(data, { binary }));
          socket.on('close', (code) => rig.reports.length >= 0 && expect(code).to.equal(4001));
        });
        rig.route('ws', { endpoints: [endpoint] });
        const client = new WebSocket(`ws://127.0.0.1:${rig.port}/ws/chat?x=1`);
        const echoed = new Promise<string>((resolve) => client.once('message', (data) => resolve(data.toString())));
        await new Promise((resolve) => client.once('open', resolve));
        client.send('hello');
        expect(await echoed).to.equal('hello');
        const closed = new Promise<number>((resolve) => client.once('close', resolve));
        client.close(4001);
        expect(await closed).to.equal(4001);
        expect((await rig.report()).status).to.equal(101);
        sockets.close();
      });

      it('carries bytes that came with the upgrade (head bytes)', async () => {
        const endpoint = await rig.backend(() => undefined);
        endpoint.server.on('upgrade', (_request, socket, head: Buffer) => {
          socket.on('error', () => undefined);
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
          const echo = (bytes: Buffer) => socket.write(`got ${bytes.toString()}`);
          if (head.length > 0) echo(head);
          socket.on('data', echo);
        });
        rig.route('ws', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send('GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
        expect(await client.until('got early')).to.match(/^HTTP\/1\.1 101 /);
        client.socket.destroy();
      });

      it('relays a refusal', async () => {
        const endpoint = await rig.backend((_request, response) => response.writeHead(403).end('go away'));
        endpoint.server.on('upgrade', (_request, socket) => {
          socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngo away');
        });
        rig.route('ws', { endpoints: [endpoint] });
        const answer = await rig.exchange(
          'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        );
        expect(answer).to.match(/^HTTP\/1\.1 403 [\s\S]*go away/);
      });

      it('tries another endpoint when one refuses the connection', async () => {
        const endpoint = await rig.backend(() => undefined);
        const sockets = new WebSocketServer({ server: endpoint.server });
        rig.route('ws', { endpoints: [await rig.refusing(), endpoint] });
        const client = new WebSocket(`ws://127.0.0.1:${rig.port}/ws`);
        await new Promise((resolve) => client.once('open', resolve));
        client.terminate();
        sockets.close();
      });

      it('answers 502 and 503 as for other requests', async () => {
        rig.route('down', { endpoints: [await rig.refusing()] });
        const upgrade = (path: string) =>
          `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
        expect(await rig.exchange(upgrade('/down'))).to.match(
          /^HTTP\/1\.1 502 [\s\S]*X-Swarmgate-Reason: endpoint-unreachable/,
        );
        expect(await rig.exchange(upgrade('/none'))).to.match(/^HTTP\/1\.1 503 [\s\S]*X-Swarmgate-Reason: no-route/);
      });

      it('ends a tunnel that has been silent for too long', async () => {
        const endpoint = await rig.backend(() => undefined);
        const sockets = new WebSocketServer({ server: endpoint.server });
        rig.route('ws', { endpoints: [endpoint] });
        const client = new WebSocket(`ws://127.0.0.1:${rig.port}/ws`);
        const closed = new Promise((resolve) => client.once('close', resolve));
        await new Promise((resolve) => client.once('open', resolve));
        await closed;
        sockets.close();
      });

      it('closes the client when the endpoint goes', async () => {
        const endpoint = await rig.backend(() => undefined);
        const sockets = new WebSocketServer({ server: endpoint.server });
        sockets.on('connection', (socket) => socket.terminate());
        rig.route('ws', { endpoints: [endpoint] });
        const client = new WebSocket(`ws://127.0.0.1:${rig.port}/ws`);
        client.on('error', () => undefined);
        await new Promise((resolve) => client.once('close', resolve));
        sockets.close();
      });

      it('ignores an offer of another protocol and serves the request (RFC 9110, 7.8)', async () => {
        let upgrade: string | undefined = 'unset';
        const endpoint = await rig.backend((request, response) => {
          upgrade = request.headers.upgrade;
          response.end('plain');
        });
        rig.route('a', { endpoints: [endpoint] });
        const client = rig.connect();
        client.send(
          'GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
        );
        await client.until('plain');
        expect(upgrade).to.equal(undefined);
        client.socket.destroy();
      });
    });

    describe('draining', () => {
      beforeEach(() => start());

      it('finishes what is in flight, says close, and drops connections that stay idle', async () => {
        let finish: (() => void) | undefined;
        const endpoint = await rig.backend((request, response) => {
          if (request.url === '/a/slow') finish = () => response.end('finished');
          else response.end('quick');
        });
        rig.route('a', { endpoints: [endpoint] });
        const idle = rig.connect();
        idle.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
        await idle.until('quick');
        const busy = rig.connect();
        busy.send('GET /a/slow HTTP/1.1\r\nHost: h\r\n\r\n');
        await until(() => finish !== undefined);
        const drained = rig.lane.drain(5_000);
        await idle.untilClosed();
        finish?.();
        const answer = await busy.untilClosed();
        expect(answer).to.match(/connection: close/i);
        expect(answer).to.include('finished');
        await drained;
      });

      it('gives up at the deadline', async () => {
        let asked = false;
        const endpoint = await rig.backend(() => {
          asked = true;
        });
        rig.route('a', { endpoints: [endpoint] });
        const busy = rig.connect();
        busy.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
        await until(() => asked);
        await rig.lane.drain(50);
        await busy.untilClosed();
      });
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
