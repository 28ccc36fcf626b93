import { connect } from 'node:net';
import { expect } from 'chai';
import { onStage } from '../../../test/conformance/suite.ts';
import {
  frame,
  headers,
  parseFrames,
  plainGet,
  settings,
  settingsAck,
  type WireFrame,
} from '../../../test/http2-wire.ts';
import { makeHttp2Server } from '../../../test/server-rig.ts';
import { until } from '../../../test/until.ts';
import { clientPreface, Flag, Frame } from '../../http/http2/frames.ts';

/** A client that sends frames and reads them. */
class FrameClient {
  readonly #socket;
  #received = Buffer.alloc(0);
  ended = false;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.ended = true;
    });
    this.#socket.write(Buffer.concat([Buffer.from(clientPreface), settings(), settingsAck]));
  }

  get frames(): readonly WireFrame[] {
    return parseFrames(this.#received);
  }

  send(...frames: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(frames));
  }

  /** As many GOAWAY frames as wanted, each as [last stream, error code]. */
  async goaways(count: number): Promise<readonly (readonly number[])[]> {
    const seen = () => this.frames.filter(({ type }) => type === Frame.goaway);
    await until(() => seen().length >= count || this.ended, `GOAWAY ${count}`);
    return seen().map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);
  }

  async responded(stream: number): Promise<void> {
    await until(
      () => this.frames.some((each) => each.stream === stream && (each.flags & Flag.endStream) !== 0 && each.type <= 1),
      `the response of stream ${stream}`,
    );
  }

  /** Acknowledges the PING that follows the first GOAWAY. */
  async acknowledgePing(): Promise<void> {
    const ping = () => this.frames.find(({ type, flags }) => type === Frame.ping && flags === 0);
    await until(() => ping() !== undefined, 'the PING');
    this.send(frame(Frame.ping, Flag.ack, 0, ping()?.payload));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** RFC 9113, section 6.8: a server that stops should send two GOAWAY frames, so that no request gets lost between them. */
describe('draining HTTP/2', () => {
  const mostStream = 2 ** 31 - 1;

  function drained(
    play: (stage: {
      readonly client: FrameClient;
      readonly paths: () => readonly string[];
      readonly answer: () => void;
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
          answer: () => {
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
    drained(async ({ client, paths, answer, drain }) => {
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
      answer();
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
