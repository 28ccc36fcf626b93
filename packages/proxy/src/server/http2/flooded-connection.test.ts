import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { frame, headers, plainGet, plainPost, settings, windowUpdate } from '../../../test/http2-wire.ts';
import { ownConnection } from '../../../test/own-connection.ts';
import { readChunk } from '../../../test/read-chunk.ts';
import { makeHttp2Server, type Rig } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';
import { ErrorCode, Flag, Frame } from '../../http/http2/frames.ts';
import type { Middleware } from '../../middleware/middleware.ts';
import type { Http2Connection } from './http2-connection.ts';

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

  const ping = frame(Frame.ping, 0, 0, Buffer.alloc(8));
  /** Of a step: in turns of their own, the first of which is the connection's, they fill the output before all of them are made. */
  const respondingWith = (fields: readonly string[]): Middleware => ({
    name: 'responds',
    onRequest: () => ({ kind: 'respond', response: { status: 204, reason: 'large', headers: fields } }),
  });
  const fills = respondingWith(['X-Large', '~'.repeat(17_000)]);

  it('acts upon all that it has read of a client that takes nothing', () =>
    onStage(
      makeHttp2Server,
      async ({ rig }) => {
        const { socket, end } = await opened(rig);
        socket.cork();
        readChunk(socket, toEndpoint(1, 100));
        await until(() => rig.context.reports.length === 100, 'all responses');
        expect(socket.isPaused()).to.equal(true);
        end();
      },
      { steps: [fills] },
    ));

  const endings: Readonly<Record<string, { readonly drains: boolean; readonly frame: Buffer }>> = {
    'its client breaks the protocol': { drains: false, frame: frame(Frame.data, 0, 0, Buffer.from('x')) },
    'its drain ends': { drains: true, frame: frame(Frame.ping, Flag.ack, 0, Buffer.from('draining')) },
  };
  for (const [what, { drains, frame: last }] of Object.entries(endings))
    it(`is read until its client closes, where ${what} in the read that fills the output`, () =>
      onStage(
        makeHttp2Server,
        async ({ rig }) => {
          /** Reads what fills the output piece by piece: responses, then replies. The same piece pauses each connection. */
          const filled = async (mostResponses: number, mostReplies: number) => {
            const { socket, end } = await opened(rig);
            socket.cork();
            const before = rig.context.reports.length;
            const counts = { responses: 0, replies: 0 };
            for (; counts.responses < mostResponses && !socket.isPaused(); counts.responses += 1) {
              readChunk(socket, toEndpoint(1 + 2 * counts.responses, 1));
              await until(() => rig.context.reports.length > before + counts.responses, 'a response');
              await turn();
            }
            for (; counts.replies < mostReplies && !socket.isPaused(); counts.replies += 1) readChunk(socket, ping);
            return { ...counts, socket, end };
          };
          /** A connection that one more reply pauses. A second that begins meanwhile makes a response longer, by its `date`: then again. */
          const nearlyFilled = async (attempts: number): Promise<{ socket: Socket; end: () => void }> => {
            const { responses, ...first } = await filled(300, 0);
            const { replies, ...second } = await filled(responses - 1, 900);
            const third = await filled(responses - 1, replies - 1);
            const paused = [first, second, third].map(({ socket }) => socket.isPaused());
            first.end();
            second.end();
            if (paused[2] === true && attempts > 1) {
              third.end();
              return nearlyFilled(attempts - 1);
            }
            expect(paused).to.deep.equal([true, true, false]);
            return third;
          };
          const { socket, end } = await nearlyFilled(10);
          const drained = drains ? rig.server.drain(5_000) : undefined;
          readChunk(socket, Buffer.concat([ping, last]));
          await until(() => socket.writableEnded, 'the end');
          expect(socket.isPaused()).to.equal(false);
          end();
          await drained;
        },
        { steps: [respondingWith(['X-Large', '~'.repeat(5_000)])] },
      ));

  const endlessResponse = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`;
  const endless = headers(
    1,
    plainGet.map(([name, value]) => [name, name === ':path' ? '/endless' : value] as const),
  );
  const takesNothing: Readonly<Record<string, { readonly requests: Buffer; readonly steps?: readonly Middleware[] }>> =
    {
      'its streams have no more to send': { requests: toEndpoint(1, 3) },
      'its streams have been reset by their deadlines': {
        requests: Buffer.concat([settings([[4, 1_000_000]]), windowUpdate(0, 10_000_000), endless]),
      },
      'more waits than is read on for': { requests: toEndpoint(1, 100), steps: [fills] },
      'it has opened streams and sends nothing on them': {
        requests: Buffer.concat([toEndpoint(1, 3), headers(7, plainPost, Flag.endHeaders)]),
      },
    };

  for (const [what, { requests, steps }] of Object.entries(takesNothing))
    it(`ends where its client takes nothing and ${what}`, () =>
      onStage(
        makeHttp2Server,
        async ({ rig, backend }) => {
          backend.onRequest = ({ target }, connection) => {
            if (target === '/endless') connection.write(endlessResponse);
            else connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          };
          const { socket, end } = await opened(rig);
          socket.cork();
          readChunk(socket, requests);
          await until(() => socket.destroyed, 'the end');
          end();
        },
        { ...(steps === undefined ? {} : { steps }), timeouts: { keepAliveMs: 100, clientMs: 100, serverMs: 100 } },
      ));

  it('ends where its client takes nothing, whatever its endpoints take for the requests that are under way', () =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        backend.onRequest = ({ target }, connection) => {
          if (target !== '/endless') connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        };
        const { socket, end } = await opened(rig);
        socket.cork();
        readChunk(socket, Buffer.concat([endless, toEndpoint(3, 1)]));
        await until(() => socket.destroyed, 'the end');
        end();
      },
      { timeouts: { keepAliveMs: 100, clientMs: 100, serverMs: 60_000 } },
    ));

  it('is reset where it ends and its client takes nothing, so that the system keeps nothing of it', () =>
    onStage(
      makeHttp2Server,
      async ({ rig }) => {
        const { socket, end } = await opened(rig);
        let resets = 0;
        const reset = socket.resetAndDestroy.bind(socket);
        Object.assign(socket, {
          // As where the client and the system's buffers are full.
          _write: () => undefined,
          _writev: () => undefined,
          resetAndDestroy: () => {
            resets += 1;
            return reset();
          },
        });
        readChunk(socket, frame(Frame.data, 0, 0, Buffer.from('x')));
        await until(() => socket.destroyed, 'the end');
        expect(resets).to.equal(1);
        end();
      },
      { timeouts: { clientMs: 100 } },
    ));

  it('does not end where its client has taken what was being written at the last look', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = ({ target }, connection) => {
        if (target !== '/endless') connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      const { client, socket, end } = await opened(rig);
      const place = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'owner') as symbol;
      const connection = (socket as unknown as Record<symbol, Http2Connection>)[place];
      readChunk(socket, endless);
      // Most of them are as long as the one before.
      for (const stream of [3, 5, 7, 9, 11, 13]) {
        socket.cork();
        readChunk(socket, toEndpoint(stream, 1));
        await until(() => socket.writableLength > 0, 'a response to be written');
        connection?.onDeadline();
        expect(socket.destroyed).to.equal(false);
        if (stream === 13) break;
        socket.uncork();
        await client.responded(stream);
      }
      connection?.onDeadline();
      expect(socket.destroyed).to.equal(true);
      end();
    }));

  it('does not end as an idle one where a request is under way', () =>
    onStage(
      makeHttp2Server,
      async ({ rig, backend }) => {
        let waiting: Socket | undefined;
        backend.onRequest = (_request, connection) => {
          waiting = connection;
        };
        const { client, end } = await opened(rig);
        client.send(headers(1, plainGet));
        // Each lasts for as long as an idle connection does.
        for (let count = 0; count < 3; count++) {
          const idle = new FrameClient(rig.port);
          await until(() => idle.ended, 'an idle connection to end');
        }
        waiting?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        await client.responded(1);
        expect(client.frames.map(({ type }) => type)).to.not.include(Frame.goaway);
        end();
      },
      { timeouts: { keepAliveMs: 100 } },
    ));

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

  it('is closed at once where the drain of an idle one is over, whatever follows', () =>
    onStage(makeHttp2Server, async ({ rig }) => {
      const { client, socket, end } = await opened(rig);
      const drained = rig.server.drain(5_000);
      await client.goaways(1);
      client.send(frame(Frame.ping, Flag.ack, 0, Buffer.from('draining')), pings);
      await client.goaways(2);
      expect(socket.writableEnded).to.equal(true);
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
