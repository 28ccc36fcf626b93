import { ChunkedReader } from '../http/chunked-reader.ts';
import { parseErrors } from '../http/parse-error.ts';
import { type BodyFraming, defaultResponseLimits, type ReceivedHead, UpstreamHead } from '../http/response-head.ts';

/** All bytes that it gets, or only the rest of a piece that the system does not take at once. */
export type CopiesBytes = 'all' | 'rest';

/** Takes a response as it is read. Places are in `bytes` and hold only during the call. */
export interface ResponseConsumer {
  /** Needs body bytes without chunk framing. */
  readonly wantsPayload: boolean;
  /** Keeps none of the bytes that it gets, or only copies: they may be read into a buffer that all connections share. Default: it may. */
  readonly copiesBytes?: CopiesBytes | undefined;
  /** A 1xx other than 101. */
  onInterim(head: ReceivedHead): void;
  /** The head, and the body's first bytes that came with it. Returns `true` if `bytes` are still in use afterwards. */
  onHead(head: ReceivedHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean): boolean;
  /** `carried` precedes the bytes. Returns `true` if `bytes` are still in use afterwards. */
  onBody(bytes: Buffer, from: number, to: number, complete: boolean, carried: string): boolean;
  /** A 101 to a request that offered to upgrade; the bytes behind its head are the tunnel's. */
  onUpgrade(head: ReceivedHead, bytes: Buffer, from: number, to: number): void;
}

/** What came of reading a piece: more to come, all there, or why it cannot be read. */
export type ReadOutcome = 'more' | 'complete' | 'upgraded' | { readonly cause: string };

// One head is parsed at a time, and wholly used before the next.
const head = new UpstreamHead();

/** Reads one response after the other from the bytes of a connection, strictly (RFC 9112). */
export class ResponseReader {
  /** The endpoint lets its connection live, and sent no more than it announced. */
  persistent = false;
  /** The endpoint's keep-alive timeout, in milliseconds, or `Infinity`. */
  promisedIdleMs = Number.POSITIVE_INFINITY;
  /** Any byte of this response has arrived, interim ones too. */
  responding = false;
  /** Bytes of the last piece are still in use. */
  inUse = false;
  #taker: ResponseConsumer | undefined;
  #method = '';
  #mayUpgrade = false;
  #inBody = false;
  // Interim responses pass whether the client reads them or not, so all of them together may be as large as one head.
  #interimBytes = 0;
  #framing: BodyFraming = 'none';
  #left = 0;
  #chunks: ChunkedReader | undefined;
  #unread: Buffer | undefined;

  /**
   * @param method Of the request: a response to HEAD has no body.
   * @param mayUpgrade The request offered another protocol, so a 101 is expected.
   */
  begin(method: string, taker: ResponseConsumer, mayUpgrade = false): void {
    this.#taker = taker;
    this.#method = method;
    this.#mayUpgrade = mayUpgrade;
    this.#inBody = false;
    this.#interimBytes = 0;
    this.responding = false;
    this.#chunks = undefined;
    this.#unread = undefined;
  }

  /** Discards what follows: the receiver is gone. */
  leave(): void {
    this.#taker = undefined;
  }

  /** The head of the response is read; an interim one is not it. */
  get inBody(): boolean {
    return this.#inBody;
  }

  /** Trailer lines of a chunked response that is complete. */
  get trailers(): string {
    return this.#chunks?.trailers ?? '';
  }

  read(buffer: Buffer, length: number): ReadOutcome {
    this.responding = true;
    this.inUse = false;
    if (this.#inBody) return this.#readBody(buffer, 0, length, false);
    if (this.#unread === undefined) return this.#readHeads(buffer, length);
    const bytes = Buffer.concat([this.#unread, buffer.subarray(0, length)]);
    return this.#readHeads(bytes, bytes.length);
  }

  /** The endpoint has ended the connection: is the response complete by that? */
  readEnd(): boolean {
    if (!this.#inBody || this.#framing !== 'until-close') return false;
    this.#taker?.onBody(Buffer.alloc(0), 0, 0, true, '');
    return true;
  }

  #readHeads(bytes: Buffer, length: number): ReadOutcome {
    let at = 0;
    for (;;) {
      const outcome = at === length ? 'incomplete' : head.parse(bytes, at, length);
      if (outcome === 'incomplete') {
        // A copy: the bytes are the read buffer's. Interim heads that are done with are left out.
        this.#unread = at === length ? undefined : Buffer.from(bytes.subarray(at, length));
        return 'more';
      }
      if (outcome !== 'complete') return { cause: outcome.cause };
      // Without a body there is nothing whose end could be read in two ways.
      if (head.framingConflict && (head.interim || head.framingFor(this.#method) !== 'none'))
        return { cause: parseErrors.framingConflict.cause };
      if (!head.interim) break;
      if (head.status === 101) {
        // Without an offer the endpoint has changed protocol by itself.
        if (!this.#mayUpgrade) return { cause: 'unrequested-upgrade' };
        this.#unread = undefined;
        this.#taker?.onUpgrade(head, bytes, head.end, length);
        return 'upgraded';
      }
      this.#interimBytes += head.end - at;
      if (this.#interimBytes > defaultResponseLimits.headBytes) return { cause: 'too-many-interim-responses' };
      this.#taker?.onInterim(head);
      if (this.#taker === undefined) return 'more';
      at = head.end;
    }
    this.#unread = undefined;
    this.#inBody = true;
    this.#framing = head.framingFor(this.#method);
    this.persistent = head.persistent && this.#framing !== 'until-close';
    this.#left = this.#framing === 'length' ? head.contentLength : 0;
    this.#chunks = this.#framing === 'chunked' ? new ChunkedReader() : undefined;
    if (head.keepAlive !== -1) this.#readKeepAlive(bytes);
    return this.#readBody(bytes, head.end, length, true);
  }

  #readKeepAlive(bytes: Buffer): void {
    const { fields, keepAlive } = head;
    const value = bytes.toString('latin1', fields.valueStart(keepAlive), fields.valueEnd(keepAlive));
    const seconds = /timeout=(\d{1,6})/.exec(value)?.[1];
    if (seconds !== undefined) this.promisedIdleMs = Number(seconds) * 1000;
  }

  #readBody(bytes: Buffer, from: number, end: number, first: boolean): ReadOutcome {
    const taker = this.#taker;
    if (taker === undefined) return 'more';
    if (this.#chunks !== undefined) return this.#readChunks(this.#chunks, taker, bytes, from, end, first);
    let to = end;
    let complete = false;
    if (this.#framing === 'length') {
      to = Math.min(end, from + this.#left);
      this.#left -= to - from;
      complete = this.#left === 0;
    } else if (this.#framing === 'none') {
      to = from;
      complete = true;
    }
    // More than was announced is a response to nothing: it must not be taken for the next one.
    if (complete && to < end) this.persistent = false;
    this.inUse = first
      ? taker.onHead(head, bytes, this.#framing, from, to, complete)
      : taker.onBody(bytes, from, to, complete, '');
    return complete ? 'complete' : 'more';
  }

  #readChunks(
    chunks: ChunkedReader,
    taker: ResponseConsumer,
    bytes: Buffer,
    from: number,
    end: number,
    first: boolean,
  ): ReadOutcome {
    if (taker.wantsPayload) return this.#readPayload(chunks, taker, bytes, from, end, first);
    const error = chunks.read(bytes, from, end);
    // What came before the fault is not worth passing on: the response is lost either way.
    if (error !== undefined) return { cause: error.cause };
    const complete = chunks.done;
    if (complete && chunks.consumed < end) this.persistent = false;
    this.inUse = first
      ? taker.onHead(head, bytes, 'chunked', from, chunks.framedEnd, complete)
      : taker.onBody(bytes, from, chunks.framedEnd, complete, chunks.carried);
    return complete ? 'complete' : 'more';
  }

  #readPayload(
    chunks: ChunkedReader,
    taker: ResponseConsumer,
    bytes: Buffer,
    from: number,
    end: number,
    first: boolean,
  ): ReadOutcome {
    const give = (start: number, to: number) => {
      if (this.#taker !== undefined) this.inUse = taker.onBody(bytes, start, to, false, '') || this.inUse;
    };
    // A fault in what came with the head is found before the client gets it, as where the framing passes as it is.
    const held: number[] = [];
    const error = chunks.read(bytes, from, end, first ? (start, to) => held.push(start, to) : give);
    if (first && error === undefined) {
      taker.onHead(head, bytes, 'chunked', from, from, false);
      for (let at = 0; at < held.length; at += 2) give(held[at] as number, held[at + 1] as number);
    }
    if (this.#taker === undefined) return 'more';
    if (error !== undefined) return { cause: error.cause };
    if (!chunks.done) return 'more';
    if (chunks.consumed < end) this.persistent = false;
    taker.onBody(bytes, end, end, true, '');
    return 'complete';
  }
}
