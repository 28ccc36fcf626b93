import { expect } from 'chai';
import { echo, responding } from '../scripted-backend.ts';
import type { MakeServer } from '../server-rig.ts';
import { until, untilStill } from '../until.ts';
import { get, onStage } from './suite.ts';

/** What happens to connections on both sides. */
export function connections(makeServer: MakeServer): void {
  describe('connections', () => {
    it('stay open between requests, on both sides (RFC 9112, 9.3)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        for (const path of ['/1', '/2', '/3']) {
          client.send(get(path));
          expect((await client.response()).body).to.equal(`GET ${path}`);
        }
        expect(backend.connections).to.equal(1);
        expect(client.over).to.equal(false);
      }));

    it('end when the client says so (RFC 9112, 9.6)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send(get('/', 'Connection: close\r\n'));
        expect((await client.response()).header('connection')).to.equal('close');
        await client.end();
      }));

    it('end after HTTP/1.0 (RFC 9112, 9.3)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
        await client.response();
        await client.end();
      }));

    it('stay open for HTTP/1.0 with keep-alive (RFC 9112, C.2.2)', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        client.send('GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
        expect((await client.response()).header('connection')).to.equal('keep-alive');
        client.send('GET /2 HTTP/1.0\r\nHost: a\r\n\r\n');
        expect((await client.response()).body).to.equal('GET /2');
      }));

    it('responds to pipelined requests in order (RFC 9112, 9.3.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = (request, socket) => {
          // The first takes longest, so that the order does not come from speed. It cannot wait for the others to arrive:
          // the proxy may send them one after the other.
          if (request.target === '/1') setTimeout(() => echo(request, socket), 20);
          else echo(request, socket);
        };
        const client = rig.client();
        const count = 40;
        let all = '';
        for (let at = 1; at <= count; at++) all += get(`/${at}`);
        client.send(all);
        for (let at = 1; at <= count; at++) expect((await client.response()).body).to.equal(`GET /${at}`);
        expect(backend.requests).to.have.length(count);
      }));

    it('responds to pipelined requests with bodies in order (RFC 9112, 9.3.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(
          `POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${get('/2')}POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${get('/4')}`,
        );
        for (const path of ['POST /1', 'GET /2', 'POST /3', 'GET /4'])
          expect((await client.response('POST')).body).to.equal(path);
        expect(backend.requests.map((request) => request.body)).to.deep.equal(['abc', '', 'hi', '']);
      }));

    it('to endpoints that close are not used again (RFC 9112, 9.6)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = responding('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
        const client = rig.client();
        client.send(get('/1'));
        await client.response();
        client.send(get('/2'));
        await client.response();
        expect(backend.connections).to.equal(2);
      }));

    it('to endpoints that closed while idle cost no request (RFC 9112, 9.3.1)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/1'));
        await client.response();
        for (const socket of backend.sockets) socket.destroy();
        client.send(get('/2'));
        expect((await client.response()).body).to.equal('GET /2');
      }));

    it('that an endpoint resets on the next request cost no GET (RFC 9110, 9.2.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send(get('/1'));
        await client.response();
        let resets = 0;
        backend.onRequest = (request, socket) => {
          if (request.connection === 1) {
            resets += 1;
            socket.resetAndDestroy();
          } else echo(request, socket);
        };
        client.send(get('/2'));
        expect((await client.response()).body).to.equal('GET /2');
        expect(resets).to.be.lessThan(2);
      }));

    it('with a response too many are not used again (RFC 9112, 9.3)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = responding(
          'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
        );
        const client = rig.client();
        client.send(get('/1'));
        expect((await client.response()).body).to.equal('a');
        backend.onRequest = echo;
        client.send(get('/2'));
        expect((await client.response()).body).to.equal('GET /2');
        expect(backend.connections).to.equal(2);
      }));

    it('responded before the body was sent are not used again (RFC 9112, 9.3)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onHead = (request, socket) => {
          if (request.method === 'POST') socket.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno');
        };
        backend.onRequest = (request, socket) => {
          if (request.method !== 'POST') echo(request, socket);
        };
        const client = rig.client();
        client.send('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nfirst half');
        const early = await client.response('POST');
        expect(early.status).to.equal(401);
        expect(early.header('connection')).to.equal('close');
        const other = rig.client();
        other.send(get('/next'));
        expect((await other.response()).body).to.equal('GET /next');
        expect(backend.requests.map((request) => request.connection)).to.deep.equal([1, 2]);
        expect(backend.strayBytes).to.equal(0);
      }));

    it('of a client that leaves take their request to the endpoint with them (RFC 9110, 7.7)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onRequest = () => undefined;
        const client = rig.client();
        client.send(get('/hang'));
        await until(() => backend.requests.length === 1, 'the request');
        client.destroy();
        await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
        await until(() => rig.context.reports.length === 1, 'the report');
        expect(rig.context.reports[0]?.status).to.equal(499);
        expect(rig.context.outcomes).to.deep.equal(['abandoned']);
      }));

    it('of a client that leaves in the middle of its body break the request off (RFC 9112, 8)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const client = rig.client();
        client.send('POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
        await until(() => backend.requests.length === 1, 'the head');
        client.destroy();
        await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
        expect(backend.requests[0]?.whole).to.equal(false);
      }));

    it('that send nothing are closed (RFC 9112, 9.5)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          await client.end();
        },
        { timeouts: { headMs: 100, keepAliveMs: 100 } },
      ));

    it('that send half a head get 408 (RFC 9110, 15.5.9)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send('GET / HTTP/1.1\r\nHos');
          expect((await client.response()).status).to.equal(408);
          await client.end();
        },
        { timeouts: { headMs: 100 } },
      ));

    it('that stop in the middle of a body are closed (RFC 9110, 15.5.9)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
          await client.end();
          await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
          expect(rig.context.outstanding).to.equal(0);
        },
        { timeouts: { clientMs: 100, serverMs: 3_000 } },
      ));

    it('that trickle a body get 408 and closed (RFC 9110, 15.5.9)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
          // Never silent for long, and far too slow.
          const trickling = setInterval(() => client.socket.writable && client.send('x'), 20);
          try {
            const response = await client.response('POST');
            expect(response.status).to.equal(408);
            expect(response.header('x-swarmgate-reason')).to.equal('request-timeout');
            expect(response.header('connection')).to.equal('close');
            await client.end();
          } finally {
            clearInterval(trickling);
          }
          await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
        },
        { timeouts: { clientMs: 200, serverMs: 60_000, bodyBytesPerSecond: 5_000 } },
      ));

    it('that trickle what is left of a body behind its response are closed (RFC 9112, 9.3)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onHead = (_request, socket) => socket.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno');
          const client = rig.client();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
          expect((await client.response('POST')).status).to.equal(401);
          const trickling = setInterval(() => client.socket.writable && client.send('x'), 20);
          try {
            await client.end();
          } finally {
            clearInterval(trickling);
          }
        },
        { timeouts: { clientMs: 200, keepAliveMs: 200, serverMs: 60_000 } },
      ));

    it('that stay idle after a response are closed (RFC 9112, 9.5)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send(get('/'));
          await client.response();
          await client.end();
        },
        { timeouts: { keepAliveMs: 100 } },
      ));

    it('get Connection: close while draining, and no request is lost (RFC 9112, 9.6)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        let release: (() => void) | undefined;
        backend.onRequest = (request, socket) => {
          release = () => echo(request, socket);
        };
        const client = rig.client();
        client.send(get('/slow'));
        await until(() => release !== undefined, 'the request');
        const drained = rig.server.drain(5_000);
        release?.();
        const response = await client.response();
        expect(response.body).to.equal('GET /slow');
        expect(response.header('connection')).to.equal('close');
        await drained;
        expect(client.over || (await client.end()) === undefined).to.equal(true);
      }));

    it('with an unread body are closed after the response (RFC 9112, 9.6)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nfirst');
          const response = await client.response();
          expect(response.status).to.equal(503);
          expect(response.header('connection')).to.equal('close');
          await client.end();
        },
        { routeOf: () => undefined },
      ));

    it('keep memory bounded while a client does not read (RFC 9110, 2.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        const piece = Buffer.alloc(65_536, 'x');
        let written = 0;
        backend.onRequest = (_request, socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
          const more = () => {
            while (!socket.destroyed && socket.write(piece)) written += piece.length;
          };
          socket.on('drain', more);
          more();
        };
        const client = rig.client();
        client.socket.pause();
        client.send(get('/huge'));
        await untilStill(() => written, 'backpressure');
        // What the kernel buffers on four sockets is all that may flow.
        expect(written).to.be.lessThan(64 * 1024 * 1024);
      }));

    it('keep memory bounded while an endpoint does not read (RFC 9110, 2.2)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        backend.onHead = (_request, socket) => socket.pause();
        const client = rig.client();
        const piece = Buffer.alloc(65_536, 'x');
        let written = 0;
        client.send('POST /huge HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n');
        const more = () => {
          while (!client.closed && client.socket.write(piece)) written += piece.length;
        };
        client.socket.on('drain', more);
        more();
        await untilStill(() => written, 'backpressure');
        expect(written).to.be.lessThan(64 * 1024 * 1024);
      }));

    it('that do not read their response are closed (RFC 9110, 15.5.9)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onRequest = (_request, socket) => {
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
            const piece = Buffer.alloc(65_536, 'x');
            const more = () => {
              while (!socket.destroyed && socket.write(piece));
            };
            socket.on('drain', more);
            more();
          };
          const client = rig.client();
          client.socket.pause();
          client.send(get('/huge'));
          await until(() => rig.context.reports.length === 1, 'the report');
          expect(rig.context.reports[0]?.reason).to.equal('request-timeout');
          await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
        },
        { timeouts: { clientMs: 150 } },
      ));

    it('to endpoints are counted down exactly once for each pick', () =>
      onStage(makeServer, async ({ rig }) => {
        const client = rig.client();
        for (let at = 0; at < 5; at++) {
          client.send(get(`/${at}`));
          await client.response();
        }
        await until(() => rig.context.outstanding === 0, 'all picks to be finished');
        expect(rig.context.picks).to.have.length(5);
        expect(rig.context.reports.map((report) => report.protocol)).to.include('HTTP/1.1');
      }));
  });
}
