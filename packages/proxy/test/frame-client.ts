import { connect, type Socket } from 'node:net';
import { clientPreface, Flag, Frame } from '../src/http/http2/frames.ts';
import { frame, parseFrames, settings, settingsAck, type WireFrame } from './http2-wire.ts';
import { until } from './until.ts';

/** A client that sends frames and reads them. */
export class FrameClient {
  readonly #socket;
  #received = Buffer.alloc(0);
  ended = false;

  /** @param to a port, or a connection */
  constructor(to: number | Socket) {
    this.#socket = typeof to === 'number' ? connect({ port: to, host: '127.0.0.1', noDelay: true }) : to;
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

  /** Forgets all frames so far. */
  forget(): void {
    this.#received = Buffer.alloc(0);
  }

  /** As many GOAWAY frames as needed, each as [last stream, error code]. */
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
