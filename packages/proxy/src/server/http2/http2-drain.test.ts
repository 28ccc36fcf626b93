import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { headers, plainGet } from '../../../test/http2-wire.ts';
import { makeHttp2Server } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';

/** RFC 9113, section 6.8: a server that stops should send two GOAWAY frames, so that no request gets lost between them. */
describe('draining HTTP/2', () => {
  const mostStream = 2 ** 31 - 1;

  function drained(
    play: (stage: {
      readonly client: FrameClient;
      readonly paths: () => readonly string[];
      readonly response: () => void;
      readonly drain: (deadlineMs: number) => Promise<void>;
    }) => Promise<void>,
  ): Promise<void> {
    return onStage(makeHttp2Server, async ({ rig, backend }) => {
      const waiting: (() => void)[] = [];
      const paths: string[] = [];
      backend.onRequest = (request, socket) => {
        paths.push(request.target);
        waiting.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      };
      const client = new FrameClient(rig.port);
      try {
        await play({
          client,
          paths: () => paths,
          response: () => {
            for (const each of waiting.splice(0)) each();
          },
          drain: (deadlineMs) => rig.server.drain(deadlineMs),
        });
      } finally {
        client.destroy();
      }
    });
  }

  it('announces first, serves what was sent before that was read, then says which stream is the last', () =>
    drained(async ({ client, paths, response, drain }) => {
      client.send(headers(1, plainGet));
      await until(() => paths().length === 1, 'the first request');
      const over = drain(5_000);
      expect(await client.goaways(1)).to.deep.equal([[mostStream, 0]]);
      client.send(headers(3, plainGet));
      await until(() => paths().length === 2, 'the request that crossed the announcement');
      await client.acknowledgePing();
      expect(await client.goaways(2)).to.deep.equal([
        [mostStream, 0],
        [3, 0],
      ]);
      client.send(headers(5, plainGet));
      response();
      await client.responded(1);
      await client.responded(3);
      await over;
      await until(() => client.ended, 'the end of the connection');
      expect(paths().length, 'no request behind the last stream').to.equal(2);
    }));

  it('ends an idle connection as soon as its client shows that it knows', () =>
    drained(async ({ client, drain }) => {
      await until(() => client.frames.length >= 2, 'the settings');
      const over = drain(5_000);
      await client.acknowledgePing();
      await over;
      await until(() => client.ended, 'the end of the connection');
      expect(await client.goaways(2)).to.deep.equal([
        [mostStream, 0],
        [0, 0],
      ]);
    }));

  it('does not wait for a client that acknowledges nothing', () =>
    drained(async ({ client, drain }) => {
      await until(() => client.frames.length >= 2, 'the settings');
      const began = performance.now();
      await drain(30_000);
      expect(performance.now() - began).to.be.below(10_000);
      expect((await client.goaways(2)).at(-1)).to.deep.equal([0, 0]);
    }));

  it('ends streams that are still open at the deadline', () =>
    drained(async ({ client, paths, drain }) => {
      client.send(headers(1, plainGet));
      await until(() => paths().length === 1, 'the request');
      await drain(50);
      await until(() => client.ended, 'the end of the connection');
    }));
});
