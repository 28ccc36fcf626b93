import { type ParseError, parseErrors } from '../http/parse-error.ts';
import type { BodySource } from './client-side.ts';

/** @param mostBytes absent: no bound of the route's own */
export function boundedBody(body: BodySource, mostBytes: number | undefined): BodySource {
  return mostBytes === undefined ? body : new BoundedBody(body, mostBytes);
}

/** Gives what has arrived of a body to an endpoint. Returns why it cannot be read. */
export function passBody(body: BodySource, to: BodyTaker): ParseError | undefined {
  if (body.done) return undefined;
  let keepsUp = true;
  const refused = body.read((bytes, from, end) => {
    keepsUp = to.writeBody(bytes, from, end);
  });
  if (refused !== undefined) return refused;
  if (body.done) {
    to.endBody(body.trailers);
    body.resume();
  } else if (keepsUp) body.resume();
  else body.pause();
  return undefined;
}

interface BodyTaker {
  /** Returns `false` where the caller waits. */
  writeBody(bytes: Buffer, from: number, to: number): boolean;
  endBody(trailers: string): void;
}

/** A body of which a route takes no more than so many bytes: the piece that exceeds them is refused. */
class BoundedBody implements BodySource {
  readonly #body: BodySource;
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(body: BodySource, mostBytes: number) {
    this.#body = body;
    this.#mostBytes = mostBytes;
  }

  get done(): boolean {
    return this.#body.done;
  }

  get trailers(): string {
    return this.#body.trailers;
  }

  get receivedBytes(): number {
    return this.#body.receivedBytes;
  }

  read(take: (bytes: Buffer, from: number, to: number) => void): ParseError | undefined {
    const refused = this.#body.read((bytes, from, to) => {
      this.#bytes += to - from;
      if (this.#bytes <= this.#mostBytes) take(bytes, from, to);
    });
    return this.#bytes > this.#mostBytes ? parseErrors.bodyTooLarge : refused;
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }
}
