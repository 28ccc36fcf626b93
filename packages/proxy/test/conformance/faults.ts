import { expect } from 'chai';
import { freePort } from '../free-ports.ts';
import type { RawClient } from '../raw-client.ts';
import { responding, type Script, type ScriptedBackend, startBackend } from '../scripted-backend.ts';
import type { MakeServer } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';
import { get, onStage } from './suite.ts';

interface BetweenTwo {
  readonly client: RawClient;
  readonly bad: ScriptedBackend;
  readonly good: ScriptedBackend;
}

/** Services that refuse, reset, stall, truncate and lie. */
export function faults(makeServer: MakeServer): void {
  /** A client before a service that does as the script says and one that is well, which is queried second. */
  async function betweenTwo(script: Script, play: (between: BetweenTwo) => Promise<void>): Promise<void> {
    const [bad, good] = await Promise.all([startBackend(), startBackend()]);
    bad.onRequest = script;
    const endpoints = [endpointAt(bad.port), endpointAt(good.port)];
    try {
      await onStage(makeServer, ({ rig }) => play({ client: rig.client(), bad, good }), { endpoints });
    } finally {
      await Promise.all([bad.stop(), good.stop()]);
    }
  }

  describe('with a faulty service', () => {
    it('502 where it refuses (RFC 9110, 15.6.3)', async () => {
      const port = await freePort();
      await onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send(get('/'));
          const response = await client.response();
          expect(response.status).to.equal(502);
          expect(response.header('x-swarmgate-reason')).to.equal('endpoint-unreachable');
          await until(() => rig.context.outcomes.length === 1, 'the outcome');
          expect(rig.context.outcomes).to.deep.equal(['refused']);
        },
        { endpoints: [endpointAt(port)] },
      );
    });

    it('another endpoint where one refuses, for a POST too: nothing was sent (RFC 9110, 9.2.2)', async () => {
      const port = await freePort();
      const good = await startBackend();
      await onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
          expect((await client.response('POST')).status).to.equal(200);
          expect(good.requests[0]?.body).to.equal('hello');
          await until(() => rig.context.reports.length === 1, 'the report');
          expect(rig.context.reports[0]?.retries).to.equal(1);
        },
        { endpoints: [endpointAt(port), endpointAt(good.port)] },
      );
      await good.stop();
    });

    const resetting: Script = (_request, socket) => socket.resetAndDestroy();

    it('another endpoint where one resets a GET (RFC 9110, 9.2.2)', () =>
      betweenTwo(resetting, async ({ client, good }) => {
        client.send(get('/g'));
        expect((await client.response()).body).to.equal('GET /g');
        expect(good.requests).to.have.length(1);
      }));

    it('no second POST where one is reset after it was sent (RFC 9110, 9.2.2)', () =>
      betweenTwo(resetting, async ({ client, bad, good }) => {
        client.send('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
        expect((await client.response('POST')).status).to.equal(502);
        expect(bad.requests).to.have.length(1);
        expect(good.requests).to.have.length(0);
      }));

    it('no second try once a byte of the response has come (RFC 9110, 9.2.2)', () =>
      betweenTwo(responding('HTTP/1.1 2', 'reset'), async ({ client, bad, good }) => {
        client.send('DELETE /d HTTP/1.1\r\nHost: a\r\n\r\n');
        await client.response('DELETE').catch(() => undefined);
        // Whatever the response is, what was deleted once must not be deleted twice unseen.
        expect(bad.requests.length + good.requests.length).to.be.lessThan(3);
      }));

    it('no second try once an interim response has come (RFC 9110, 9.2.2)', () =>
      betweenTwo(responding('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'reset'), async ({ client, good }) => {
        client.send(get('/'));
        expect((await client.response()).status).to.equal(103);
        expect((await client.response()).status).to.equal(502);
        expect(good.requests).to.have.length(0);
      }));

    it('504 where it does not respond in time (RFC 9110, 15.6.5)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onRequest = () => undefined;
          const client = rig.client();
          client.send(get('/'));
          const response = await client.response();
          expect(response.status).to.equal(504);
          expect(response.header('x-swarmgate-reason')).to.equal('head-timeout');
          await until(() => backend.sockets.size === 0, 'the end of that connection');
          expect(rig.context.outcomes).to.deep.equal(['timed-out']);
          expect(backend.requests).to.have.length(1);
        },
        { timeouts: { serverMs: 100 } },
      ));

    it('a broken connection where it stalls in the middle (RFC 9112, 8)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          backend.onRequest = responding('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome');
          const client = rig.client();
          client.send(get('/'));
          await client.end();
          expect(client.received).to.match(/some$/);
          await until(() => rig.context.reports.length === 1, 'the report');
          expect(rig.context.reports[0]?.reason).to.equal('answer-truncated');
          expect(rig.context.outcomes).to.deep.equal(['broken']);
        },
        { timeouts: { serverMs: 100 } },
      ));

    for (const [name, reply, after] of [
      ['a body shorter than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'end'],
      ['a reset in the middle of a body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'reset'],
      ['a chunked body without its end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n', 'end'],
      ['a chunk shorter than its size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nsome', 'end'],
      ['a reset of a body until close', 'HTTP/1.1 200 OK\r\n\r\nsome', 'reset'],
      [
        'chunks that cannot be read',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\nzz\r\n',
        'keep',
      ],
    ] as const)
      it(`never makes ${name} look complete (RFC 9112, 8)`, () =>
        onStage(makeServer, async ({ rig, backend }) => {
          backend.onRequest = responding(reply, after);
          const client = rig.client();
          client.send(get('/'));
          // A fault that comes with the head gets 502; one that comes later ends the connection.
          await until(() => client.over || client.received.startsWith('HTTP/1.1 502'), 'the end or a 502');
          const text = client.received;
          const complete =
            /^content-length: 4\r$/im.test(text) ||
            text.endsWith('0\r\n\r\n') ||
            (text.endsWith('some') && !framed(text));
          expect(complete, JSON.stringify(text)).to.equal(false);
          await until(() => rig.context.outstanding === 0, 'the pick to be finished');
        }));

    it('HTTP/1.0 clients see a reset where a response broke off (RFC 9112, 8)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        let breakOff: (() => void) | undefined;
        backend.onRequest = (_request, socket) => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n');
          breakOff = () => socket.destroy();
        };
        const client = rig.client();
        client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
        await until(() => client.received.endsWith('some'), 'the beginning of the response');
        breakOff?.();
        await until(() => client.closed, 'the end');
        expect(client.error).to.equal('ECONNRESET');
      }));

    it('503 and Retry-After where there is no endpoint (RFC 9110, 15.6.4)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send(get('/'));
          const response = await client.response();
          expect(response.status).to.equal(503);
          expect(response.header('x-swarmgate-reason')).to.equal('no-endpoint');
          expect(response.header('retry-after')).to.match(/^\d+$/);
          client.send(get('/'));
          expect((await client.response()).status).to.equal(503);
        },
        { endpoints: [] },
      ));

    it('503 where no route matches (RFC 9110, 15.6.4)', () =>
      onStage(
        makeServer,
        async ({ rig }) => {
          const client = rig.client();
          client.send(get('/'));
          const response = await client.response();
          expect(response.status).to.equal(503);
          expect(response.header('x-swarmgate-reason')).to.equal('no-route');
        },
        { routeOf: () => undefined },
      ));

    it('exactly as many requests as were sent, whatever the service does (desync)', () =>
      onStage(makeServer, async ({ rig, backend }) => {
        // Responses of every framing in turn, on shared connections, from several clients at once.
        const forms = [
          (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          (body: string) =>
            `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
          (body: string) =>
            `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          (body: string) => `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ];
        let turn = 0;
        backend.onRequest = (request, socket) => {
          const form = forms[turn++ % forms.length] as (body: string) => string;
          socket.write(form(`${request.target}:${request.body}`));
        };
        const clients = [rig.client(), rig.client(), rig.client(), rig.client()];
        const each = 25;
        await Promise.all(
          clients.map(async (client, who) => {
            for (let at = 0; at < each; at++) {
              const path = `/${who}/${at}`;
              if (at % 3 === 0) client.send(get(path));
              else if (at % 3 === 1) client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`);
              else
                client.send(
                  `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
                );
              let response = await client.response();
              while (response.status < 200) response = await client.response();
              expect(response.body).to.equal(`${path}:${at % 3 === 0 ? '' : 'body'}`);
            }
          }),
        );
        expect(backend.requests).to.have.length(clients.length * each);
        expect(backend.strayBytes).to.equal(0);
      }));
  });
}

function framed(text: string): boolean {
  return /^(content-length: 100|transfer-encoding: chunked)\r$/im.test(text);
}
