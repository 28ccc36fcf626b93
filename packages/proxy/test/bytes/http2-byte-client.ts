import type { Socket } from 'node:net';
import { ErrorCode, Flag } from '../../src/http/http2/frames.ts';
import { block, headers } from '../http2-wire.ts';
import { type ByteClient, type Manner, methodOf, type Outcome } from './byte-client.ts';
import { FramePeer, type FramePeerOptions, type PeerStream } from './frame-peer.ts';
import { PatternCheck } from './pattern.ts';
import { type BytePlan, randomOf, uploadOf } from './plan.ts';

interface ClientStream extends PeerStream {
  readonly plan: BytePlan;
  readonly manner: Manner;
  status: number;
  trailers: string;
  done(end: Outcome['end'], error?: string): void;
}

/** One connection of HTTP/2 to the proxy. */
export class Http2ByteClient extends FramePeer<ClientStream> implements ByteClient {
  #nextId = 1;

  constructor(socket: Socket, options: FramePeerOptions) {
    super(socket, 'client', options);
  }

  close(): void {
    this.socket.destroy();
    this.end('closed');
  }

  exchange(path: string, plan: BytePlan, manner: Manner): Promise<Outcome> {
    return new Promise((resolve) => {
      const check = new PatternCheck(plan.id);
      const stream: ClientStream = {
        plan,
        manner,
        check,
        random: randomOf(plan.seed + 2),
        readsSlowly: manner.reading === 'slow',
        receivable: this.window,
        sendable: this.peerWindow,
        isGranting: false,
        isPattern: false,
        status: 0,
        trailers: '',
        done: (end, error = '') => {
          const { status, trailers } = stream;
          resolve({ end, status, bytes: check.bytes, fault: check.fault, trailers, error });
        },
      };
      if (this.isOver) stream.done('error', 'the connection is over');
      else this.#begin(path, stream);
    });
  }

  #begin(path: string, stream: ClientStream): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.open(id, stream);
    const { plan, manner } = stream;
    const hasBody = plan.uploadBytes > 0;
    const fields: [string, string][] = [
      [':method', hasBody ? methodOf(manner) : 'GET'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', 'a.example'],
      ['te', 'trailers'],
    ];
    if (hasBody && !manner.isUnsized) fields.push(['content-length', String(plan.uploadBytes)]);
    this.socket.write(headers(id, block(fields), Flag.endHeaders | (hasBody ? 0 : Flag.endStream)));
    if (!hasBody) return;
    const body = { body: uploadOf(plan.id), bytes: plan.uploadBytes, isSlow: manner.writing === 'slow', ends: true };
    void this.sendBody(id, stream, body, (sent) => {
      if (manner.leavesAtSent === -1 || sent < manner.leavesAtSent) return true;
      this.#goAway(id, stream);
      return false;
    });
  }

  #goAway(id: number, stream: ClientStream): void {
    this.leave(id, ErrorCode.cancel);
    stream.done('left');
  }

  protected override onGone(_id: number, stream: ClientStream, why: string): void {
    stream.done('error', why);
  }

  protected override onHead(
    id: number,
    stream: ClientStream | undefined,
    fields: readonly string[],
    isEnd: boolean,
  ): void {
    if (stream === undefined) {
      this.fault(`a head on stream ${id}, which is closed`);
      return;
    }
    if (stream.status !== 0) {
      stream.trailers = fields.join(': ');
      if (!isEnd) this.fault(`stream ${id}: a second head`);
    } else {
      const field = (name: string) => fields[fields.indexOf(name) + 1];
      const status = Number(field(':status'));
      if (status < 200) return;
      stream.status = status;
      stream.isPattern = status === 200;
      if (status === 200 && field('x-id') !== String(stream.plan.id))
        this.fault(`the head of ${field('x-id')} came for ${stream.plan.id}`);
    }
    if (isEnd) this.#whole(id, stream);
  }

  protected override onBody(id: number, stream: ClientStream, isEnd: boolean): void {
    const { leavesAtReceived } = stream.manner;
    if (stream.status === 0) this.fault(`DATA before the head on stream ${id}`);
    else if (leavesAtReceived !== -1 && stream.check.bytes >= leavesAtReceived) this.#goAway(id, stream);
    else if (isEnd) this.#whole(id, stream);
  }

  #whole(id: number, stream: ClientStream): void {
    this.leave(id);
    stream.done('whole');
  }
}
