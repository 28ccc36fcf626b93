import { PassThrough, Transform } from 'node:stream';
import { expect } from 'chai';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { header, requestsArrived, responding } from '../scripted-backend.ts';
import type { MakeServer } from '../server-rig.ts';
import { until } from '../until.ts';
import { get, onStage } from './suite.ts';

/** A route's steps as the server runs them. */
export function steps(makeServer: MakeServer): void {
  const step = (of: Partial<Middleware>): Middleware => ({ name: 'test', ...of });
  const proceed = { kind: 'continue' } as const;

  describe('steps of a route', () => {
    it('read and change the request and the response', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(get('/old?q'));
          const response = await client.response();
          expect(response.body).to.equal('GET /new?q');
          expect(response.header('x-back')).to.equal('b');
          expect(header(backend.requests[0] ?? { headers: [] }, 'x-there')).to.equal('t');
        },
        {
          steps: [
            step({
              onRequest: (exchange) => {
                exchange.path = '/new';
                exchange.request.set('X-There', 't');
                return proceed;
              },
              onResponse: (_exchange, response) => response.headers.set('X-Back', 'b'),
            }),
          ],
        },
      ));

    it('may respond by themselves, and the connection lives on', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          for (let at = 0; at < 2; at++) {
            client.send(get('/'));
            const response = await client.response();
            expect(response.status).to.equal(403);
            expect(response.header('x-swarmgate-reason')).to.equal('no');
          }
          expect(backend.requests).to.have.length(0);
        },
        { steps: [step({ onRequest: () => ({ kind: 'respond', response: { status: 403, reason: 'no' } }) })] },
      ));

    it('may take their time, also over a body and a request behind it', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${get('/behind')}`);
          expect((await client.response('POST')).body).to.equal('POST /slow');
          expect((await client.response()).body).to.equal('GET /behind');
          expect(backend.requests[0]?.body).to.equal('hello');
          expect(backend.requests[1]?.body).to.equal('');
        },
        {
          steps: [step({ onRequest: () => new Promise((resolve) => setImmediate(() => resolve(proceed))) })],
        },
      ));

    const fail = ({ path }: { readonly path: string }) => {
      if (path === '/bad') throw new Error('a step failed');
    };
    const failing: readonly (readonly [how: string, step: Partial<Middleware>])[] = [
      [
        'that fail later',
        {
          onRequest: async (exchange) => {
            fail(exchange);
            return proceed;
          },
        },
      ],
      [
        'that throw at once',
        {
          onRequest: (exchange) => {
            fail(exchange);
            return proceed;
          },
        },
      ],
      ['that throw on a response', { onResponse: fail }],
    ];
    for (const [how, of] of failing)
      it(`${how} cost their request only`, () =>
        onStage(
          makeServer,
          async ({ rig }) => {
            const client = rig.client();
            client.send(get('/bad'));
            expect((await client.response()).status).to.equal(500);
            const other = rig.client();
            other.send(get('/good'));
            expect((await other.response()).body).to.equal('GET /good');
            await until(() => rig.context.outstanding === 0, 'the picks to be finished');
          },
          { steps: [step(of)] },
        ));

    it('cannot put a line break into a head (RFC 9110, 5.5)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(get('/'));
          expect((await client.response()).status).to.equal(500);
          expect(backend.requests).to.have.length(0);
        },
        {
          steps: [
            step({
              onRequest: (exchange) => {
                exchange.request.set('X', 'a\r\nContent-Length: 5');
                return proceed;
              },
            }),
          ],
        },
      ));

    it('cannot change how a request is framed (RFC 9112, 6.3)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
          expect((await client.response('POST')).status).to.equal(200);
          await requestsArrived(backend, 1);
          expect(backend.requests[0]?.body).to.equal('hello');
          expect(header(backend.requests[0] ?? { headers: [] }, 'transfer-encoding')).to.equal(undefined);
          expect(backend.strayBytes).to.equal(0);
        },
        {
          steps: [
            step({
              onRequest: (exchange) => {
                exchange.request.set('Content-Length', '1');
                exchange.request.add('Transfer-Encoding', 'chunked');
                return proceed;
              },
            }),
          ],
        },
      ));

    it('are ended by a client that disconnects while they run', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(get('/'));
          await until(() => pending.length === 1, 'the step');
          client.destroy();
          // Both ends are in this process: the server's end of the connection is closed a few turns later.
          let turns = 0;
          await until(() => ++turns > 10, 'some turns of the event loop');
          for (const resolve of pending.splice(0)) resolve(proceed);
          await until(() => rig.context.reports.length === 1, 'the report');
          expect(rig.context.reports[0]?.status).to.equal(499);
          expect(backend.requests).to.have.length(0);
          expect(rig.context.outstanding).to.equal(0);
        },
        {
          steps: [
            step({
              onRequest: () =>
                new Promise((resolve) => {
                  pending.push(resolve);
                }),
            }),
          ],
        },
      ));

    it('have their streams destroyed when a client leaves in the middle of a response', async () => {
      const streams: PassThrough[] = [];
      const passing = step({
        transform: (_exchange, { headers }) => {
          headers.delete('content-length');
          const stream = new PassThrough();
          streams.push(stream);
          return stream;
        },
      });
      await onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onRequest = responding('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome');
          const client = rig.client();
          client.send(get('/'));
          await until(() => client.received.includes('some'), 'the first bytes');
          client.destroy();
          await until(() => rig.context.reports.length === 1, 'the record');
          expect(rig.context.reports[0]).to.include({ status: 499, reason: 'client-gone' });
          expect(rig.context.outcomes).to.deep.equal(['abandoned']);
          expect(streams.map(({ destroyed }) => destroyed)).to.deep.equal([true]);
          await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
        },
        { steps: [passing] },
      );
    });

    it('that fail in the middle of a response cut it: it must not look complete', async () => {
      const broken = step({
        transform: () =>
          new Transform({
            transform(bytes, _encoding, done) {
              if (String(bytes).includes('bad')) done(new Error('cannot be transformed'));
              else done(null, bytes);
            },
          }),
      });
      await onStage(
        makeServer,
        async ({ rig, backend }) => {
          let goOn: (() => void) | undefined;
          backend.onRequest = (_request, socket) => {
            socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n');
            goOn = () => socket.write('3\r\nbad\r\n0\r\n\r\n');
          };
          const client = rig.client();
          client.send(get('/'));
          await until(() => client.received.includes('good'), 'the beginning of the response');
          goOn?.();
          await until(() => client.closed, 'the end');
          expect(client.error).to.equal('ECONNRESET');
          expect(client.received).to.match(/good\r\n$/);
          await until(() => rig.context.reports.length === 1, 'the record');
          expect(rig.context.reports[0]).to.include({ status: 500, reason: 'internal-error' });
          await until(() => rig.context.outstanding === 0, 'the pick to be finished');
        },
        { steps: [broken] },
      );
    });

    it('cannot change how a response is framed (RFC 9112, 6.3)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onRequest = responding('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
          const client = rig.client();
          for (let at = 0; at < 2; at++) {
            client.send(get('/'));
            expect((await client.response()).body).to.equal('hello');
          }
        },
        { steps: [step({ onResponse: (_exchange, { headers }) => headers.delete('Content-Length') })] },
      ));
  });
}

const pending: ((decision: { readonly kind: 'continue' }) => void)[] = [];
