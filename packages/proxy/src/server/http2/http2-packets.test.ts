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

  it('reads at most two full chunks of one connection in a turn of the event loop, and all of them in the end', () =>
    onStage(makeHttp2Server, async ({ rig, backend }) => {
      backend.onRequest = (_request, socket) => socket.write(answer);
      let accepted: Socket | undefined;
      const listener = createServer((socket) => {
        accepted = socket;
        rig.server.accept(socket, { port: 80, secure: false });
      });
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const client = new FrameClient((listener.address() as AddressInfo).port);
      const streams = [1, 3, 5, 7];
      const full = Buffer.alloc(16_384, 'x');
      const body = (stream: number) => [
        ...Array.from({ length: 15 }, () => data(stream, full)),
        data(stream, '', true),
      ];
      client.send(...streams.map((stream) => headers(stream, plainPost, Flag.endHeaders)), ...streams.flatMap(body));
      const perTurn: number[] = [];
      let before = 0;
      await new Promise<void>((resolve) => {
        const look = () => {
          const read = accepted?.bytesRead ?? 0;
          if (read > before) perTurn.push(read - before);
          before = read;
          if (read > 980_000) resolve();
          else setImmediate(look);
        };
        look();
      });
      expect(Math.max(...perTurn)).to.be.at.most(131_072);
      for (const stream of streams) await client.responded(stream);
      expect(backend.requests.map(({ body }) => body.length)).to.deep.equal(streams.map(() => 15 * 16_384));
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
