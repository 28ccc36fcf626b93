/** Enough for a client that has 100 streams open: frames on as many can be on their way. */
const fewest = 128;

/**
 * The streams that this side reset last. Frames that the peer sent before it received the reset are ignored (RFC 9113,
 * section 5.1); on any other closed stream they are an error.
 */
export class ResetLog {
  #ids: number[] | undefined = undefined;
  #next = 0;
  readonly #remembered: number;

  constructor(maxConcurrentStreams: number) {
    this.#remembered = Math.max(fewest, maxConcurrentStreams);
  }

  add(stream: number): void {
    this.#ids ??= [];
    this.#ids[this.#next] = stream;
    this.#next = (this.#next + 1) % this.#remembered;
  }

  has(stream: number): boolean {
    return this.#ids?.includes(stream) ?? false;
  }
}
