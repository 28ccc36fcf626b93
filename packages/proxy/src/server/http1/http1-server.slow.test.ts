import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { get, onStage } from '../../../test/conformance/suite.ts';
import { echo, responding, startBackend } from '../../../test/scripted-backend.ts';
import { makeCoreServer, startRig } from '../../../test/server-rig.ts';
import { endpointAt, tinyRoute } from '../../../test/test-context.ts';
import { until, untilStill } from '../../../test/until.ts';

describe('the HTTP/1.1 server', () => {
  it('responds 503 where the queue is full, and where its time is up', () =>
    onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        backend.onRequest = () => undefined;
        const clients = [rig.client(), rig.client(), rig.client()];
        clients[0]?.send(get('/first'));
        await until(() => backend.requests.length === 1, 'the first request');
        clients[1]?.send(get('/waits'));
        await until(() => rig.pool.sizes().queued === 1, 'the second to wait');
        clients[2]?.send(get('/one-too-many'));
        const refused = await clients[2]?.response();
        expect(refused?.status).to.equal(503);
        expect(refused?.header('x-swarmgate-reason')).to.equal('queue-full');
        expect(refused?.header('retry-after')).to.match(/^\d+$/);
        const timedOut = await clients[1]?.response();
        expect(timedOut?.header('x-swarmgate-reason')).to.equal('queue-timeout');
      },
      { limits: { perEndpoint: 1, queued: 1, queueMs: 150 } },
    ));

  it('keeps to the client timeout of the route', () =>
    onStage(
      makeCoreServer,
      async ({ rig }) => {
        const client = rig.client();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
        expect((await client.response()).status).to.equal(408);
      },
      { routeOf: () => tinyRoute('web', { timeoutClientMs: 100 }) },
    ));

  it('keeps to the server timeout of the route', () =>
    onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        backend.onRequest = () => undefined;
        const client = rig.client();
        client.send(get('/'));
        expect((await client.response()).status).to.equal(504);
      },
      { routeOf: () => tinyRoute('web', { timeoutServerMs: 100 }) },
    ));

  it('does not mix responses up while a slow client holds read buffers', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      // Each line says where it belongs: bytes overwritten in a buffer that is still being sent would show. Pieces of
      // 20 KB are too large to be copied and too small to stop the flow by themselves.
      const size = 12 * 1024 * 1024;
      const body = Array.from({ length: size / 16 }, (_, at) => `${String(at).padStart(15, '.')}\n`).join('');
      let sent = 0;
      backend.onRequest = (_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        let at = 0;
        const next = () => {
          if (at >= size || socket.destroyed) return;
          const goesOn = socket.write(body.slice(at, at + 20_000), 'latin1');
          at += 20_000;
          sent += 20_000;
          if (goesOn) setImmediate(next);
          else socket.once('drain', next);
        };
        next();
      };
      const clients = [rig.client(), rig.client()];
      for (const client of clients) {
        client.socket.pause();
        client.send(get('/'));
      }
      await until(() => backend.requests.length === 2, 'both requests');
      await untilStill(() => sent, 'the responses to be stuck');
      for (const client of clients) client.socket.resume();
      for (const client of clients) expect((await client.response()).body === body).to.equal(true);
    }));

  it('loses no request while draining under load', () =>
    onStage(makeCoreServer, async ({ rig, backend }) => {
      backend.onRequest = (request, socket) => setImmediate(() => echo(request, socket));
      let responded = 0;
      let broken = 0;
      const send = async (who: number) => {
        const client = rig.client();
        for (let at = 0; ; at++) {
          client.send(get(`/${who}/${at}`));
          const response = await client.response().catch(() => undefined);
          if (response?.body !== `GET /${who}/${at}`) {
            broken += 1;
            return;
          }
          responded += 1;
          // A client that is notified sends its next request elsewhere.
          if (response.header('connection') === 'close') {
            client.destroy();
            return;
          }
        }
      };
      const clients = Array.from({ length: 16 }, (_, who) => send(who));
      await until(() => responded > 200, 'some load');
      const drained = rig.server.drain(5_000);
      await Promise.all(clients);
      await drained;
      expect(broken).to.equal(0);
    }));

  it('leaves no timer, connection or watcher behind', async () => {
    const backend = await startBackend();
    const rig = await startRig(makeCoreServer, { endpoints: [endpointAt(backend.port)] });
    const clients = Array.from({ length: 20 }, () => rig.client());
    await Promise.all(
      clients.map(async (client, who) => {
        for (let at = 0; at < 10; at++) {
          client.send(get(`/${who}/${at}`));
          await client.response();
        }
        if (who % 2 === 0) client.send(get('/left-alone'));
        client.destroy();
      }),
    );
    await rig.stop();
    await backend.stop();
    await until(() => rig.pool.sweep.size === 0, 'the sweep to watch nothing');
    expect(rig.pool.sizes()).to.deep.equal({ open: 0, idle: 0, queued: 0 });
    expect(rig.context.outstanding).to.equal(0);
  });

  it('serves TLS connections, and breaks them off without looking complete', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'a.example' }], { keySize: 2048 });
    const backend = await startBackend();
    const rig = await startRig(makeCoreServer, { endpoints: [endpointAt(backend.port)] });
    const server = createSecureServer({ key, cert }, (socket) =>
      rig.server.accept(socket, { port: 443, secure: true }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
    let received = '';
    let closed = false;
    client.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    client.on('error', () => undefined);
    client.on('close', () => {
      closed = true;
    });
    client.write(get('/secure'));
    await until(() => received.endsWith('GET /secure'), 'the response');
    expect(backend.requests[0]?.head).to.include('X-Forwarded-Proto: https\r\n');
    backend.onRequest = responding('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'end');
    client.write(get('/truncated'));
    await until(() => closed, 'the end');
    expect(received.endsWith('some')).to.equal(true);
    await rig.stop();
    server.close();
    await backend.stop();
  });
});
