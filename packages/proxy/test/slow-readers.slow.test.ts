import { connect } from 'node:http2';
import { Transform } from 'node:stream';
import { expect } from 'chai';
import type { Middleware } from '../src/middleware/middleware.ts';
import { get, onStage } from './conformance/suite.ts';
import { sendHttp2 } from './http2-stage.ts';
import { echo, type Script } from './scripted-backend.ts';
import { makeCoreServer, makeExpressHttp2Server, makeHttp2Server, makeReferenceServer } from './server-rig.ts';
import { until } from './until.ts';

/** Its second chunk and its end come with the first one, which is more than the client takes at once. */
const chunk = `4e20\r\n${'a'.repeat(20_000)}\r\n`;
const slowThenEcho: Script = (request, socket) => {
  if (request.target !== '/large') echo(request, socket);
  else socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`);
};
const oneConnection = { limits: { perEndpoint: 1 }, timeouts: { serverMs: 1_000 } };

describe('an endpoint whose response was read slowly', () => {
  for (const [name, make] of [
    ['core', makeHttp2Server],
    ['Express', makeExpressHttp2Server],
    ['node:http2', makeReferenceServer],
  ] as const)
    it(`responds to the next request on the same connection: a stream of HTTP/2 with a small window, ${name}`, () =>
      onStage(
        make,
        async ({ rig, backend }) => {
          backend.onRequest = slowThenEcho;
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
        },
        oneConnection,
      ));

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
        backend.onRequest = slowThenEcho;
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
});
