import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { data, headers, parseFrames, plainGet, plainPost, rstStream, windowUpdate } from '../../../test/http2-wire.ts';
import { ownConnection as listenFor } from '../../../test/own-connection.ts';
import { readChunk } from '../../../test/read-chunk.ts';
import { makeHttp2Server, type Rig } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';
import { ErrorCode, Flag } from '../../http/http2/frames.ts';

/** What a packet brings is acted upon when all of it has been read. */
describe('HTTP/2 in one packet', () => {
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  for (const [what, spoiled] of [
    ['reset by the client', rstStream(1, ErrorCode.cancel)],
    ['spoiled by the client, so that the server resets it', windowUpdate(1, 0)],
  ] as const)
    it(`serves no request that is ${what} behind its head`, () =>
      onStage(makeHttp2Server, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) => socket.write(response);
        const client = new FrameClient(rig.port);
        client.send(headers(1, plainGet), spoiled, headers(3, plainGet));
        await client.responded(3);
        expect(backend.requests).to.have.length(1);
        expect(rig.context.reports).to.have.length(1);
        client.destroy();
      }));

  it('sends a body of many small frames on as one piece', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(response);
      const client = new FrameClient(rig.port);
      client.send(headers(1, plainPost, Flag.endHeaders));
      await until(() => backend.requests.length === 1, 'the head at the endpoint');
      const text = Array.from({ length: 500 }, (_, at) => String(at % 10)).join('');
      client.send(...Array.from(text, (letter) => data(1, letter)), data(1, '', true));
      await client.responded(1);
      expect(backend.requests[0]?.body).to.equal(text);
      expect(backend.received).to.match(new RegExp(`\\r\\n\\r\\n1f4\\r\\n${text}\\r\\n0\\r\\n\\r\\n$`));
      client.destroy();
    }));

  async function ownConnection(rig: Rig): Promise<{ client: FrameClient; socket: () => Socket; end: () => void }> {
    const { port, socket, close } = await listenFor(rig);
    const client = new FrameClient(port);
    const end = () => {
      client.destroy();
      close();
    };
    return { client, socket, end };
  }

  for (const [what, chunk] of [
    // Four frames with their heads are what the system hands over at most at once.
    ['a full chunk', Buffer.concat(Array.from({ length: 4 }, () => data(1, Buffer.alloc(16_375, 'x'))))],
    ['many small frames', Buffer.concat(Array.from({ length: 3_000 }, () => data(1, 'x')))],
  ] as const)
    it(`reads no more of a connection in this turn of the event loop behind ${what}: others are waiting`, () =>
      onStage(makeHttp2Server, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) => socket.write(response);
        const { client, socket, end } = await ownConnection(rig);
        client.send(headers(1, plainPost, Flag.endHeaders));
        await until(() => backend.requests.length === 1, 'the head at the endpoint');
        readChunk(socket(), chunk);
        expect(socket().isPaused()).to.equal(true);
        await until(() => !socket().isPaused(), 'the next turn');
        client.send(data(1, 'end', true));
        await client.responded(1);
        const lengthBytes = parseFrames(chunk).reduce((sum, { payload }) => sum + payload.length, 0);
        expect(backend.requests[0]?.body).to.have.length(lengthBytes + 3);
        end();
      }));

  it('pauses between shares of what a client goes on sending behind its GOAWAY, until it ends', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await ownConnection(rig);
      client.send();
      await until(() => client.frames.length > 0, 'the connection');
      readChunk(socket(), data(0, 'x'));
      const piece = Buffer.alloc(16_384);
      for (let at = 0; at < 3; at++) readChunk(socket(), piece);
      expect(socket().isPaused()).to.equal(false);
      readChunk(socket(), piece);
      expect(socket().isPaused()).to.equal(true);
      // Only a socket that is read shows that its client has closed.
      await until(() => socket().closed, 'the end');
      expect((await client.goaways(1)).map(([, code]) => code)).to.deep.equal([1]);
      end();
    }));

  it('goes on with one connection in a turn, however many have more to do than their share', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = () => undefined;
      const connections = await Promise.all(Array.from({ length: 4 }, () => ownConnection(rig)));
      for (const { client } of connections) {
        client.send();
        await until(() => client.frames.length > 0, 'the connection');
      }
      const chunk = (first: number) =>
        Buffer.concat(Array.from({ length: 49 }, (_, at) => headers(first + 2 * at, plainGet)));
      // The first share of each is its own: nothing is known of it yet.
      for (const { socket } of connections) readChunk(socket(), chunk(1));
      expect(rig.context.outstanding).to.equal(4 * 32);
      const turns: number[] = [];
      const grown = async (target: number) => {
        for (let before = rig.context.outstanding; before < target; before = rig.context.outstanding) {
          await new Promise((resolve) => setImmediate(resolve));
          turns.push(rig.context.outstanding - before);
        }
      };
      await grown(4 * 49);
      // A connection that had more than its share has no first share again.
      for (const { socket } of connections) readChunk(socket(), chunk(99));
      expect(rig.context.outstanding).to.equal(4 * 49);
      await grown(4 * 98);
      expect(Math.max(...turns)).to.equal(8);
      await until(() => connections.every(({ socket }) => !socket().isPaused()), 'all to be read again');
      for (const { end } of connections) end();
    }));

  it('acts upon a part of many streams in this turn of the event loop, and upon all in the end', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(response);
      const { client, socket, end } = await ownConnection(rig);
      client.send();
      await until(() => client.frames.length > 0, 'the connection');
      const streams = Array.from({ length: 100 }, (_, at) => 2 * at + 1);
      readChunk(socket(), Buffer.concat(streams.map((stream) => headers(stream, plainGet))));
      expect(socket().isPaused()).to.equal(true);
      expect(rig.context.outstanding).to.equal(32);
      for (const stream of streams) await client.responded(stream);
      expect(socket().isPaused()).to.equal(false);
      end();
    }));

  it('keeps the order of small and large frames of a body', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(response);
      const client = new FrameClient(rig.port);
      const pieces = [1, 4_096, 4_097, 2, 9_000, 3, 4_095, 5].map((length, at) => String(at).repeat(length));
      client.send(headers(1, plainPost, Flag.endHeaders), ...pieces.map((piece) => data(1, piece)), data(1, '', true));
      await client.responded(1);
      expect(backend.requests[0]?.body === pieces.join('')).to.equal(true);
      client.destroy();
    }));
});
