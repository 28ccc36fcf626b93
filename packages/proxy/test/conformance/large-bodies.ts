import { expect } from 'chai';
import type { MakeServer } from '../server-rig.ts';
import { until } from '../until.ts';
import { onStage } from './suite.ts';

const limited = { mostBodyBytes: 1_000 };
const chunked = 'POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunkOf = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

/** `MAX_BODY_BYTES` (RFC 9110, section 15.5.14). */
export function largeBodies(makeServer: MakeServer): void {
  describe('holds bodies to a limit', () => {
    it('and responds with 413 at once where Content-Length is over it (RFC 9110, 15.5.14)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send('POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n');
          const response = await client.response('POST');
          expect(response.status).to.equal(413);
          expect(response.header('x-swarmgate-reason')).to.equal('body-too-large');
          expect(response.header('connection')).to.equal('close');
          await client.end();
          expect(backend.connections).to.equal(0);
        },
        limited,
      ));

    it('and serves no request behind a body over it (RFC 9112, 9.3)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          const post = `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n${'x'.repeat(1_001)}`;
          client.send(`${post}GET /behind HTTP/1.1\r\nHost: a\r\n\r\n`);
          expect((await client.response('POST')).status).to.equal(413);
          await client.end();
          expect(client.received).to.equal('');
          expect(backend.connections).to.equal(0);
        },
        limited,
      ));

    it('and responds with 413 when a chunked one is over it, which the endpoint never gets whole (RFC 9110, 15.5.14)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(chunked + chunkOf(600));
          await until(() => backend.received.includes('x'.repeat(600)), 'the first chunk');
          client.send(`${chunkOf(600)}0\r\n\r\n`);
          const response = await client.response('POST');
          expect(response.status).to.equal(413);
          expect(response.header('x-swarmgate-reason')).to.equal('body-too-large');
          await client.end();
          await until(() => backend.sockets.size === 0, 'the end of the connection to the endpoint');
          expect(backend.requests.filter(({ whole }) => whole)).to.deep.equal([]);
        },
        limited,
      ));

    it('and responds with 413 when a chunked one comes with its head (RFC 9110, 15.5.14)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          client.send(`${chunked}${chunkOf(1_001)}0\r\n\r\n`);
          expect((await client.response('POST')).status).to.equal(413);
          await client.end();
          expect(backend.requests.filter(({ whole }) => whole)).to.deep.equal([]);
        },
        limited,
      ));

    it('and takes what is just as large, again and again (RFC 9110, 15.5.14)', () =>
      onStage(
        makeServer,
        async ({ rig, backend }) => {
          const client = rig.client();
          const sent = [
            `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1_000)}`,
            `${chunked}${chunkOf(500)}${chunkOf(500)}0\r\n\r\n`,
            `${chunked}${chunkOf(1_000)}0\r\n\r\n`,
          ];
          for (const bytes of sent) {
            client.send(bytes);
            expect((await client.response('POST')).status).to.equal(200);
          }
          expect(backend.requests.map(({ whole }) => whole)).to.deep.equal([true, true, true]);
        },
        limited,
      ));
  });
}
