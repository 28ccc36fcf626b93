import type { Socket } from 'node:net';
import { clientPreface, Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { DecodedFields, HpackDecoder } from '../../src/http/http2/hpack/decoder.ts';
import { flatFields } from '../../src/http/http2/message-head.ts';
import { frame, parseFrames, rstStream, settings, settingsAck, type WireFrame, windowUpdate } from '../http2-wire.ts';
import { type PatternCheck, patternOf } from './pattern.ts';
import { oneOf, pause, piecesOf, type Random, wholeOf } from './plan.ts';

export interface FramePeerOptions {
  /** SETTINGS_INITIAL_WINDOW_SIZE. */
  readonly windowBytes: number;
  /** It changes while bodies come, also below what is under way. */
  readonly changesWindow: boolean;
  readonly random: Random;
  /** Further settings that are announced first. */
  readonly settings?: readonly (readonly [number, number])[];
}

export interface PeerStream {
  /** What has come is compared with it. */
  readonly check: PatternCheck;
  readonly random: Random;
  readonly readsSlowly: boolean;
  /** What the proxy may send. */
  receivable: number;
  /** What it may be sent. */
  sendable: number;
  isGranting: boolean;
  /** What comes is the pattern's; else a local response's. */
  isPattern: boolean;
}

/** One side of a connection of HTTP/2, frame by frame, which holds the proxy to its windows and to the states of streams. */
export abstract class FramePeer<S extends PeerStream> {
  readonly faults: string[] = [];
  protected readonly socket: Socket;
  protected readonly streams = new Map<number, S>();
  /** Over: what was under way may still come. */
  protected readonly left = new Set<number>();
  protected window = 65_535;
  protected peerWindow = 65_535;
  readonly #options: FramePeerOptions;
  readonly #decoder = new HpackDecoder();
  #prefaceLeft: number;
  #unread: Buffer = Buffer.alloc(0);
  #receivable = 65_535;
  #sendable = 65_535;
  #owed = 0;
  /** Initial windows that were announced and are not acknowledged. */
  readonly #announced: number[] = [];
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, role: 'client' | 'server', options: FramePeerOptions) {
    this.socket = socket;
    this.#options = options;
    this.#prefaceLeft = role === 'client' ? 0 : clientPreface.length;
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', (error) => this.end(String(error)));
    socket.on('end', () => socket.end());
    socket.on('close', () => this.end('closed'));
    if (role === 'client') socket.write(clientPreface);
    this.announce(options.windowBytes, options.settings);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param fields flat, pseudo-header fields included */
  protected abstract onHead(id: number, stream: S | undefined, fields: readonly string[], isEnd: boolean): void;
  protected abstract onBody(id: number, stream: S, isEnd: boolean): void;
  /** The proxy has reset it, or the connection is over. */
  protected abstract onGone(id: number, stream: S, why: string): void;

  protected announce(windowBytes: number, more: FramePeerOptions['settings'] = []): void {
    this.#announced.push(windowBytes);
    this.socket.write(settings([[Setting.initialWindowSize, windowBytes], ...more]));
  }

  protected open(id: number, stream: S): void {
    this.streams.set(id, stream);
    this.#grant(id, stream);
  }

  /** Nothing more of it is expected, but may come. */
  protected leave(id: number, errorCode?: number): void {
    this.streams.delete(id);
    this.left.add(id);
    if (errorCode !== undefined) this.socket.write(rstStream(id, errorCode));
    this.#wake();
  }

  /** @returns `false` where the stream was over before all had been sent */
  protected async sendBody(
    id: number,
    stream: S,
    { body, bytes, isSlow, ends }: { body: number; bytes: number; isSlow: boolean; ends: boolean },
    goesOn: (sentBytes: number) => boolean = () => true,
  ): Promise<boolean> {
    const { random } = stream;
    let hasEnded = false;
    for (const [begin, to] of piecesOf(random, bytes)) {
      for (let from = begin; from < to; ) {
        while (stream.sendable <= 0 || this.#sendable <= 0) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
          if (!this.streams.has(id)) return false;
        }
        const most = Math.min(16_000, to - from, stream.sendable, this.#sendable);
        const room = Math.min(stream.sendable, this.#sendable) - most - 1;
        const padding = random() < 0.2 ? Math.min(wholeOf(random, 200), room) : -1;
        hasEnded = ends && from + most === bytes && random() < 0.7;
        this.#data(id, stream, patternOf(body, from, from + most), padding, hasEnded);
        from += most;
        if (!goesOn(from)) return false;
      }
      if (isSlow && random() < 0.7) await pause(random, true);
      else if (this.socket.writableNeedDrain) await pause(random, false);
      if (!this.streams.has(id)) return false;
    }
    if (ends && !hasEnded) this.#data(id, stream, Buffer.alloc(0), -1, true);
    return true;
  }

  protected fault(text: string): void {
    this.faults.push(text);
    this.socket.destroy();
    this.end(text);
  }

  protected end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const streams = [...this.streams];
    this.streams.clear();
    for (const [id, stream] of streams) this.onGone(id, stream, why);
    this.#wake();
  }

  #data(id: number, stream: S, bytes: Buffer, padding: number, isEnd: boolean): void {
    const isPadded = padding >= 0;
    const payload = isPadded ? Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)]) : bytes;
    stream.sendable -= payload.length;
    this.#sendable -= payload.length;
    this.socket.write(frame(Frame.data, (isPadded ? Flag.padded : 0) | (isEnd ? Flag.endStream : 0), id, payload));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #onData(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    const preface = Math.min(this.#prefaceLeft, this.#unread.length);
    this.#prefaceLeft -= preface;
    this.#unread = this.#unread.subarray(preface);
    while (this.#unread.length >= 9 && !this.#isOver) {
      const length = 9 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < length) break;
      const [received] = parseFrames(this.#unread.subarray(0, length));
      this.#unread = this.#unread.subarray(length);
      if (received !== undefined) this.#onFrame(received);
    }
    const { random } = this.#options;
    if (random() > 0.05) return;
    this.socket.pause();
    const goOn = () => void this.socket.resume();
    pause(random, true).then(goOn, goOn);
  }

  #onFrame({ type, flags, stream: id, payload }: WireFrame): void {
    const stream = this.streams.get(id);
    switch (type) {
      case Frame.data:
        this.#onBody(id, stream, payload, (flags & Flag.endStream) !== 0);
        return;
      case Frame.headers:
        this.#onHead(id, stream, payload, flags);
        return;
      case Frame.rstStream:
        if (stream === undefined) return;
        this.leave(id);
        this.onGone(id, stream, `reset ${payload.readUInt32BE(0)}`);
        return;
      case Frame.settings:
        this.#onSettings(flags, payload);
        return;
      case Frame.windowUpdate:
        if (id === 0) this.#sendable += payload.readUInt32BE(0);
        else if (stream !== undefined) stream.sendable += payload.readUInt32BE(0);
        this.#wake();
        return;
      case Frame.ping:
        if (flags === 0) this.socket.write(frame(Frame.ping, Flag.ack, 0, payload));
        return;
      case Frame.goaway:
        if (payload.readUInt32BE(4) !== 0)
          this.fault(`GOAWAY ${payload.readUInt32BE(4)} ${payload.toString('latin1', 8)}`);
        return;
      default:
        this.fault(`a frame of type ${type}`);
    }
  }

  #onSettings(flags: number, payload: Buffer): void {
    if (flags !== 0) {
      const window = this.#announced.shift() as number;
      for (const [id, stream] of this.streams) {
        stream.receivable += window - this.window;
        this.#grant(id, stream);
      }
      this.window = window;
      return;
    }
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== Setting.initialWindowSize) continue;
      const window = payload.readUInt32BE(at + 2);
      for (const stream of this.streams.values()) stream.sendable += window - this.peerWindow;
      this.peerWindow = window;
    }
    this.socket.write(settingsAck);
    this.#wake();
  }

  #onHead(id: number, stream: S | undefined, payload: Buffer, flags: number): void {
    const fields = new DecodedFields();
    fields.begin(1 << 20);
    const isDecoded = (flags & Flag.endHeaders) !== 0 && this.#decoder.decode(payload, 0, payload.length, fields);
    if (!isDecoded) this.fault(`stream ${id}: a head that does not decode`);
    else if (!this.left.has(id)) this.onHead(id, stream, flatFields(fields.list), (flags & Flag.endStream) !== 0);
  }

  #onBody(id: number, stream: S | undefined, payload: Buffer, isEnd: boolean): void {
    this.#receivable -= payload.length;
    if (this.#receivable < 0) this.fault(`the window of the connection is exceeded by ${-this.#receivable}`);
    this.#grantConnection(payload.length);
    if (stream === undefined) {
      if (!this.left.has(id)) this.fault(`DATA on stream ${id}, which is closed`);
      return;
    }
    stream.receivable -= payload.length;
    if (payload.length > 0 && stream.receivable < 0) {
      this.fault(`the window of stream ${id} is exceeded by ${-stream.receivable}`);
      return;
    }
    if (stream.isPattern) stream.check.add(payload);
    this.onBody(id, stream, isEnd);
    this.#grant(id, stream);
  }

  #grantConnection(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < 16_384 && this.#receivable > 16_384) return;
    this.#receivable += this.#owed;
    if (this.#owed > 0) this.socket.write(windowUpdate(0, this.#owed));
    this.#owed = 0;
  }

  /** Windows of one byte, of none and of less make way at last. */
  #grant(id: number, stream: S): void {
    if (stream.receivable >= 32_768 || stream.isGranting || !this.streams.has(id)) return;
    stream.isGranting = true;
    void this.#grantInPieces(id, stream);
  }

  async #grantInPieces(id: number, stream: S): Promise<void> {
    const { random, readsSlowly } = stream;
    // A few small ones: more of them would be a flood.
    for (let at = 0; stream.receivable < 32_768; at += 1) {
      await pause(random, readsSlowly);
      if (!this.streams.has(id)) return;
      if (this.#options.changesWindow && random() < 0.02) this.announce(oneOf(random, [0, 1, 10, 100, 4_096, 65_535]));
      const increment = 1 + wholeOf(random, at < 2 ? oneOf(random, [0, 10, 1_000]) : 65_536);
      stream.receivable += increment;
      this.socket.write(windowUpdate(id, increment));
    }
    stream.isGranting = false;
  }
}
