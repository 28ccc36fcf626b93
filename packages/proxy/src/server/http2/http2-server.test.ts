import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { expect } from 'chai';
import { get } from '../../../test/conformance/suite.ts';
import { type Http2Stage, onHttp2Of, sendHttp2 as send } from '../../../test/http2-stage.ts';
import { header, responding } from '../../../test/scripted-backend.ts';
import { makeHttp2Server, makeReferenceServer, type RigOptions } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';

for (const [name, make] of [
  ['the HTTP/2 server', makeHttp2Server],
  ['the HTTP/2 server of node:http2', makeReferenceServer],
] as const)
  describe(name, () => {
    const onHttp2 = (run: (stage: Http2Stage) => Promise<void>, options: Partial<RigOptions> = {}) =>
      onHttp2Of(make, run, options);

    it('forwards a request as HTTP/1.1 with Host, forwarding headers and Via, and records it as HTTP/2', () =>
      onHttp2(async ({ rig, backend, session }) => {
        const response = await send(session, { ':path': '/path?q=1', te: 'trailers', 'x-own': 'kept' });
        expect(response.status).to.equal(200);
        expect(response.body.toString()).to.equal('GET /path?q=1');
        const request = backend.requests[0];
        if (request === undefined) throw new Error('no request');
        expect(request.version).to.equal('HTTP/1.1');
        expect(header(request, 'host')).to.equal('a.test');
        expect(header(request, 'x-own')).to.equal('kept');
        expect(header(request, 'te')).to.equal(undefined);
        expect(header(request, 'via')).to.equal('2.0 swarmgate-test');
        expect(rig.context.reports[0]).to.include({ protocol: 'HTTP/2', status: 200, method: 'GET', path: '/path' });
      }));

    it('serves HTTP/1.1 on the same port, also where its method begins like the preface', () =>
      onHttp2(async ({ rig }) => {
        const client = rig.client();
        client.send(get('/'));
        expect((await client.response()).status).to.equal(200);
        const slow = rig.client();
        slow.send('P');
        slow.send('UT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
        expect((await slow.response()).status).to.equal(200);
      }));

    it('carries bodies of both directions whole, with and without a length', () =>
      onHttp2(async ({ backend, session }) => {
        const body = Buffer.alloc(3_000_000, 'abcdefghijklmnopq');
        backend.onRequest = ({ body: got }, socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${got.length}\r\n\r\n`);
          socket.write(got, 'latin1');
        };
        const sized = { ':method': 'POST', ':path': '/', 'content-length': String(body.length) };
        for (const headers of [sized, { ':method': 'POST', ':path': '/' }]) {
          const response = await send(session, headers, body);
          expect(response.body.equals(body)).to.equal(true);
        }
        expect(header(backend.requests[0] as never, 'content-length')).to.equal(String(body.length));
        expect(header(backend.requests[1] as never, 'transfer-encoding')).to.equal('chunked');
      }));

    it('passes chunked responses, their trailers and interim responses on', () =>
      onHttp2(async ({ backend, session }) => {
        backend.onRequest = responding(
          'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: keep-alive\r\n' +
            'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n',
        );
        const response = await send(session, { ':path': '/' });
        expect(response.interims).to.deep.equal([103]);
        expect(response.body.toString()).to.equal('abcde');
        expect(response.trailers['x-sum']).to.equal('5');
        expect(response.headers).not.to.have.any.keys('connection', 'transfer-encoding');
      }));

    for (const [status, more, kept] of [
      [426, 'Connection: Upgrade\r\nUpgrade: websocket\r\n', undefined],
      [407, 'Proxy-Authenticate: Basic realm="inner"\r\n', 'Basic realm="inner"'],
    ] as const)
      it(`passes a ${status} on without fields of a connection, which HTTP/2 has none of`, () =>
        onHttp2(async ({ backend, session }) => {
          backend.onRequest = responding(`HTTP/1.1 ${status} X\r\n${more}X-Kept: k\r\nContent-Length: 0\r\n\r\n`);
          const response = await send(session, { ':path': '/' });
          expect(response.status).to.equal(status);
          expect(response.headers['x-kept']).to.equal('k');
          expect(response.headers['proxy-authenticate']).to.equal(kept);
          expect(response.headers).not.to.have.any.keys('upgrade', 'connection');
        }));

    for (const [status, method] of [
      [200, 'HEAD'],
      [204, 'GET'],
      [304, 'GET'],
    ] as const)
      it(`ends a ${status} to ${method} with its head`, () =>
        onHttp2(async ({ backend, session }) => {
          const length = status === 204 ? '' : 'Content-Length: 5\r\n';
          backend.onRequest = responding(`HTTP/1.1 ${status} X\r\n${length}\r\n`);
          const response = await send(session, { ':method': method, ':path': '/' });
          expect(response.status).to.equal(status);
          expect(response.body.length).to.equal(0);
        }));

    it('serves 100 streams of one connection at once', () =>
      onHttp2(async ({ session }) => {
        const all = await Promise.all(Array.from({ length: 100 }, (_, at) => send(session, { ':path': `/${at}` })));
        expect(all.map(({ body }) => body.toString())).to.deep.equal(all.map((_, at) => `GET /${at}`));
      }));

    it('forwards a reset by the client to the endpoint, and one by the endpoint to the client', () =>
      onHttp2(async ({ rig, backend, session }) => {
        backend.onRequest = () => undefined;
        const stream = session.request({ ':path': '/' });
        stream.on('error', () => undefined);
        await until(() => backend.requests.length === 1, 'the request');
        stream.close(constants.NGHTTP2_CANCEL);
        await until(() => backend.sockets.size === 0, 'the endpoint connection to close');
        await until(() => rig.context.reports.length === 1, 'the record');
        expect(rig.context.reports[0]).to.include({ status: 499, reason: 'client-gone' });
        backend.onRequest = responding('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'reset');
        const cut = await send(session, { ':path': '/' }).catch((error: NodeJS.ErrnoException) => error.code);
        expect(cut).to.equal('ERR_HTTP2_STREAM_ERROR');
      }));

    it('ends in order while it drains: an open stream finishes', () =>
      onHttp2(async ({ rig, backend, session }) => {
        let respond: (() => void) | undefined;
        backend.onRequest = (_request, socket) => {
          respond = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
        };
        let goaways = 0;
        session.on('goaway', () => goaways++);
        const response = send(session, { ':path': '/' });
        await until(() => respond !== undefined, 'the request');
        const drained = rig.server.drain(5_000);
        await until(() => goaways > 0, 'GOAWAY');
        respond?.();
        expect((await response).body.toString()).to.equal('done');
        await drained;
        await until(() => session.destroyed, 'the session to end');
      }));

    it('opens a WebSocket by extended CONNECT, and carries bytes and ends both ways', () =>
      onHttp2(async ({ rig, backend, session }) => {
        backend.onRequest = ({ method, headers }, socket) => {
          expect(method).to.equal('GET');
          expect(header({ headers }, 'upgrade')).to.equal('websocket');
          expect(header({ headers }, 'sec-websocket-key')).to.match(/^.{22}==$/);
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst',
          );
          socket.on('data', (bytes: Buffer) => socket.write(bytes));
          socket.on('end', () => socket.end());
        };
        await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
        const stream = session.request(
          {
            ':method': 'CONNECT',
            ':protocol': 'websocket',
            ':scheme': 'http',
            ':path': '/ws',
            ':authority': 'a.test',
            'sec-websocket-version': '13',
          },
          { endStream: false },
        );
        let got = '';
        let head: IncomingHttpHeaders = {};
        stream.on('response', (each) => {
          head = each;
        });
        stream.on('data', (chunk: Buffer) => {
          got += chunk.toString();
        });
        await until(() => got === 'first', 'the first bytes');
        expect(head[':status']).to.equal(200);
        expect(head).not.to.have.property('sec-websocket-accept');
        stream.write('ping');
        await until(() => got === 'firstping', 'the echo');
        stream.end();
        await until(() => stream.closed, 'the stream to end');
        await until(() => rig.context.reports.length === 1, 'the record');
      }));

    it('responds with 502 where an endpoint does not open the tunnel but responds with a success', () =>
      onHttp2(async ({ session }) => {
        await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
        const headers = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/ws' };
        const status = await new Promise((resolve) => {
          const stream = session.request({ ...headers, ':authority': 'a.test' }, { endStream: false });
          stream.on('error', () => undefined);
          stream.on('response', (head) => resolve(head[':status']));
        });
        expect(status).to.equal(502);
      }));

    it('responds 501 to CONNECT without WebSocket and 400 to a host that could be none', () =>
      onHttp2(async ({ session, backend }) => {
        const refused = await send(session, { ':path': '/', ':authority': 'a b' }).catch(() => undefined);
        expect(refused?.status ?? 400).to.equal(400);
        const connected = await new Promise((resolve) => {
          const stream = session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' }, { endStream: false });
          stream.on('error', () => undefined);
          stream.on('response', (head) => resolve(head[':status']));
        });
        expect(connected).to.equal(501);
        expect(backend.requests.length).to.equal(0);
      }));

    it('responds 408 where a body stops arriving, and keeps the connection', () =>
      onHttp2(
        async ({ session }) => {
          const status = await new Promise((resolve) => {
            const stream = session.request(
              { ':method': 'POST', ':path': '/', ':authority': 'a.test' },
              { endStream: false },
            );
            stream.on('error', () => undefined);
            stream.on('response', (head) => resolve(head[':status']));
            stream.write('half');
          });
          expect(status).to.equal(408);
          expect((await send(session, { ':path': '/' })).status).to.equal(200);
        },
        { timeouts: { clientMs: 100 } },
      ));

    it('closes an idle connection in order', () =>
      onHttp2(
        async ({ session }) => {
          await send(session, { ':path': '/' });
          let code = -1;
          session.on('goaway', (each) => {
            code = each;
          });
          await until(() => session.destroyed, 'the session to end');
          expect(code).to.equal(0);
        },
        { timeouts: { keepAliveMs: 100 } },
      ));

    // Node has limits of its own.
    if (make === makeHttp2Server)
      it('ends a connection that resets streams in a flood, and serves the others', () =>
        onHttp2(async ({ rig, backend, session }) => {
          backend.onRequest = (request, socket) => {
            if (request.target !== '/flood') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          };
          const flood = connect(`http://127.0.0.1:${rig.port}`);
          flood.on('error', () => undefined);
          let code = -1;
          flood.on('goaway', (each) => {
            code = each;
          });
          const one = () => {
            if (flood.destroyed || flood.closed) return;
            for (let count = 0; count < 50; count++) {
              const stream = flood.request({ ':path': '/flood', ':authority': 'a.test' });
              stream.on('error', () => undefined);
              stream.close(constants.NGHTTP2_CANCEL);
            }
            setImmediate(one);
          };
          one();
          for (let count = 0; count < 20; count++) expect((await send(session, { ':path': '/' })).status).to.equal(200);
          await until(() => flood.destroyed, 'the flood to end');
          expect(code).to.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM);
        }));

    it('passes trailers of a request on, but none that would change what the request is', () =>
      onHttp2(async ({ backend, session }) => {
        const stream = session.request(
          { ':method': 'POST', ':path': '/', ':authority': 'a.test' },
          { endStream: false, waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '3', 'x-forwarded-for': '1.2.3.4', host: 'b' }));
        stream.on('error', () => undefined);
        stream.end('abc');
        stream.resume();
        await until(() => backend.requests.length === 1, 'the request');
        expect(backend.requests[0]?.body).to.equal('abc');
        expect(backend.requests[0]?.trailers).to.include('x-sum: 3');
        expect(backend.requests[0]?.trailers).not.to.match(/host|forwarded/);
      }));
  });
