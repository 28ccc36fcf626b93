import type { ResponseHead } from '../../http/http2/message-head.ts';
import type { BodyFraming } from '../../http/response-head.ts';
import type { ResponseConsumer } from '../response-reader.ts';

/**
 * Gives a response to its receiver, head and body together where they came together: a piece is held until the next one,
 * the end, or `deliver`.
 */
export class ResponseAssembly {
  /** The receiver has all of it. */
  delivered = false;
  readonly #method: string;
  #inUse = false;
  #receiver: ResponseConsumer | undefined;
  #head: ResponseHead | undefined;
  #ended = false;
  #bytes: Buffer = noBytes;
  #from = 0;
  #to = 0;

  constructor(head: ResponseHead, method: string, receiver: ResponseConsumer) {
    this.#head = head;
    this.#method = method;
    this.#receiver = receiver;
  }

  /** Whether bytes that it has passed on since the last call are still in use. */
  takeInUse(): boolean {
    const inUse = this.#inUse;
    this.#inUse = false;
    return inUse;
  }

  /** Discards what follows: the receiver is gone. */
  leave(): void {
    this.#receiver = undefined;
  }

  /** `bytes` are valid until the read that they came with has ended; `deliver` is called by then. */
  add(bytes: Buffer, from: number, to: number): void {
    if (this.#to > this.#from) this.#pass(false);
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  end(): void {
    this.#ended = true;
  }

  /** Passes on what is held. */
  deliver(): void {
    if (this.delivered) return;
    if (this.#head !== undefined || this.#to > this.#from || this.#ended) this.#pass(this.#ended);
  }

  #pass(complete: boolean): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const head = this.#head;
    const bytes = this.#bytes;
    const from = this.#from;
    const to = this.#to;
    this.#head = undefined;
    this.#bytes = noBytes;
    this.#from = this.#to = 0;
    this.delivered = complete;
    const inUse =
      head === undefined
        ? receiver.onBody(bytes, from, to, complete, '')
        : receiver.onHead(head, bytes, framingOf(head, this.#method), from, to, complete);
    if (inUse) this.#inUse = true;
  }
}

function framingOf({ status, contentLength }: ResponseHead, method: string): BodyFraming {
  if (status === 204 || status === 304 || method === 'HEAD' || contentLength === 0) return 'none';
  return contentLength === -1 ? 'unsized' : 'length';
}

const noBytes = Buffer.alloc(0);
