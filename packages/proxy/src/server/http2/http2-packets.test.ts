import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { data, headers, plainGet, plainPost, rstStream, windowUpdate } from '../../../test/http2-wire.ts';
import { makeHttp2Server } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';
import { ErrorCode, Flag } from '../../http/http2/frames.ts';

/** What a packet brings is acted upon when all of it has been read. */
describe('HTTP/2 in one packet', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  for (const [what, spoiled] of [
    ['reset by the client', rstStream(1, ErrorCode.cancel)],
    ['spoiled by the client, so that the server resets it', windowUpdate(1, 0)],
  ] as const)
    it(`serves no request that is ${what} behind its head`, () =>
      onStage(makeHttp2Server, async ({ rig, backend }) => {
        backend.onRequest = (_request, socket) => socket.write(answer);
        const client = new FrameClient(rig.port);
        client.send(headers(1, plainGet), spoiled, headers(3, plainGet));
        await client.responded(3);
        expect(backend.requests).to.have.length(1);
        expect(rig.context.reports).to.have.length(1);
        client.destroy();
      }));

  it('sends a body of many small frames on as one piece', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(answer);
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

  it('reads no more of a connection in this turn of the event loop behind a full chunk: others are waiting', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(answer);
      const accepted: Socket[] = [];
      const listener = createServer((socket) => {
        accepted.push(socket);
        rig.server.accept(socket, { port: 80, secure: false });
      });
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const client = new FrameClient((listener.address() as AddressInfo).port);
      client.send(headers(1, plainPost, Flag.endHeaders));
      await until(() => backend.requests.length === 1, 'the head at the endpoint');
      const [socket] = accepted;
      // Four frames with their heads are what the system hands over at most at once.
      const chunk = Buffer.concat(Array.from({ length: 4 }, () => data(1, Buffer.alloc(16_375, 'x'))));
      socket?.emit('data', chunk);
      expect([chunk.length, socket?.isPaused()]).to.deep.equal([65_536, true]);
      await until(() => socket?.isPaused() === false, 'the next turn');
      client.send(data(1, 'end', true));
      await client.responded(1);
      expect(backend.requests[0]?.body).to.have.length(4 * 16_375 + 3);
      client.destroy();
      listener.close();
    }));

  it('keeps the order of small and large frames of a body', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(answer);
      const client = new FrameClient(rig.port);
      const pieces = [1, 4_096, 4_097, 2, 9_000, 3, 4_095, 5].map((length, at) => String(at).repeat(length));
      client.send(headers(1, plainPost, Flag.endHeaders), ...pieces.map((piece) => data(1, piece)), data(1, '', true));
      await client.responded(1);
      expect(backend.requests[0]?.body === pieces.join('')).to.equal(true);
      client.destroy();
    }));
});
