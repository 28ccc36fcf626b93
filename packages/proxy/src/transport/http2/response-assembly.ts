import { http1ResponseHead } from '../../http/http2/http1-heads.ts';
import type { ResponseHead } from '../../http/http2/message-head.ts';
import { type BodyFraming, UpstreamHead } from '../../http/response-head.ts';
import type { ResponseConsumer } from '../response-reader.ts';

// One head is parsed at a time, and wholly used before the next. Decoded heads have at most 65,536 bytes with 32 for each
// field, so their text is shorter.
const parsed = new UpstreamHead();
const mostHeadBytes = 65_536;
/** A first piece up to this size is cheaper copied behind the head than passed on by itself. */
const mostCopiedBytes = 4_096;
const scratchBytes = mostHeadBytes + mostCopiedBytes;
let scratch = Buffer.allocUnsafeSlow(scratchBytes);

/**
 * Gives a response to its receiver, head and body together where they came together: a piece is held until the next one,
 * the end, or `deliver`.
 */
export class ResponseAssembly {
  /** The receiver has all of it. */
  delivered = false;
  readonly #method: string;
  /** Bytes of the last piece, or of one before in the same read, are still in use. */
  inUse = false;
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

  static interim(head: ResponseHead, receiver: ResponseConsumer): void {
    writeHead(head);
    receiver.onInterim(parsed, scratch);
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
    this.#bytes = noBytes;
    this.#from = this.#to = 0;
    this.delivered = complete;
    if (head === undefined) {
      if (receiver.onBody(bytes, from, to, complete, '')) this.inUse = true;
      return;
    }
    this.#head = undefined;
    const end = writeHead(head);
    const isCopied = to - from <= mostCopiedBytes;
    const bodyEnd = isCopied ? end + bytes.copy(scratch, end, from, to) : end;
    const framing = framingOf(parsed, this.#method);
    const inUse = receiver.onHead(parsed, scratch, framing, end, bodyEnd, complete && isCopied);
    if (inUse) scratch = Buffer.allocUnsafeSlow(scratchBytes);
    // The receiver may have left while it took the head.
    if (!isCopied && this.#receiver?.onBody(bytes, from, to, complete, '') === true) this.inUse = true;
  }
}

/** Writes a head as HTTP/1.1 has it, parses it, and returns where it ends. */
function writeHead(head: ResponseHead): number {
  const end = scratch.write(http1ResponseHead(head), 'latin1');
  const outcome = parsed.parse(scratch, 0, end);
  if (outcome !== 'complete')
    throw new Error(`a valid head of HTTP/2 is not one of HTTP/1.1: ${JSON.stringify(outcome)}`);
  return end;
}

function framingOf(head: UpstreamHead, method: string): BodyFraming {
  const framing = head.framingFor(method);
  return framing === 'until-close' ? 'unsized' : framing;
}

const noBytes = Buffer.alloc(0);
