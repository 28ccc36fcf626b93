import { Http2ClientSession } from '../src/http/http2/client-session.ts';
import type { Fault } from '../src/http/http2/faults.ts';
import { releaseOutput } from '../src/http/http2/frame-output.ts';
import { clientPreface, Flag, Frame } from '../src/http/http2/frames.ts';
import type { HeaderField } from '../src/http/http2/header-field.ts';
import { DecodedFields, HpackDecoder } from '../src/http/http2/hpack/decoder.ts';
import {
  flatFields,
  type RefusedRequest,
  type RequestHead,
  type ResponseHead,
} from '../src/http/http2/message-head.ts';
import { Http2ServerSession } from '../src/http/http2/server-session.ts';
import type { Http2Session } from '../src/http/http2/session.ts';
import type { ClientEvents, ServerEvents, SessionEvents, StreamReset } from '../src/http/http2/session-events.ts';
import type { SessionOptions } from '../src/http/http2/session-options.ts';
import type { Http2Stream } from '../src/http/http2/stream.ts';

export interface WireFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | readonly number[] = []): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(values: readonly (readonly [number, number])[] = []): Buffer {
  const payload = Buffer.alloc(values.length * 6);
  values.forEach(([identifier, value], at) => {
    payload.writeUInt16BE(identifier, at * 6);
    payload.writeUInt32BE(value, at * 6 + 2);
  });
  return frame(Frame.settings, 0, 0, payload);
}

export const settingsAck: Buffer = frame(Frame.settings, Flag.ack, 0);

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(Frame.windowUpdate, 0, stream, uint32(increment));
}

export function rstStream(stream: number, errorCode: number): Buffer {
  return frame(Frame.rstStream, 0, stream, uint32(errorCode));
}

export function goaway(lastStream: number, errorCode = 0): Buffer {
  return frame(Frame.goaway, 0, 0, Buffer.concat([uint32(lastStream), uint32(errorCode)]));
}

export function data(stream: number, text: string | Buffer, endStream = false): Buffer {
  return frame(Frame.data, endStream ? Flag.endStream : 0, stream, Buffer.from(text as string, 'latin1'));
}

/** A field block of literals that are neither indexed nor coded (RFC 7541, section 6.2.2). */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export function headers(
  stream: number,
  fields: readonly (readonly [string, string])[] | Buffer,
  flags: number = Flag.endHeaders | Flag.endStream,
): Buffer {
  return frame(Frame.headers, flags, stream, Buffer.isBuffer(fields) ? fields : block(fields));
}

/** Pseudo-header fields of a plain request. */
export const plainGet: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'shop.example'],
];

export const plainPost: readonly (readonly [string, string])[] = [[':method', 'POST'], ...plainGet.slice(1)];

export function parseFrames(bytes: Buffer): WireFrame[] {
  const frames: WireFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload,
    });
    at += 9 + length;
  }
  return frames;
}

const names = Object.fromEntries(Object.entries(Frame).map(([name, type]) => [type, name]));

/** A frame in a word: `rstStream 1 8`, `goaway 0 1 bad-preface`, `data 1 end hello`, `settings ack`. */
export function shown({ type, flags, stream, payload }: WireFrame): string {
  const parts = [names[type] ?? `type-${type}`];
  if (type === Frame.settings || type === Frame.ping) {
    if ((flags & Flag.ack) !== 0) parts.push('ack');
    if (type === Frame.ping) parts.push(payload.toString('latin1'));
    return parts.join(' ');
  }
  if (type === Frame.goaway) {
    const debug = payload.toString('latin1', 8);
    parts.push(String(payload.readUInt32BE(0)), String(payload.readUInt32BE(4)));
    if (debug !== '') parts.push(debug);
    return parts.join(' ');
  }
  parts.push(String(stream));
  if (type === Frame.rstStream || type === Frame.windowUpdate) parts.push(String(payload.readUInt32BE(0)));
  if ((type === Frame.data || type === Frame.headers) && (flags & Flag.endStream) !== 0) parts.push('end');
  if (type === Frame.data) parts.push(payload.length > 40 ? `${payload.length} bytes` : payload.toString('latin1'));
  return parts.join(' ');
}

/** Records what a session reports. `events` holds a line for each; the arrays hold the values. */
class Recorder implements SessionEvents {
  readonly events: string[] = [];
  readonly streams: Http2Stream[] = [];
  readonly resets: StreamReset[] = [];
  readonly faults: Fault[] = [];
  readonly trailers: string[][] = [];
  readonly bodies = new Map<number, string>();
  /** Consume body bytes as they come. */
  consumes = true;
  outputs = 0;

  onData(stream: Http2Stream, bytes: Buffer, from: number, to: number): void {
    this.events.push(`data ${stream.id} ${to - from}`);
    this.bodies.set(stream.id, (this.bodies.get(stream.id) ?? '') + bytes.toString('latin1', from, to));
    if (this.consumes) stream.consumed(to - from);
  }

  onTrailers(stream: Http2Stream, fields: readonly HeaderField[]): void {
    this.events.push(`trailers ${stream.id}`);
    this.trailers.push(flatFields(fields));
  }

  onEnd(stream: Http2Stream): void {
    this.events.push(`end ${stream.id}`);
  }

  onReset(stream: Http2Stream, reset: StreamReset): void {
    this.events.push(`reset ${stream.id} ${reset.errorCode} ${reset.origin} ${reset.cause}`);
    this.resets.push(reset);
  }

  onWindow(stream: Http2Stream): void {
    this.events.push(`window ${stream.id}`);
  }

  onOutput(): void {
    this.outputs++;
  }

  onGoaway(lastStream: number, errorCode: number, debug: string): void {
    this.events.push(`goaway ${lastStream} ${errorCode} ${debug}`.trimEnd());
  }

  onPong(payload: Buffer): void {
    this.events.push(`pong ${payload.toString('latin1')}`);
  }

  onSettings(): void {}

  onFault(fault: Fault): void {
    this.events.push(`fault ${fault.errorCode} ${fault.cause}`);
    this.faults.push(fault);
  }

  onDrained(): void {
    this.events.push('drained');
  }
}

class ServerRecorder extends Recorder implements ServerEvents {
  readonly heads: RequestHead[] = [];
  readonly refused: RefusedRequest[] = [];
  /** Called with each request, to respond at once. */
  respond: ((stream: Http2Stream, head: RequestHead) => void) | undefined = undefined;
  respondRefused: ((stream: Http2Stream, refused: RefusedRequest) => void) | undefined = undefined;

  onRequest(stream: Http2Stream, head: RequestHead, endStream: boolean): void {
    this.events.push(`request ${stream.id} ${head.method} ${head.path}${endStream ? ' end' : ''}`);
    this.streams.push(stream);
    this.heads.push(head);
    this.respond?.(stream, head);
  }

  onRefused(stream: Http2Stream, refused: RefusedRequest): void {
    this.events.push(`refused ${stream.id} ${refused.error.cause}`);
    this.refused.push(refused);
    this.respondRefused?.(stream, refused);
  }
}

class ClientRecorder extends Recorder implements ClientEvents {
  readonly heads: ResponseHead[] = [];

  onInterim(stream: Http2Stream, head: ResponseHead): void {
    this.events.push(`interim ${stream.id} ${head.status}`);
  }

  onResponse(stream: Http2Stream, head: ResponseHead, endStream: boolean): void {
    this.events.push(`response ${stream.id} ${head.status}${endStream ? ' end' : ''}`);
    this.heads.push(head);
  }
}

abstract class Rig<R extends Recorder, S extends Http2Session> {
  readonly recorder: R;
  readonly session: S;
  /** Decodes the heads that the session sends. */
  readonly #decoder = new HpackDecoder();

  constructor(recorder: R, session: S) {
    this.recorder = recorder;
    this.session = session;
  }

  feed(...pieces: readonly Buffer[]): this {
    const bytes = Buffer.concat(pieces);
    this.session.read(bytes, 0, bytes.length);
    return this;
  }

  bytes(): Buffer {
    const batch = this.session.takeOutput();
    if (batch === undefined) return Buffer.alloc(0);
    const bytes = Buffer.concat(batch.chunks);
    releaseOutput(batch);
    return bytes;
  }

  frames(): WireFrame[] {
    return parseFrames(this.bytes());
  }

  /** The frames that were sent since, in a word each. */
  sent(): string[] {
    return this.frames().map(shown);
  }

  /** What was reported since. */
  events(): string[] {
    return this.recorder.events.splice(0);
  }

  decode({ payload }: WireFrame): string[] {
    const fields = new DecodedFields();
    fields.begin(1 << 20);
    if (!this.#decoder.decode(payload, 0, payload.length, fields))
      throw new Error('the session sent a block that does not decode');
    return flatFields(fields.list);
  }
}

export class ServerRig extends Rig<ServerRecorder, Http2ServerSession> {
  constructor(options: Partial<SessionOptions> = {}) {
    const recorder = new ServerRecorder();
    super(recorder, new Http2ServerSession(recorder, options));
  }
}

export class ClientRig extends Rig<ClientRecorder, Http2ClientSession> {
  constructor(options: Partial<SessionOptions> = {}) {
    const recorder = new ClientRecorder();
    super(recorder, new Http2ClientSession(recorder, options));
  }

  get(path = '/', method = 'GET'): Http2Stream {
    const stream = this.session.request({ method, scheme: 'http', authority: 'a', path }, [], true);
    if (stream === undefined) throw new Error('no capacity');
    return stream;
  }

  post(path = '/'): Http2Stream {
    const stream = this.session.request({ method: 'POST', scheme: 'http', authority: 'a', path }, [], false);
    if (stream === undefined) throw new Error('no capacity');
    return stream;
  }
}

/** A server session whose peer has sent the preface and acknowledged SETTINGS; what it sent so far is taken. */
export function openServer(
  options: Partial<SessionOptions> = {},
  peerSettings: readonly (readonly [number, number])[] = [],
): ServerRig {
  const rig = new ServerRig(options).feed(clientPreface, settings(peerSettings), settingsAck);
  rig.bytes();
  return rig;
}

export function openClient(
  options: Partial<SessionOptions> = {},
  peerSettings: readonly (readonly [number, number])[] = [],
): ClientRig {
  const rig = new ClientRig(options).feed(settings(peerSettings), settingsAck);
  rig.bytes();
  return rig;
}
