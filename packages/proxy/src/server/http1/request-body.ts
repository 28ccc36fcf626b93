import { ChunkedReader, lastChunk } from '../../http/chunked-reader.ts';
import { type ParseError, parseErrors } from '../../http/parse-error.ts';
import type { RequestHead } from '../../http/request-head.ts';

/** Takes pieces of a body as they go upstream; a string is latin1. */
export type TakePiece = (piece: Buffer | string) => void;

/**
 * A client's body on its way upstream: knows where it ends. A chunked one is framed anew, so extensions and oddities of
 * the client's chunks never reach an endpoint (RFC 9112, section 7.1.1).
 */
export class RequestBody {
  #left: number;
  readonly #chunks: ChunkedReader | undefined;
  readonly #mostBytes: number;
  #payloadBytes = 0;
  #done = false;

  /** @param mostBytes of a chunked body, which does not say its length before; 0: no limit */
  constructor(head: RequestHead, mostBytes = 0) {
    this.#mostBytes = mostBytes === 0 ? Number.POSITIVE_INFINITY : mostBytes;
    this.#left = head.chunked ? 0 : Math.max(0, head.contentLength);
    this.#chunks = head.chunked ? new ChunkedReader() : undefined;
    this.#done = !head.hasBody;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Answers where the body ends in this piece (`end` if it goes on), or why it cannot be read. */
  read(bytes: Buffer, start: number, end: number, take: TakePiece): number | ParseError {
    const chunks = this.#chunks;
    if (chunks === undefined) {
      const to = Math.min(end, start + this.#left);
      this.#left -= to - start;
      this.#done = this.#left === 0;
      if (to > start) take(bytes.subarray(start, to));
      return to;
    }
    const refusal = chunks.read(bytes, start, end, (from, to) => {
      this.#payloadBytes += to - from;
      if (this.#payloadBytes > this.#mostBytes) return;
      take(`${(to - from).toString(16)}\r\n`);
      take(bytes.subarray(from, to));
      take('\r\n');
    });
    if (refusal !== undefined) return refusal;
    if (this.#payloadBytes > this.#mostBytes) return parseErrors.bodyTooLarge;
    if (chunks.done) {
      this.#done = true;
      take(lastChunk(chunks.trailers));
    }
    return chunks.consumed;
  }
}
