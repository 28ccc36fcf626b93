import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { guard } from '@swarmgate/runtime';
import { fieldName } from '../../../http/http2/field-names.ts';
import { ErrorCode } from '../../../http/http2/frames.ts';
import { validatedField } from '../../../http/http2/header-field.ts';
import { DecodedFields } from '../../../http/http2/hpack/decoder.ts';
import { validateTrailers } from '../../../http/http2/message-head.ts';
import type { RequestStream } from '../request-stream.ts';
import type { ServedStream } from '../served-stream.ts';

/** Body bytes that have come and were not passed on, beyond which the client waits. */
const mostUnconsumedBytes = 262_144;

/** A stream of node:http2 as the requests of the own server use theirs. */
export class ReferenceStream implements ServedStream {
  context: unknown = undefined;
  isTunnel = false;
  closed = false;
  remoteEnded: boolean;
  localEnded = false;
  awaitsWindow = false;
  /** node:http2 does not show what a stream waits for. */
  readonly rivals = 0;
  readonly #stream: ServerHttp2Stream;
  #headSent = false;
  #trailers: OutgoingHttpHeaders = {};
  #unconsumedBytes = 0;
  #writtenBytes = 0;

  constructor(stream: ServerHttp2Stream, ended: boolean) {
    this.#stream = stream;
    this.remoteEnded = ended;
  }

  get sentBytes(): number {
    return this.#writtenBytes - this.#stream.writableLength;
  }

  /** Reports to the request what comes from now on. */
  lead(request: RequestStream, maxFields: number): void {
    const stream = this.#stream;
    const on = (event: string, act: (argument: Buffer, flags: unknown, raw: string[]) => void) => {
      let raw: string[] = [];
      const guarded = guard(request, (argument: Buffer, flags: unknown) => act(argument, flags, raw));
      stream.on(event, (argument: Buffer, flags: unknown, fields: string[]) => {
        raw = fields;
        guarded(argument, flags);
      });
    };
    on('data', (bytes) => this.#onData(request, bytes));
    on('trailers', (_fields, _flags, raw) => {
      const trailers = validateTrailers(decodedFields(raw, Number.POSITIVE_INFINITY), maxFields);
      if (trailers === undefined) this.reset(ErrorCode.protocolError);
      else request.onTrailers(trailers.map((field) => field.line).join(''));
    });
    on('end', () => {
      if (this.remoteEnded) return;
      this.remoteEnded = true;
      if (!this.closed) request.onEnd();
    });
    on('drain', () => {
      if (!this.awaitsWindow) return;
      this.awaitsWindow = false;
      request.onWindow();
    });
    on('wantTrailers', () => stream.sendTrailers(this.#trailers));
    on('finish', () => {
      // A whole response makes the rest of the request useless (RFC 9113, section 8.1).
      if (!this.remoteEnded && !this.isTunnel) stream.close(ErrorCode.noError);
    });
    // 'close' follows.
    on('error', () => undefined);
    on('close', () => {
      this.closed = true;
      request.onReset();
    });
  }

  sendHead(status: number, flat: readonly string[], endStream: boolean): boolean {
    if (this.closed || this.localEnded || this.#headSent) return this.closed;
    const options = { endStream, waitForTrailers: !endStream, sendDate: false };
    try {
      this.#stream.respond([':status', String(status), ...flat] as unknown as OutgoingHttpHeaders, options);
    } catch {
      return false;
    }
    this.#headSent = true;
    this.localEnded = endStream;
    return true;
  }

  sendInterim(status: number, flat: readonly string[]): boolean {
    if (this.closed || this.localEnded || this.#headSent) return this.closed;
    try {
      this.#stream.additionalHeaders({ ':status': status, ...fieldsOf(flat) });
    } catch {
      return false;
    }
    return true;
  }

  sendData(bytes: Uint8Array, from: number, to: number, endStream: boolean): boolean {
    if (this.closed || this.localEnded) return true;
    this.localEnded = endStream;
    this.#writtenBytes += to - from;
    // The bytes are valid during the call alone.
    const copy = Buffer.from(bytes.subarray(from, to));
    if (endStream) this.#stream.end(copy);
    else this.awaitsWindow = !this.#stream.write(copy);
    return !this.awaitsWindow;
  }

  sendTrailers(flat: readonly string[]): boolean {
    if (this.closed || this.localEnded) return this.closed;
    this.#trailers = fieldsOf(flat);
    this.localEnded = true;
    this.#stream.end();
    return true;
  }

  reset(errorCode: number): void {
    if (this.closed) return;
    this.closed = true;
    this.#stream.close(errorCode);
  }

  consumed(bytes: number): void {
    this.#unconsumedBytes -= bytes;
    if (this.#unconsumedBytes < mostUnconsumedBytes) this.#stream.resume();
  }

  #onData(request: RequestStream, bytes: Buffer): void {
    if (this.closed) return;
    this.#unconsumedBytes += bytes.length;
    if (this.#unconsumedBytes >= mostUnconsumedBytes) this.#stream.pause();
    request.onData(bytes, 0, bytes.length);
  }
}

/** Fields as the own decoder gives them, so that the same code validates them. */
export function decodedFields(raw: readonly string[], limitBytes: number): DecodedFields {
  const decoded = new DecodedFields();
  decoded.begin(limitBytes);
  for (let at = 0; at < raw.length; at += 2) {
    const value = Buffer.from(raw[at + 1] as string, 'latin1');
    decoded.add(validatedField(fieldName(raw[at] as string), value, 0, value.length));
  }
  return decoded;
}

function fieldsOf(flat: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    fields[name] = [...(fields[name] ?? []), flat[at + 1] as string];
  }
  return fields;
}
