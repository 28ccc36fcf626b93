import { giveSpare, takeSpare } from '../transport/spare-buffers.ts';

/** Of one request. */
const mostHeldBytes = 65_536;
/** So much and less is text: a whole buffer would multiply what a slow endpoint makes wait. */
const mostTextBytes = 4_096;

/** What was sent of a request's body, for as long as the request may have to be sent again. */
export class HeldBody {
  #text = '';
  /** What came before the text. */
  #spare: Buffer | undefined;
  #spareLength = 0;

  /** `false`: it would be more than is held. */
  add(bytes: Buffer, from: number, to: number): boolean {
    const length = to - from;
    if (this.#spareLength + this.#text.length + length > mostHeldBytes) return false;
    if (length > mostTextBytes && this.#text === '') {
      this.#spare ??= takeSpare();
      this.#spareLength += bytes.copy(this.#spare, this.#spareLength, from, to);
    } else this.#text += bytes.toString('latin1', from, to);
    return true;
  }

  /** As latin1. */
  get text(): string {
    return (this.#spare?.toString('latin1', 0, this.#spareLength) ?? '') + this.#text;
  }

  /** Nothing is sent again. */
  release(): void {
    if (this.#spare !== undefined) giveSpare(this.#spare);
    this.#spare = undefined;
    this.#spareLength = 0;
    this.#text = '';
  }
}
