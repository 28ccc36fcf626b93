import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Flag } from '../src/http/http2/frames.ts';
import { onStage } from './conformance/suite.ts';
import { FrameClient } from './frame-client.ts';
import { data, headers, plainGet, plainPost } from './http2-wire.ts';
import { ownConnection } from './own-connection.ts';
import { RawClient } from './raw-client.ts';
import { readChunk } from './read-chunk.ts';
import type { ScriptedBackend } from './scripted-backend.ts';
import { makeHttp2Server, type Rig } from './server-rig.ts';
import { until } from './until.ts';

/** All connections are read into one buffer: whatever waits for an endpoint must be a copy. `readChunk` spoils what it gave. */
describe('bytes of a client that wait', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const chunk = Buffer.alloc(60_000, 'x');
  const chunks = 200;

  const onConnection = (
    Client: typeof RawClient | typeof FrameClient,
    run: (parts: {
      rig: Rig;
      backend: ScriptedBackend;
      client: RawClient & FrameClient;
      socket: Socket;
    }) => Promise<void>,
  ) =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      const own = await ownConnection(rig);
      const client = new Client(own.port) as RawClient & FrameClient;
      await until(own.isAccepted, 'the connection');
      try {
        await run({ rig, backend, client, socket: own.socket() });
      } finally {
        client.destroy();
        own.close();
      }
    });

  /** Far more than the system takes on the way to an endpoint that does not read. */
  async function giveAll(socket: Socket) {
    for (let at = 0; at < chunks; at += 1) {
      readChunk(socket, chunk);
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  for (const framing of ['Content-Length: 12000000', 'Transfer-Encoding: chunked'] as const)
    it(`are those of a body (${framing})`, () =>
      onConnection(RawClient, async ({ backend, client, socket }) => {
        backend.onConnection = (endpoint) => endpoint.pause();
        backend.onRequest = (_request, endpoint) => endpoint.write(head);
        const isChunked = framing.startsWith('Transfer');
        client.send(`POST / HTTP/1.1\r\nHost: a.example\r\n${framing}\r\n\r\n${isChunked ? 'b71b00\r\n' : ''}`);
        await until(() => backend.sockets.size === 1, 'the endpoint');
        await giveAll(socket);
        for (const endpoint of backend.sockets) endpoint.resume();
        if (isChunked) client.send('\r\n0\r\n\r\n');
        expect((await client.response()).status).to.equal(200);
        const body = backend.requests[0]?.body ?? '';
        expect([body.length, body.search(/[^x]/)]).to.deep.equal([chunk.length * chunks, -1]);
      }));

  it('are those of a tunnel', () =>
    onConnection(RawClient, async ({ backend, client, socket }) => {
      let received = '';
      let endpoint: Socket | undefined;
      backend.onRequest = (_request, tunnel) => {
        endpoint = tunnel;
        tunnel.removeAllListeners('data');
        tunnel.on('data', (bytes: Buffer) => {
          received += bytes.toString('latin1');
        });
        tunnel.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
        tunnel.pause();
      };
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
      await until(() => client.received.includes('101 '), 'the tunnel');
      await giveAll(socket);
      endpoint?.resume();
      await until(() => received.length === chunk.length * chunks, 'all of it');
      expect(received.includes('#')).to.equal(false);
    }));

  it('are heads in pieces, and what is pipelined behind a request', () =>
    onConnection(RawClient, async ({ backend, client, socket }) => {
      backend.onRequest = ({ target }, endpoint) =>
        setImmediate(() => endpoint.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`));
      const requests = ['/one', '/two', '/three'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      const text = requests.join('');
      for (const piece of [text.slice(0, 3), text.slice(3, 40), text.slice(40, 90), text.slice(90)])
        readChunk(socket, Buffer.from(piece));
      for (const path of ['/one', '/two', '/three']) expect((await client.response()).body).to.equal(path);
    }));

  it('are pieces of a body of HTTP/2, small and large', () =>
    onConnection(FrameClient, async ({ backend, client, socket }) => {
      backend.onRequest = (_request, endpoint) => endpoint.write(head);
      const body = [
        data(1, 'a'.repeat(10)),
        data(1, 'b'.repeat(9_000)),
        data(1, 'c'.repeat(5_000)),
        data(1, 'd', true),
      ];
      client.send(headers(3, plainGet));
      await client.responded(3);
      readChunk(socket, Buffer.concat([headers(5, plainPost, Flag.endHeaders), ...body.map((each) => moved(each, 5))]));
      await client.responded(5);
      expect(backend.requests[1]?.body).to.equal(`${'a'.repeat(10)}${'b'.repeat(9_000)}${'c'.repeat(5_000)}d`);
    }));

  it('are frames of HTTP/2 beyond the share of a turn', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, endpoint) => endpoint.write(head);
      const clients = Array.from({ length: 4 }, () => new FrameClient(rig.port));
      const lettersOf = (client: number) => Array.from({ length: 3_000 }, (_, at) => String((at + client) % 10));
      for (const client of clients) {
        client.send(headers(1, plainGet));
        await client.responded(1);
      }
      for (const [at, client] of clients.entries()) {
        const small = Buffer.concat(lettersOf(at).map((letter, index) => data(3, letter, index === 2_999)));
        client.send(Buffer.concat([headers(3, plainPost, Flag.endHeaders), small, headers(5, plainGet)]));
      }
      for (const client of clients) await client.responded(5);
      const bodies = backend.requests.map(({ body }) => body).filter((body) => body !== '');
      expect(bodies).to.have.members(clients.map((_, at) => lettersOf(at).join('')));
      for (const client of clients) client.destroy();
    }));
});

/** The frame, on another stream. */
function moved(bytes: Buffer, stream: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(stream, 5);
  return copy;
}
