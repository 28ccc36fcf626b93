import type { BodySource } from '../../exchange/client-side.ts';
import { ChunkedReader } from '../../http/chunked-reader.ts';
import { type ParseError, parseErrors } from '../../http/parse-error.ts';
import type { RequestHead } from '../../http/request-head.ts';

// A larger chunk costs less as a write of its own than moved.
const mostMovedBytes = 4_096;

export type TakePayload = Parameters<BodySource['read']>[0];

/**
 * The body of one request: finds its end and its payload. Chunk framing ends here, so extensions and oddities of the
 * client's chunks never reach an endpoint (RFC 9112, section 7.1.1).
 */
export class RequestBody {
  #left: number;
  readonly #chunks: ChunkedReader | undefined;
  readonly #mostBytes: number;
  #payloadBytes = 0;
  #done: boolean;

  /** @param mostBytes of a chunked body, which does not announce its length; 0: unlimited */
  constructor(head: Pick<RequestHead, 'chunked' | 'contentLength' | 'hasBody'>, mostBytes = 0) {
    this.#mostBytes = mostBytes === 0 ? Number.POSITIVE_INFINITY : mostBytes;
    this.#left = head.chunked ? 0 : Math.max(0, head.contentLength);
    this.#chunks = head.chunked ? new ChunkedReader() : undefined;
    this.#done = !head.hasBody;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Its length was announced: no fault can be in what has come. */
  get isSized(): boolean {
    return this.#chunks === undefined;
  }

  /** Trailer lines, once it is done. */
  get trailers(): string {
    return this.#chunks?.trailers ?? '';
  }

  /** Returns where the body ends in this piece (`end` if it goes on), or why it cannot be read. */
  read(bytes: Buffer, start: number, end: number, take: TakePayload): number | ParseError {
    const chunks = this.#chunks;
    if (chunks === undefined) {
      const to = Math.min(end, start + this.#left);
      this.#left -= to - start;
      this.#done = this.#left === 0;
      if (to > start) take(bytes, start, to);
      return to;
    }
    // Small chunks are moved together over the framing between them, which has been read: a client that sends a byte a chunk
    // must not cost a write to the endpoint for each.
    let first = -1;
    let last = -1;
    const refused = chunks.read(bytes, start, end, (from, to) => {
      const length = to - from;
      this.#payloadBytes += length;
      if (this.#payloadBytes > this.#mostBytes || length === 0) return;
      if (first !== -1 && length <= mostMovedBytes) {
        if (length === 1) bytes[last] = bytes[from] as number;
        else bytes.copyWithin(last, from, to);
        last += length;
        return;
      }
      if (first !== -1) take(bytes, first, last);
      first = from;
      last = to;
    });
    if (first !== -1) take(bytes, first, last);
    if (refused !== undefined) return refused;
    if (this.#payloadBytes > this.#mostBytes) return parseErrors.bodyTooLarge;
    if (chunks.done) this.#done = true;
    return chunks.consumed;
  }
}

/** Of a request without a body: one for all. */
export const emptyBody = new RequestBody({ chunked: false, contentLength: -1, hasBody: false });
