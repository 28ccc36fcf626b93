import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { frame, headers, plainGet } from '../../../test/http2-wire.ts';
import { ownConnection } from '../../../test/own-connection.ts';
import { readChunk } from '../../../test/read-chunk.ts';
import { makeHttp2Server, type Rig } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';
import { ErrorCode, Frame } from '../../http/http2/frames.ts';

/** What one client of HTTP/2 may have the proxy hold, and how it is ended. */
describe('an HTTP/2 connection that is flooded', () => {
  async function opened(rig: Rig): Promise<{ client: FrameClient; socket: Socket; end: () => void }> {
    const { port, socket, close } = await ownConnection(rig);
    const client = new FrameClient(port);
    await until(() => client.frames.length > 0, 'the connection');
    const end = () => {
      client.destroy();
      close();
    };
    return { client, socket: socket(), end };
  }

  const toEndpoint = (first: number, count: number) =>
    Buffer.concat(Array.from({ length: count }, (_, at) => headers(first + 2 * at, plainGet)));
  // CONNECT without a protocol is responded to by the proxy itself.
  const toProxy = (first: number, count: number) => {
    const fields = [
      [':method', 'CONNECT'],
      [':authority', 'shop.example:80'],
    ] as const;
    return Buffer.concat(Array.from({ length: count }, (_, at) => headers(first + 2 * at, fields)));
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('reads no more requests in a turn of its own than it acts upon', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await opened(rig);
      readChunk(socket, toProxy(1, 49));
      // It has had more than its share: what follows is read in turns of its own.
      readChunk(socket, toProxy(99, 300));
      await until(() => rig.context.reports.length === 349, 'all responses');
      await until(() => !socket.isPaused(), 'to be read again');
      // More requests than streams may be open were never waiting at once.
      const refused = () =>
        client.frames.filter(
          ({ type, payload }) => type === Frame.rstStream && payload.readUInt32BE() === ErrorCode.refusedStream,
        );
      await client.responded(99 + 2 * 299);
      expect(refused()).to.have.length(0);
      end();
    }));

  it('reads no more of a client that does not take its responses, also those without a body', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      const large = `HTTP/1.1 204 No Content\r\nX-Large: ${'~'.repeat(16_000)}\r\n\r\n`;
      backend.onRequest = (_request, connection) => connection.write(large);
      const { client, socket, end } = await opened(rig);
      // Nothing leaves: as where the client and the system's buffers are full.
      socket.cork();
      readChunk(socket, toEndpoint(1, 100));
      await until(() => rig.context.reports.length === 100, 'a hundred responses');
      await until(() => !socket.isPaused(), 'the connection to be read');
      readChunk(socket, toEndpoint(201, 100));
      for (let turns = 0; turns < 50; turns++) await turn();
      expect(backend.requests).to.have.length(100);
      expect(socket.isPaused()).to.equal(true);
      socket.uncork();
      await until(() => client.frames.filter(({ type }) => type === Frame.headers).length === 200, 'all responses');
      expect(socket.isPaused()).to.equal(false);
      end();
    }));

  const pings = Buffer.concat(Array.from({ length: 1_100 }, () => frame(Frame.ping, 0, 0, Buffer.alloc(8))));

  it('is not read behind the GOAWAY that ends it, nor closed at once: its client cannot go on over another one', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await opened(rig);
      client.send(pings);
      expect((await client.goaways(1)).map(([, code]) => code)).to.deep.equal([ErrorCode.enhanceYourCalm]);
      const readBytes = socket.bytesRead;
      client.send(pings);
      for (let turns = 0; turns < 50; turns++) await turn();
      expect(socket.isPaused()).to.equal(true);
      expect(socket.bytesRead).to.equal(readBytes);
      expect(socket.writableEnded).to.equal(false);
      end();
    }));

  it('is closed at once where the proxy drains meanwhile', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await opened(rig);
      client.send(pings);
      await client.goaways(1);
      const drained = rig.server.drain(5_000);
      expect(socket.isPaused()).to.equal(false);
      await until(() => client.ended, 'the end');
      await drained;
      end();
    }));

  it('is closed, and read, at once where its client broke the protocol in another way', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await opened(rig);
      client.send(frame(Frame.data, 0, 0, Buffer.from('x')));
      expect((await client.goaways(1)).map(([, code]) => code)).to.deep.equal([ErrorCode.protocolError]);
      expect(socket.writableEnded).to.equal(true);
      await until(() => client.ended, 'the end');
      end();
    }));
});
