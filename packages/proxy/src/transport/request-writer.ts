import type { Socket } from 'node:net';
import { LentWriter } from './lent-writer.ts';

/** Writes the requests of one connection: a head waits for the end of the turn, or for the body that follows it at once. */
export class RequestWriter {
  readonly #socket: Socket;
  /** Head and first bytes of a request. */
  #unsent = '';
  /** Made with the first body or tunnel. */
  #lent: LentWriter | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing of the request has left. */
  get isUnsent(): boolean {
    return this.#unsent !== '';
  }

  /** @returns `true`: it is the first text that waits, so `flush` has to be called at the end of the turn */
  add(text: string): boolean {
    const isFirst = this.#unsent === '';
    this.#unsent += text;
    return isFirst;
  }

  /** It was responded to before it left. */
  drop(): void {
    this.#unsent = '';
  }

  flush(): void {
    const text = this.#unsent;
    // What never left a closed connection stays: its request can be sent again, whatever its method.
    if (text === '' || this.#socket.destroyed) return;
    this.#socket.write(text, 'latin1');
    // A write that fails at once has sent nothing: the reset was here before the request.
    if (this.#socket.errored === null) this.#unsent = '';
  }

  /** Writes a piece of a body that holds only during the call. Returns `false` where the caller waits for `drain`. */
  writeBody(bytes: Buffer, from: number, to: number, isChunk: boolean): boolean {
    this.#lent ??= new LentWriter(this.#socket);
    const text = this.#unsent;
    const isClosed = this.#socket.destroyed;
    const goesOn = isChunk
      ? this.#lent.write(`${text}${(to - from).toString(16)}\r\n`, bytes, from, to, '\r\n')
      : this.#lent.write(text, bytes, from, to, '');
    // As `flush`, but of a long piece some may have left before the write of the rest failed.
    if (this.#lent.tookSome || !(isClosed || this.#socket.errored !== null)) this.#unsent = '';
    return goesOn;
  }
}
