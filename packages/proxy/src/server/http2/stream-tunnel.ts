import type { ClientTunnel, ClientTunnelHandler } from '../../exchange/client-side.ts';
import { ErrorCode } from '../../http/http2/frames.ts';
import type { ServedStream } from './served-stream.ts';

/** What a tunnel needs of the stream's owner. */
export interface TunnelHost {
  /** Sends bytes. Returns `true` while they are in use. */
  sendTunnel(bytes: Buffer, from: number, to: number, end: boolean): boolean;
  /** Ends the stream if the client does not within a short time, and reports that the client is gone. */
  linger(): void;
}

/** One stream as the client's side of a tunnel (RFC 8441): END_STREAM is its half-close, RST_STREAM its reset. */
export class StreamTunnel implements ClientTunnel {
  readonly #stream: ServedStream;
  readonly #host: TunnelHost;
  readonly #handler: ClientTunnelHandler;
  #early: Buffer[] = [];
  #paused = true;
  #closing = false;
  #clientEnded = false;
  #gone = false;

  constructor(stream: ServedStream, host: TunnelHost, handler: ClientTunnelHandler) {
    this.#stream = stream;
    this.#host = host;
    this.#handler = handler;
  }

  get clogged(): boolean {
    return this.#stream.awaitsWindow;
  }

  start(): void {
    this.resume();
  }

  write(bytes: Buffer, from: number, to: number): boolean {
    return this.#host.sendTunnel(bytes, from, to, false);
  }

  end(): void {
    if (!this.#stream.localEnded) this.#host.sendTunnel(none, 0, 0, true);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    while (!this.#paused && this.#early.length > 0) this.#pass(this.#early.shift() as Buffer);
    if (!this.#paused && this.#clientEnded) this.#end();
  }

  close(abrupt: boolean): void {
    this.#closing = true;
    this.#early = [];
    if (abrupt) this.#stream.reset(ErrorCode.cancel);
    else this.end();
    this.#host.linger();
  }

  /** Bytes of the client. They count against its window until they are passed on. */
  onData(bytes: Buffer): void {
    if (this.#closing) this.#stream.consumed(bytes.length);
    else if (this.#paused) this.#early.push(bytes);
    else this.#pass(bytes);
  }

  onEnd(): void {
    this.#clientEnded = true;
    if (!this.#paused) this.#end();
  }

  onDrained(): void {
    this.#handler.onClientDrained();
  }

  onGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#handler.onClientGone();
  }

  #pass(bytes: Buffer): void {
    this.#handler.onClientBytes(bytes);
    this.#stream.consumed(bytes.length);
  }

  #end(): void {
    this.#clientEnded = false;
    if (!this.#closing) this.#handler.onClientEnd();
  }
}

const none = Buffer.alloc(0);
