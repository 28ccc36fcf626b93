import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { Transform } from 'node:stream';
import { createServer as createSecureServer } from 'node:tls';
import { expect } from 'chai';
import { Frame, Setting } from '../src/http/http2/frames.ts';
import type { Middleware } from '../src/middleware/middleware.ts';
import { get, onStage, type Stage } from './conformance/suite.ts';
import { FrameClient } from './frame-client.ts';
import { sendHttp2 } from './http2-stage.ts';
import { headers, parseFrames, plainGet, settings, windowUpdate } from './http2-wire.ts';
import { echo, type Script } from './scripted-backend.ts';
import { makeCoreServer, makeExpressHttp2Server, makeHttp2Server, makeReferenceServer } from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt } from './test-context.ts';
import { until } from './until.ts';

/** Its second chunk and its end come with the first one, which is more than the client takes at once. */
const chunksOf = (bytes: number) => {
  const chunk = `${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n`;
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`;
};
const slowThenEcho =
  (bytes: number): Script =>
  (request, socket) => {
    if (request.target !== '/large') echo(request, socket);
    else socket.write(chunksOf(bytes));
  };
const oneConnection = { limits: { perEndpoint: 1 }, timeouts: { serverMs: 1_000 } };

/** Over one connection to the endpoint, after a stream of HTTP/2 whose client takes 1,000 bytes of twice so many as are named. */
async function respondsToNext({ rig, backend }: Stage, bytes: number): Promise<void> {
  backend.onRequest = slowThenEcho(bytes);
  const session = connect(`http://127.0.0.1:${rig.port}`, { settings: { initialWindowSize: 1_000 } });
  session.on('error', () => undefined);
  try {
    const unread = session.request({ ':path': '/large', ':authority': 'a.test' });
    unread.on('error', () => undefined);
    await until(() => rig.pool.sizes().idle === 1 && backend.requests.length === 1, 'the whole response');
    const { status, body } = await sendHttp2(session, { ':path': '/next' });
    expect([status, body.toString()]).to.deep.equal([200, 'GET /next']);
    expect(backend.connections).to.equal(1);
  } finally {
    session.destroy();
  }
}

describe('an endpoint whose response was read slowly', () => {
  for (const [name, make] of [
    ['core', makeHttp2Server],
    ['Express', makeExpressHttp2Server],
    ['node:http2', makeReferenceServer],
  ] as const)
    it(`responds to the next request on the same connection: a stream of HTTP/2 with a small window, ${name}`, () =>
      onStage(make, (stage) => respondsToNext(stage, 20_000), oneConnection));

  it('responds to the next request on the same connection: a stream of HTTP/2 with a small window, TLS to the endpoint', async () => {
    const { cert, key } = await testCertificate(['endpoint.example']);
    let backendPort = 0;
    const secure = createSecureServer({ cert, key }, (socket) => {
      const plain = connectPlain(backendPort, '127.0.0.1');
      for (const each of [socket, plain]) each.on('error', () => undefined);
      socket.pipe(plain).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const endpoints = [endpointAt((secure.address() as AddressInfo).port, { secure: true })];
    try {
      await onStage(
        makeHttp2Server,
        async (stage) => {
          backendPort = stage.backend.port;
          // One record of TLS holds all of it.
          await respondsToNext(stage, 4_000);
        },
        { ...oneConnection, endpoints },
      );
    } finally {
      secure.close();
    }
  });

  it('responds to the next request on the same connection: a step that takes the body later than it comes', () => {
    const later: Middleware = {
      name: 'later',
      transform: () =>
        new Transform({
          highWaterMark: 1,
          transform(bytes, _encoding, done) {
            setImmediate(done, null, bytes);
          },
        }),
    };
    return onStage(
      makeCoreServer,
      async ({ rig, backend }) => {
        backend.onRequest = slowThenEcho(20_000);
        const client = rig.client();
        client.send(get('/large'));
        expect((await client.response()).body).to.have.lengthOf(40_000);
        client.send(get('/next'));
        expect((await client.response()).status).to.equal(200);
        expect(backend.connections).to.equal(1);
      },
      { ...oneConnection, steps: [later] },
    );
  });

  it('gives a hundred responses to a client whose windows are open and whose connection is slow', () =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        const size = 200_000;
        backend.onRequest = (_request, socket) =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`);
        const socket = connectPlain({ port: rig.port, host: '127.0.0.1', noDelay: true });
        socket.pause();
        const client = new FrameClient(socket);
        // `FrameClient` reads what comes; here a piece of it at a time.
        socket.removeAllListeners('data').pause();
        const isCut = () => rig.context.reports.some(({ reason }) => reason === 'request-timeout');
        const pieces: Buffer[] = [];
        let got = 0;
        const take = async (bytes: number) => {
          for (const most = got + bytes; got < most && !isCut(); ) {
            const piece = socket.read() as Buffer | null;
            if (piece === null) await new Promise(setImmediate);
            else {
              pieces.push(piece);
              got += piece.length;
            }
          }
        };
        const ids = Array.from({ length: 100 }, (_, at) => 1 + 2 * at);
        client.send(settings([[Setting.initialWindowSize, 10_000_000]]), windowUpdate(0, 100_000_000));
        client.send(...ids.map((id) => headers(id, plainGet)));
        const whole = ids.length * size;
        // A fourth of TIMEOUT_CLIENT for each; all of them would have to leave within two TIMEOUT_CLIENT of the first.
        while (got < whole && !isCut()) {
          const idle = new FrameClient(rig.port);
          await until(() => idle.ended, 'an idle connection to end');
          await take(Math.min(1_000_000, whole - got));
        }
        const frames = () => parseFrames(Buffer.concat(pieces));
        const bodies = () =>
          frames().reduce((sum, { type, payload }) => sum + (type === Frame.data ? payload.length : 0), 0);
        while (bodies() < whole && !isCut()) await take(1);
        expect(bodies()).to.equal(whole);
        client.destroy();
      },
      { timeouts: { keepAliveMs: 300, clientMs: 1_200 } },
    )).timeout(60_000);

  // node:http2 does not show what has left of a piece.
  it('gives all of a response to a client that takes some of it within TIMEOUT_CLIENT', () =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        const size = 60_000;
        backend.onRequest = (_request, socket) =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`);
        const client = new FrameClient(rig.port);
        client.send(settings([[Setting.initialWindowSize, 1_000]]), headers(1, plainGet));
        const got = () => client.frames.reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
        await until(() => got() === 1_000, 'what the window allows');
        for (let taken = 1_000; taken < 12_000; taken += 1_000) {
          // It lasts for as long as an idle connection does: a fourth of TIMEOUT_CLIENT.
          const idle = new FrameClient(rig.port);
          await until(() => idle.ended, 'an idle connection to end');
          client.send(windowUpdate(1, 1_000));
          await until(() => got() === taken + 1_000, 'another thousand bytes');
        }
        client.send(windowUpdate(1, size));
        await until(() => got() === size, 'all of it');
        client.destroy();
      },
      { timeouts: { keepAliveMs: 300, clientMs: 1_200 } },
    ));
});
