import type { Socket } from 'node:net';
import { reset } from '../../src/transport/reset.ts';
import { type ByteClient, type Manner, methodOf, type Outcome } from './byte-client.ts';
import { MessageReader } from './http1-messages.ts';
import { PatternCheck, patternOf } from './pattern.ts';
import { afterTurns, type BytePlan, pause, piecesOf, type Random, randomOf, uploadOf } from './plan.ts';

interface Expected {
  readonly plan: BytePlan;
  readonly manner: Manner;
  readonly check: PatternCheck;
  readonly random: Random;
  status: number;
  done(end: Outcome['end'], error?: string, trailers?: string): void;
}

/** One connection of HTTP/1.1: exchanges that are begun while others run are pipelined. */
export class Http1ByteClient implements ByteClient {
  readonly faults: string[] = [];
  readonly #socket: Socket;
  readonly #expected: Expected[] = [];
  #sending: Promise<void> = Promise.resolve();
  #closes = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader(
      {
        onHead: (line, fields) => this.#onHead(Number(line.slice(9, 12)), fields),
        onBody: (bytes) => this.#onBody(bytes),
        onEnd: (trailers) => this.#expected.shift()?.done('whole', '', trailers),
      },
      true,
    );
    const read = (act: () => void) => {
      try {
        act();
      } catch (error) {
        this.faults.push(String(error));
        socket.destroy();
      }
    };
    socket.on('data', (bytes: Buffer) => read(() => reader.read(bytes)));
    socket.on('error', (error) => this.#onOver(String(error)));
    socket.on('end', () => {
      read(() => reader.readEnd());
      socket.end();
      this.#onOver('ended');
    });
    socket.on('close', () => this.#onOver('closed'));
  }

  get isOver(): boolean {
    return this.#socket.destroyed || this.#closes;
  }

  close(): void {
    this.#socket.destroy();
  }

  exchange(path: string, plan: BytePlan, manner: Manner): Promise<Outcome> {
    return new Promise((resolve) => {
      const check = new PatternCheck(plan.id);
      const expected: Expected = {
        plan,
        manner,
        check,
        random: randomOf(plan.seed + 2),
        status: 0,
        done: (end, error = '', trailers = '') =>
          resolve({ end, status: expected.status, bytes: check.bytes, fault: check.fault, trailers, error }),
      };
      if (this.isOver) {
        expected.done('error', 'the connection is over');
        return;
      }
      this.#expected.push(expected);
      this.#sending = this.#sending.then(() => this.#send(path, expected));
    });
  }

  async #send(path: string, { plan, manner, random }: Expected): Promise<void> {
    const socket = this.#socket;
    const bytes = plan.uploadBytes;
    const method = bytes === 0 ? 'GET' : methodOf(manner);
    const sized = bytes === 0 ? '' : `Content-Length: ${bytes}\r\n`;
    const framing = manner.isUnsized && bytes > 0 ? 'Transfer-Encoding: chunked\r\n' : sized;
    const waiting: Buffer[] = [
      Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\n${framing}\r\n`),
    ];
    for (const [from, to] of piecesOf(random, bytes)) {
      const piece = patternOf(uploadOf(plan.id), from, to);
      if (!manner.isUnsized) waiting.push(piece);
      else waiting.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      if (manner.writing === 'slow' && random() < 0.7) {
        socket.write(Buffer.concat(waiting.splice(0)));
        await pause(random, true);
      }
      if (manner.leavesAtSent !== -1 && to >= manner.leavesAtSent) {
        socket.write(Buffer.concat(waiting.splice(0)));
        await pause(random, false);
        this.#leave();
        return;
      }
      if (socket.destroyed) return;
    }
    if (manner.isUnsized && bytes > 0) waiting.push(Buffer.from('0\r\n\r\n'));
    socket.write(Buffer.concat(waiting));
  }

  #onHead(status: number, fields: ReadonlyMap<string, string>): boolean {
    const [first] = this.#expected;
    if (first === undefined) throw new Error(`a response without a request: ${status}`);
    first.status = status;
    if (fields.get('connection') === 'close') this.#closes = true;
    const id = fields.get('x-id');
    if (status === 200 && id !== String(first.plan.id)) throw new Error(`the head of ${id} came for ${first.plan.id}`);
    return status === 204 || status === 304;
  }

  #onBody(bytes: Buffer): void {
    const [first] = this.#expected;
    if (first === undefined) return;
    // A response of the proxy's own has no pattern.
    if (first.status === 200) first.check.add(bytes);
    if (first.manner.leavesAtReceived !== -1 && first.check.bytes >= first.manner.leavesAtReceived) this.#leave();
    else if (first.manner.reading === 'slow') this.#rest(first, first.check.bytes === bytes.length);
  }

  /** So long at the beginning that what comes fills the system's buffers. */
  #rest(of: Expected, isFirst: boolean): void {
    if (!isFirst && of.random() > 0.5) return;
    this.#socket.pause();
    const goOn = () => void this.#socket.resume();
    (isFirst ? afterTurns(500) : pause(of.random, true)).then(goOn, goOn);
  }

  #leave(): void {
    const [first] = this.#expected.splice(0, 1);
    first?.done('left');
    if ((first?.random() ?? 0) < 0.5) reset(this.#socket);
    else this.#socket.destroy();
    this.#onOver('left');
  }

  #onOver(why: string): void {
    for (const each of this.#expected.splice(0)) each.done('error', why);
  }
}
