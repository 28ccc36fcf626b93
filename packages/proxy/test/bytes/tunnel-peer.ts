import type { Socket } from 'node:net';
import { ErrorCode, Flag } from '../../src/http/http2/frames.ts';
import { block, headers } from '../http2-wire.ts';
import { FramePeer, type FramePeerOptions, type PeerStream } from './frame-peer.ts';
import { PatternCheck } from './pattern.ts';
import { type BytePlan, pathOf, pause, planOf, randomOf } from './plan.ts';
import { type TunnelOutcome, type TunnelSide, tunnelSideOf } from './tunnel-end.ts';

interface TunnelStream extends PeerStream {
  readonly plan: BytePlan;
  isOpen: boolean;
  hasSent: boolean;
  hasReceived: boolean;
  done(end: TunnelOutcome['end'], error?: string): void;
}

/** Either side of a connection of HTTP/2 whose streams are tunnels (RFC 8441). */
export class TunnelPeer extends FramePeer<TunnelStream> {
  readonly #side: TunnelSide;
  readonly #onEnd: (plan: BytePlan, end: TunnelOutcome) => void;
  #nextId = 1;

  constructor(
    socket: Socket,
    side: TunnelSide,
    options: FramePeerOptions,
    onEnd: (plan: BytePlan, end: TunnelOutcome) => void = () => undefined,
  ) {
    super(socket, side === 'client' ? 'client' : 'server', options);
    this.#side = side;
    this.#onEnd = onEnd;
  }

  close(): void {
    this.socket.destroy();
    this.end('closed');
  }

  tunnel(service: string, plan: BytePlan): Promise<TunnelOutcome> {
    return new Promise((resolve) => {
      const id = this.#nextId;
      this.#nextId += 2;
      this.open(id, this.#streamOf(plan, resolve));
      const fields: [string, string][] = [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        [':scheme', 'http'],
        [':path', pathOf(service, plan)],
        [':authority', 'a.example'],
        ['sec-websocket-version', '13'],
      ];
      this.socket.write(headers(id, block(fields), Flag.endHeaders));
    });
  }

  #streamOf(plan: BytePlan, done: (outcome: TunnelOutcome) => void): TunnelStream {
    const check = new PatternCheck(tunnelSideOf(plan, this.#side).expects.body);
    return {
      plan,
      check,
      random: randomOf(plan.seed + (this.#side === 'client' ? 2 : 1)),
      readsSlowly: plan.reading === 'slow',
      receivable: this.window,
      sendable: this.peerWindow,
      isGranting: false,
      isPattern: true,
      isOpen: false,
      hasSent: false,
      hasReceived: false,
      done: (end, error = '') => done({ bytes: check.bytes, fault: check.fault, end, error }),
    };
  }

  protected override onHead(id: number, stream: TunnelStream | undefined, fields: readonly string[]): void {
    if (this.#side === 'endpoint') {
      const plan = planOf(fields[fields.indexOf(':path') + 1] ?? '');
      const served = this.#streamOf(plan, (outcome) => this.#onEnd(plan, outcome));
      this.open(id, served);
      this.socket.write(headers(id, block([[':status', '200']]), Flag.endHeaders));
      void this.#send(id, served);
    } else if (stream !== undefined) {
      const status = fields[fields.indexOf(':status') + 1];
      if (status !== '200' || stream.isOpen) this.fault(`stream ${id}: no tunnel, ${fields.join(' ')}`);
      stream.isOpen = true;
      void this.#send(id, stream);
    }
  }

  protected override onBody(id: number, stream: TunnelStream, isEnd: boolean): void {
    if (!isEnd) return;
    stream.hasReceived = true;
    stream.done('whole');
    this.#settle(id, stream);
  }

  protected override onGone(_id: number, stream: TunnelStream, why: string): void {
    stream.done('error', why);
  }

  async #send(id: number, stream: TunnelStream): Promise<void> {
    const { plan } = stream;
    const { sends } = tunnelSideOf(plan, this.#side);
    const isCut = this.#side === 'endpoint' && plan.ends === 'reset';
    const bytes = isCut ? plan.cutAt : sends.bytes;
    const isSent = await this.sendBody(id, stream, { ...sends, bytes, isSlow: plan.writing === 'slow', ends: !isCut });
    if (!isSent) return;
    if (isCut) {
      await pause(stream.random, false);
      stream.done('error', 'cut');
      this.leave(id, ErrorCode.cancel);
      return;
    }
    stream.hasSent = true;
    this.#settle(id, stream);
  }

  #settle(id: number, stream: TunnelStream): void {
    if (stream.hasSent && stream.hasReceived) this.leave(id);
  }
}
