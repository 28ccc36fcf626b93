import type { Socket } from 'node:net';
import { ErrorCode, Flag } from '../../src/http/http2/frames.ts';
import { block, headers } from '../http2-wire.ts';
import type { EndpointOptions } from './byte-endpoints.ts';
import { FramePeer, type FramePeerOptions, type PeerStream } from './frame-peer.ts';
import { PatternCheck } from './pattern.ts';
import { type BytePlan, pause, planOf, randomOf, uploadOf } from './plan.ts';

interface ServedStream extends PeerStream {
  readonly plan: BytePlan;
  isReported: boolean;
}

/** One connection of HTTP/2 of the proxy's. */
export class Http2ByteConnection extends FramePeer<ServedStream> {
  readonly #endpoint: EndpointOptions;

  constructor(socket: Socket, endpoint: EndpointOptions, options: FramePeerOptions) {
    super(socket, 'server', options);
    this.#endpoint = endpoint;
  }

  protected override onHead(
    id: number,
    before: ServedStream | undefined,
    fields: readonly string[],
    isEnd: boolean,
  ): void {
    if (before !== undefined) {
      this.#onRequestEnd(id, before);
      return;
    }
    const plan = planOf(fields[fields.indexOf(':path') + 1] ?? '');
    const stream: ServedStream = {
      plan,
      check: new PatternCheck(uploadOf(plan.id)),
      random: randomOf(plan.seed + 1),
      readsSlowly: plan.reading === 'slow',
      receivable: this.window,
      sendable: this.peerWindow,
      isGranting: false,
      isPattern: true,
      isReported: false,
    };
    this.open(id, stream);
    if (this.#endpoint.refuses?.(plan) === true) {
      this.#report(stream, false);
      this.leave(id, ErrorCode.refusedStream);
      return;
    }
    if (plan.responds === 'early') void this.#respond(id, stream);
    if (isEnd) this.#onRequestEnd(id, stream);
  }

  protected override onBody(id: number, stream: ServedStream, isEnd: boolean): void {
    if (isEnd) this.#onRequestEnd(id, stream);
  }

  protected override onGone(_id: number, stream: ServedStream): void {
    this.#report(stream, false);
  }

  protected override fault(text: string): void {
    super.fault(text);
    this.#endpoint.onFault?.(text);
  }

  #onRequestEnd(id: number, stream: ServedStream): void {
    this.#report(stream, true);
    if (stream.plan.responds === 'after') void this.#respond(id, stream);
  }

  #report(stream: ServedStream, isWhole: boolean): void {
    if (stream.isReported) return;
    stream.isReported = true;
    const { bytes, fault } = stream.check;
    this.#endpoint.onAttempt({ id: stream.plan.id, bytes, fault, isWhole });
  }

  async #respond(id: number, stream: ServedStream): Promise<void> {
    const { plan, random } = stream;
    const fields: [string, string][] = [
      [':status', '200'],
      ['x-id', String(plan.id)],
    ];
    if (plan.framing === 'length') fields.push(['content-length', String(plan.sizeBytes)]);
    this.socket.write(headers(id, block(fields), Flag.endHeaders));
    const isWhole = plan.ends === 'whole';
    const hasTrailers = isWhole && plan.framing === 'chunked';
    const bytes = isWhole ? plan.sizeBytes : plan.cutAt;
    const isSlow = plan.writing === 'slow';
    const body = { body: plan.id, bytes, isSlow, ends: isWhole && !hasTrailers };
    if (!(await this.sendBody(id, stream, body))) return;
    if (hasTrailers) this.socket.write(headers(id, block([['x-sum', String(plan.id)]])));
    if (!isWhole) await pause(random, isSlow);
    // Without END_STREAM it is no end, whatever the code.
    if (!isWhole && this.streams.has(id))
      this.leave(id, plan.ends === 'reset' ? ErrorCode.internalError : ErrorCode.noError);
    // Where the request has not ended, what is left of it is not read.
    else if (!stream.isReported) this.leave(id, ErrorCode.noError);
    else this.leave(id);
    this.#report(stream, false);
  }
}
